"""The simulator's options for replaying recorded data. The time shift is chosen once and kept, so
that a recorded moment keeps its time over a restart."""

import time
from datetime import UTC, datetime
from pathlib import Path

BEFORE_NOW_SECONDS = 12 * 3600


def replay_options(recorded: Path, state_dir: Path, now_seconds: float | None = None) -> tuple[str, ...]:
    """`--replay DIR --replay-start T`, where T (ISO 8601, a full minute) is the time at which the
    recording begins."""
    kept = state_dir / "replay-start"
    if not kept.exists():
        now = time.time() if now_seconds is None else now_seconds
        start = datetime.fromtimestamp((now - BEFORE_NOW_SECONDS) // 60 * 60, UTC)
        kept.write_text(start.strftime("%Y-%m-%dT%H:%M:%SZ\n"), encoding="ascii")
    return ("--replay", str(recorded.resolve()), "--replay-start", kept.read_text(encoding="ascii").strip())
