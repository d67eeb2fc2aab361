"""Where Maven artifacts come from: the address of a repository, and the copies that Maven itself
keeps on this machine. Downloads nothing."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

from local.layout import VENV_PYTHON

SETTING = "MAVEN_REPOSITORY_URL"
# jgo is a library for Maven in Python; the address of Maven Central is one of its constants.
ASK_JGO = "from jgo.constants import MAVEN_CENTRAL_URL; print(MAVEN_CENTRAL_URL)"


def _maven_home() -> Path:
    return Path.home() / ".m2"


def kept_by_maven(path: str) -> Path:
    """Where Maven keeps its own copy of an artifact, if it has one."""
    return _maven_home() / "repository" / path


def mirror(settings_xml: Path) -> str:
    """The address of the mirror of Maven Central in a settings.xml; empty when there is none."""
    try:
        root = ElementTree.parse(settings_xml).getroot()
    except (OSError, ElementTree.ParseError):
        return ""
    for element in root.iterfind("{*}mirrors/{*}mirror"):
        mirrored = {name.strip() for name in (element.findtext("{*}mirrorOf") or "").split(",")}
        if mirrored & {"*", "external:*", "central"} and "!central" not in mirrored:
            return (element.findtext("{*}url") or "").strip()
    return ""


def configured(environ: Mapping[str, str] = os.environ) -> str:
    """The address that the user chose: by MAVEN_REPOSITORY_URL, or as a mirror in Maven's settings.
    Empty when neither is there."""
    return environ.get(SETTING) or mirror(_maven_home() / "settings.xml")


def base_url() -> str:
    """The address to download from: the user's choice, otherwise Maven Central as jgo knows it.
    jgo must be in the virtual environment then. Raises LookupError when it is not."""
    if chosen := configured():
        return chosen.rstrip("/")
    answer = subprocess.run([VENV_PYTHON, "-c", ASK_JGO], capture_output=True, text=True)
    if answer.returncode != 0:
        raise LookupError(f"no address of a Maven repository: set {SETTING}")
    return answer.stdout.strip().rstrip("/")
