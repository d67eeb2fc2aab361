"""The committed JSON is what the generator produces, and every row of panels is full."""

from pathlib import Path

import pytest

from grafana.generator.__main__ import FILES, to_json
from grafana.generator.layout import place_panels
from tests.support.grafana.files import DASHBOARDS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_committed_dashboard_is_what_the_generator_produces(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == to_json(FILES[path]()), "run: python3 -m grafana.generator"


def test_every_dashboard_file_is_generated() -> None:
    assert set(DASHBOARDS) == set(FILES)


def test_row_that_is_not_full_is_rejected() -> None:
    with pytest.raises(ValueError, match="add up to 20"):
        place_panels([(4, [(20, {})])])


def test_panels_follow_each_other_from_left_to_right_and_down() -> None:
    spots = [panel["gridPos"] for panel in place_panels([(4, [(8, {}), (16, {})]), (2, [(24, {})])])]
    assert [(spot["x"], spot["y"]) for spot in spots] == [(0, 0), (8, 0), (0, 4)]
