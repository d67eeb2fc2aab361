"""The lock file: complete, in step with the wanted versions, written so that a diff reads well."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest

from local import artifacts, jars, make_lock, platforms
from local.layout import JARS_LOCK, JARS_WANTED

WANTED = tomllib.loads(JARS_WANTED.read_text(encoding="utf-8"))
LOCKED = artifacts.read()


def file_name(coordinates: str) -> str:
    place, _, kind = coordinates.partition("@")
    _, artifact, version, *classifier = place.split(":")
    return "-".join([artifact, version, *classifier]) + "." + (kind or "jar")


def test_every_wanted_version_is_locked():
    assert WANTED.keys() == LOCKED.keys()
    for name, module in WANTED.items():
        locked = {file.name for file in LOCKED[name]}
        assert {file_name(coordinates) for coordinates in module["artifacts"]} <= locked, "run: python3 -m local lock"


def test_a_module_has_no_library_in_two_versions():
    for name, files in LOCKED.items():
        places = [file.path.rsplit("/", 2)[0] for file in files]
        # netty's libraries for several kinds of machine are one artifact with several files
        folders = {file.path.rsplit("/", 1)[0] for file in files}
        assert len(folders) == len(set(places)), name


def test_every_file_has_a_sum_and_a_size():
    for file in (file for files in LOCKED.values() for file in files):
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.bytes > 0


def test_no_two_files_of_a_module_have_one_name():
    for name, files in LOCKED.items():
        assert len({file.name for file in files}) == len(files), name


def test_every_module_that_a_start_asks_for_is_locked():
    builds = {f"postgres-{build}" for build in platforms.POSTGRES_BUILDS.values()}
    assert {*jars.ALWAYS, *builds} == LOCKED.keys()


def test_the_file_is_what_the_lock_command_writes(tmp_path):
    artifacts.write(LOCKED, tmp_path / "jars.lock")
    assert (tmp_path / "jars.lock").read_text() == JARS_LOCK.read_text()


@pytest.mark.parametrize(
    ("coordinates", "transitive", "fields"),
    [
        ("org.x:a:1", True, {"groupId": "org.x", "artifactId": "a", "version": "1"}),
        ("org.x:a:1:plugin@tar.gz", True, {"classifier": "plugin", "type": "tar.gz"}),
        ("org.x:a:1", False, {"exclusions/exclusion/groupId": "*", "exclusions/exclusion/artifactId": "*"}),
    ],
)
def test_coordinates_become_a_dependency(coordinates, transitive, fields):
    element = ElementTree.fromstring(make_lock.dependency(coordinates, transitive))
    assert {path: element.findtext(path) for path in fields} == fields
    assert (element.find("exclusions") is None) is transitive
