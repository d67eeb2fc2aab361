"""`python3 -m pipeline.healthcheck URL`: exit code 0 when URL answers 200. The health check of the
Python containers, which have no curl."""

import sys
import urllib.error
import urllib.request


def main() -> int:
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=4) as reply:
            return 0 if reply.status == 200 else 1
    except (OSError, urllib.error.HTTPError) as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
