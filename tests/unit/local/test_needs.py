import subprocess

import pytest

from local import java, needs
from local.layout import ROOT


def test_missing_java_names_the_debian_package():
    line = needs.java_line(lambda: (None, {}))
    assert line == "Java 17 is missing: apt-get install openjdk-17-jre-headless, or set JAVA_HOME"


def test_another_java_is_named_with_its_version():
    line = needs.java_line(lambda: (None, {"/usr/bin/java": 25}))
    assert "/usr/bin/java is 25" in line
    assert "openjdk-17-jre-headless" in line


def test_java_17_is_accepted():
    assert needs.java_line(lambda: ("/usr/bin/java", {})) == ""


def test_missing_maven_names_the_debian_package():
    assert "apt-get install maven" in needs.maven_line(lambda name: None)
    assert needs.maven_line(lambda name: "/usr/bin/mvn") == ""


def test_everything_missing_is_one_line_each():
    assert needs.lacking((lambda: "one is missing", lambda: "", lambda: "two is missing")) == [
        "one is missing",
        "two is missing",
    ]


@pytest.mark.parametrize(
    ("says", "major"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_402"', 8), ('openjdk version "25" 2025', 25)],
)
def test_java_version_is_read_from_its_output(tmp_path, says, major):
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    assert java.major_version(str(program)) == major


def test_a_java_that_does_not_run_has_no_version(tmp_path):
    assert java.major_version(str(tmp_path / "java")) is None


def test_without_python_the_package_is_named():
    answer = subprocess.run(
        ["/bin/sh", ROOT / "local" / "start", "demo"], env={"PATH": "/nonexistent"}, capture_output=True, text=True
    )
    assert answer.returncode == 1
    assert answer.stderr == "Python 3.11 or newer is missing: apt-get install python3 python3-venv\n"


def test_the_first_file_parses_in_an_old_python():
    """An old Python must reach the message: no f-string, annotation or walrus in __main__.py."""
    text = (ROOT / "local" / "__main__.py").read_text()
    assert ' f"' not in text
    assert "->" not in text
    assert ":=" not in text
