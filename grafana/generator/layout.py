"""Places panels: rows of a height, panels of a width, 24 columns in all. Knows nothing of what a
panel is."""

from typing import Any

COLUMNS = 24
Row = tuple[int, list[tuple[int, dict[str, Any]]]]


def placed(rows: list[Row]) -> list[dict[str, Any]]:
    """The panels with id and gridPos, row under row. Raises ValueError when the widths of a row are
    not 24 in all."""
    panels, y = [], 0
    for height, members in rows:
        widths = [width for width, _ in members]
        if sum(widths) != COLUMNS:
            raise ValueError(f"widths {widths} are {sum(widths)} in all, not {COLUMNS}")
        x = 0
        for width, panel in members:
            panels.append({"id": len(panels) + 1, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x += width
        y += height
    return panels
