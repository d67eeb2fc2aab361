import pytest

from local import repository

SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors>
<mirror><id>blocked</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url></mirror>
<mirror><id>ours</id><mirrorOf>{}</mirrorOf><url>http://mirror.example/maven/</url></mirror>
</mirrors></settings>"""


@pytest.mark.parametrize("mirrored", ["*", "central", "external:*", "other, central", "*,!other"])
def test_a_mirror_of_central_in_mavens_settings_is_used(tmp_path, monkeypatch, mirrored):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format(mirrored))
    assert repository.configured({}) == "http://mirror.example/maven/"
    monkeypatch.delenv(repository.SETTING, raising=False)
    assert repository.base_url() == "http://mirror.example/maven"


@pytest.mark.parametrize("mirrored", ["other", "*,!central", ""])
def test_a_mirror_of_something_else_is_not_used(tmp_path, mirrored):
    settings = tmp_path / "settings.xml"
    settings.write_text(SETTINGS.format(mirrored))
    assert repository.mirror(settings) == ""


@pytest.mark.parametrize("content", [None, "", "<settings>"])
def test_missing_or_damaged_settings_are_ignored(tmp_path, content):
    settings = tmp_path / "settings.xml"
    if content is not None:
        settings.write_text(content)
    assert repository.mirror(settings) == ""


def test_the_variable_comes_before_mavens_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format("*"))
    assert repository.configured({repository.SETTING: "http://chosen.example"}) == "http://chosen.example"


def test_without_a_choice_the_virtual_environment_is_asked(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho http://central.example/maven2/\n")
    python.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(repository.SETTING, raising=False)
    monkeypatch.setattr(repository, "VENV_PYTHON", python)
    assert repository.base_url() == "http://central.example/maven2"


def test_without_any_address_the_setting_is_named(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(repository.SETTING, raising=False)
    monkeypatch.setattr(repository, "VENV_PYTHON", python)
    with pytest.raises(LookupError, match="set MAVEN_REPOSITORY_URL"):
        repository.base_url()
