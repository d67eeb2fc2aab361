"""Where things are kept. Knows paths only; creates nothing."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "local" / "config"
JARS_WANTED = ROOT / "local" / "jars.toml"
JARS_LOCK = ROOT / "local" / "jars.lock"
STATE = ROOT / ".local"
RUN_LOCK = STATE / "lock"  # held by the one running `make demo` or `make local`
THREE_NODES = STATE / "three_nodes"  # what `make demo NODES=3` keeps
TESTS = STATE / "test"  # one directory for each Stack of the integration tests
VENV = STATE / "venv"
VENV_PYTHON = VENV / "bin" / "python"
JARS = STATE / "jars"
