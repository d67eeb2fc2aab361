"""Writes results as markdown, to the screen and to bench/results/. Knows nothing of the
measurements."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in row)} |\n" for row in lines)


def publish(name: str, text: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def spread(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Median, 95th and 99th percentile, maximum. Needs at least one value."""
    ordered = sorted(values)

    def quantile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return quantile(0.5), quantile(0.95), quantile(0.99), ordered[-1]
