"""When a virtual environment is used as it is, and when it is made again. Installs nothing."""

import pytest

from local import stamp, venv


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """A virtual environment in which requirements.txt was installed."""
    monkeypatch.setattr(venv, "VENV", tmp_path)
    monkeypatch.setattr(venv, "VENV_PYTHON", tmp_path / "python")
    (tmp_path / "python").touch()
    stamp.write(tmp_path / "made-for", venv._maker())
    stamp.write(venv._stamp(venv.RUNTIME), venv._value(venv.RUNTIME))
    return tmp_path


@pytest.mark.usefixtures("finished")
def test_what_is_installed_is_not_installed_again():
    assert venv.is_current(venv.RUNTIME)
    assert not venv.make([venv.RUNTIME], lambda text: None, lambda text: None)


@pytest.mark.usefixtures("finished")
def test_other_requirements_are_still_missing():
    assert not venv.is_current(venv.LOCAL)


def test_after_an_interruption_nothing_counts_as_installed(finished):
    (finished / "unfinished").touch()
    assert not venv.is_current(venv.RUNTIME)


def test_another_python_makes_it_again(finished):
    stamp.write(finished / "made-for", "another")
    assert not venv.is_current(venv.RUNTIME)


def test_files_of_one_name_have_stamps_of_their_own():
    assert venv._stamp("requirements.txt") != venv._stamp("local/requirements.txt")
