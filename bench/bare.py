"""The minimal Flask route, for comparison: sends the same bytes from memory, under the same server
as the API. `python3 -m bench.bare PORT FILE`"""

import sys
from pathlib import Path

from flask import Flask, Response

from pipeline.api.serve import serve


def main() -> None:
    body = Path(sys.argv[2]).read_bytes()
    app = Flask("bare")

    @app.get("/")
    def answer() -> Response:
        return Response(body, mimetype="application/json")

    serve(app, "127.0.0.1", int(sys.argv[1]))


if __name__ == "__main__":
    main()
