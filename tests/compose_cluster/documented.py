"""The commands of docs/cluster.md, typed as they stand there."""

import re
import subprocess

from tests.compose_cluster.cluster import Cluster
from tests.support.program import ROOT

STEP_SECONDS = 900


def commands(section: str) -> list[list[str]]:
    """Those of each block of the section, without comments, a continued line as one."""
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    body = re.split(r"^#+ ", text.split(f"### {section}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```\n(.*?)^```", body, re.MULTILINE | re.DOTALL)
    joined = (re.sub(r"\\\n\s*", "", block).splitlines() for block in blocks)
    return [[line for line in lines if line and not line.startswith("#")] for lines in joined]


def type_in(cluster: Cluster, line: str) -> None:
    """As a user does, but without a terminal."""
    done = subprocess.run(
        line.replace("exec ", "exec -T ", 1) if "exec -T" not in line else line,
        shell=True,
        cwd=ROOT,
        env=cluster.environ,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
