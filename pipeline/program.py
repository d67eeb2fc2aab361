"""How every program of this project ends: an error that a person can fix is one line on stderr, not
a traceback. Knows nothing of what the program does."""

import sys
from collections.abc import Callable

from pipeline.errors import BadSetting, PipelineError


def run(name: str, main: Callable[[], int]) -> int:
    """The exit code: what `main` returns, 2 for a bad setting, 1 for any other PipelineError, 130
    for Ctrl-C during the start. Any other exception is a bug and keeps its traceback."""
    try:
        return main()
    except BadSetting as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except PipelineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
