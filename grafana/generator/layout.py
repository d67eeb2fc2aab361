"""Positions panels on the grid: rows with a height, panels with a width, 24 columns in total. Does
not look inside a panel."""

from typing import Any

COLUMNS = 24
# (height, [(width, panel), ...])
Row = tuple[int, list[tuple[int, dict[str, Any]]]]


def place_panels(rows: list[Row]) -> list[dict[str, Any]]:
    """The panels with id and gridPos, from left to right and from top to bottom. Raises ValueError
    if the widths of a row do not add up to 24."""
    placed: list[dict[str, Any]] = []
    y = 0
    for height, members in rows:
        widths = [width for width, _ in members]
        if sum(widths) != COLUMNS:
            raise ValueError(f"widths {widths} add up to {sum(widths)}, expected {COLUMNS}")
        x = 0
        for width, panel in members:
            placed.append({"id": len(placed) + 1, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x += width
        y += height
    return placed
