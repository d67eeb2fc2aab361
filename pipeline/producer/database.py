"""What the producer can do on its connection to PostgreSQL. Knows nothing of what is written."""

from collections.abc import Callable
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline import postgres
from pipeline.producer.state import State
from pipeline.producer.trade_days import TradeDays
from pipeline.producer.upserts import Upserts


class Session(NamedTuple):
    """What an action can do on the connection."""

    upserts: Upserts
    state: State
    trade_days: TradeDays


class Database(postgres.Database[Session]):
    def __init__(self, connect: Callable[[], Connection]) -> None:
        super().__init__(connect, open_session)


def open_session(connection: Connection) -> Session:
    trade_days = TradeDays(connection)
    return Session(Upserts(connection, trade_days), State(connection), trade_days)
