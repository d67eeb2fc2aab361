"""Refuses to write live rows into a database with simulated ones, and the reverse. Knows the table
data_source; knows nothing of how rows are fetched or written.

`python3 -m pipeline.producer.data_source_check simulator` checks before anything is started."""

import argparse
from collections.abc import Callable
from contextlib import closing

from pipeline import postgres, program
from pipeline.errors import PipelineError
from pipeline.producer.client import Exchange
from pipeline.producer.database import Database
from pipeline.producer.jobs import Fetched, Job
from pipeline.settings import Settings, load
from pipeline.stopping import Stop

LIVE, SIMULATOR = "live", "simulator"
# What to type to continue with the data that are stored.
CONTINUE = {LIVE: "docker compose up", SIMULATOR: "docker compose --profile demo up"}

OnFetched = Callable[[Job, Fetched], None]


class OtherDataSource(PipelineError):
    """The database holds rows of the other kind of exchange. A person has to choose."""


def stored_source(settings: Settings) -> str | None:
    """Which exchange the stored rows come from, e.g. "live: data-api.binance.vision"; None in a new
    database. Raises PostgresUnavailable."""
    with closing(postgres.connect(settings, "producer")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM data_source WHERE id = 1")
        found = cursor.fetchone()
    return found[0] if found else None


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


def checked_first(
    on_fetched: OnFetched, settings: Settings, exchange: Exchange, database: Database, stop: Stop
) -> OnFetched:
    """`on_fetched` with the check before its first call. The first result is the listing: it brings
    no rows, its reply says what the exchange is, and the jobs that bring rows are made from it."""
    checked = False

    def on_fetched_checked(job: Job, fetched: Fetched) -> None:
        nonlocal checked
        if not checked:
            check(database.run(lambda _: stored_source(settings), stop), exchange.data_source or LIVE)
            checked = True
        on_fetched(job, fetched)

    return on_fetched_checked


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m pipeline.producer.data_source_check", description=__doc__)
    parser.add_argument("coming", choices=(LIVE, SIMULATOR), help="the kind of exchange that is about to be polled")
    check(stored_source(load("producer")), parser.parse_args().coming)
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("data_source_check", main))
