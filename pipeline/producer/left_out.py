"""Items of replies that are left out because they differ from the API document: counted, and logged
once per symbol until it is well again. Knows names; makes no request."""

import logging
from collections.abc import Sequence

from pipeline.producer import metrics
from pipeline.producer.batch import Row
from pipeline.producer.rows import LeftOut

log = logging.getLogger(__name__)

# When the exchange changes a reply, every symbol of the market may be left out at once.
MAX_LINES_PER_REPLY = 10
MAX_NAME_CHARACTERS = 60
NO_NAME = ""


class LeftOutSymbols:
    """Of one kind of request, e.g. "price"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._odd: set[str] = set()

    def report(self, parsed: Sequence[Row | LeftOut]) -> None:
        """Count what is left out, and log the symbols whose state has changed."""
        left_out = [each for each in parsed if isinstance(each, LeftOut)]
        if left_out:
            metrics.REJECTED_ROWS.labels(self.kind).inc(len(left_out))
        odd = {each.symbol: each.reason for each in reversed(left_out) if each.reason}
        new = [symbol for symbol in odd if symbol not in self._odd]
        for symbol in new[:MAX_LINES_PER_REPLY]:
            facts = {"kind": self.kind, "symbol": symbol[:MAX_NAME_CHARACTERS] or "(none)", "error": odd[symbol]}
            log.error("row_rejected", extra=facts)
        if len(new) > MAX_LINES_PER_REPLY:
            log.error("rows_rejected", extra={"kind": self.kind, "more_symbols": len(new) - MAX_LINES_PER_REPLY})
        well = {each["symbol"] for each in parsed if not isinstance(each, LeftOut)} & self._odd - odd.keys()
        for symbol in sorted(well)[:MAX_LINES_PER_REPLY]:
            log.info("row_accepted_again", extra={"kind": self.kind, "symbol": symbol[:MAX_NAME_CHARACTERS]})
        self._odd = (self._odd - well - {NO_NAME}) | odd.keys()
