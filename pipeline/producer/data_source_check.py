"""Refuses to write live rows into a database with simulated ones, and the reverse. Knows the names
that the table data_source holds; knows nothing of how rows are fetched or written.

`python3 -m pipeline.producer.data_source_check simulator` checks before anything is started."""

import argparse
from contextlib import closing

from pipeline import postgres, program
from pipeline.errors import PipelineError
from pipeline.producer.state import State
from pipeline.settings import load

LIVE, SIMULATOR = "live", "simulator"
# What to type to continue with the data that are stored.
CONTINUE = {LIVE: "docker compose up", SIMULATOR: "docker compose --profile demo up"}


class OtherDataSource(PipelineError):
    """The database holds rows of the other kind of exchange. A person has to choose."""


def kind(source: str) -> str:
    """LIVE or SIMULATOR. A simulated exchange says so in the header X-Data-Source; a real one sends
    none."""
    return SIMULATOR if source.split(":")[0] == SIMULATOR else LIVE


def check(stored: str | None, coming: str) -> None:
    """Raises OtherDataSource when rows of `coming` must not be mixed with those that are stored."""
    if stored is not None and kind(stored) != kind(coming):
        raise OtherDataSource(
            f'this database holds rows of "{stored}", and the exchange of this start is {kind(coming)}. '
            f"To continue with the stored data: `{CONTINUE[kind(stored)]}`. To delete them and start with the other: "
            f"`docker compose --profile demo down --volumes`, then `{CONTINUE[kind(coming)]}`. "
            "Without Docker: `make clean`, then `make demo` or `make local`."
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m pipeline.producer.data_source_check", description=__doc__)
    parser.add_argument("coming", choices=(LIVE, SIMULATOR), help="the kind of exchange that is about to be polled")
    coming = parser.parse_args().coming
    with closing(postgres.connect(load("producer"), "producer")) as connection:
        check(State(connection).source(), coming)
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("data_source_check", main))
