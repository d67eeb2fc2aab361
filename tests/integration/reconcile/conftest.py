"""One chain for all tests of this folder: they break its rows. Not that of the fault suite, whose
rows would be compared each time."""

from collections.abc import Iterator

import pytest

from tests.support.chain.chain_world import ChainWorld, running


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    with running(tmp_path_factory.mktemp("reconcile")) as world:
        yield world
