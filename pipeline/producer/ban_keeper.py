"""Keeps the exchange's ban in PostgreSQL, so that it outlives the process. Knows no HTTP and no
SQL."""

import logging

from pipeline.producer.ban import Ban
from pipeline.producer.database import Database
from pipeline.stopping import Stop

log = logging.getLogger(__name__)


class BanKeeper:
    """The ban of the exchange at `base_url`."""

    def __init__(self, ban: Ban, base_url: str, database: Database) -> None:
        self._ban = ban
        self._base_url = base_url
        self._database = database
        self._kept_count = 0

    def restore(self, stop: Stop) -> None:
        """Continue a ban that an earlier process received. Call it before the first request."""
        remaining = self._database.run(lambda session: session.state.ban(self._base_url), stop)
        if remaining:
            self._ban.begin(remaining)
            self._kept_count = self._ban.count
            log.warning("exchange_ban_restored", extra={"ban_s": round(remaining)})

    def keep(self, stop: Stop) -> None:
        """Store the ban, unless it is stored already."""
        if self._kept_count != self._ban.count:
            self._kept_count = self._ban.count
            seconds = self._ban.remaining_seconds()
            self._database.run(lambda session: session.state.keep_ban(self._base_url, seconds), stop)
