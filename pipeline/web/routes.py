"""The routes: parameters in, rows out. Each is a few lines; how rows are read is in reads.py."""

from typing import Any

from flask import Blueprint, jsonify, request

from pipeline.tables import BOOKS, KLINES, PRICES, STATS, TRADES
from pipeline.web.parameters import query
from pipeline.web.reads import Reads
from pipeline.web.store import Store


def routes(reads: Reads, store: Store) -> Blueprint:
    """The blueprint of all routes over one store."""
    blueprint = Blueprint("crypto", __name__)

    @blueprint.get(f"/{STATS.name}")
    def crypto_24h_stats() -> Any:
        asked = query(request.args)
        return jsonify(reads.ranking(asked) if asked.sort else reads.market(STATS.name, asked))

    @blueprint.get(f"/{PRICES.name}")
    def latest_prices() -> Any:
        return jsonify(reads.market(PRICES.name, query(request.args)))

    @blueprint.get(f"/{BOOKS.name}")
    def order_book() -> Any:
        return jsonify(reads.hourly(BOOKS.name, query(request.args)))

    @blueprint.get(f"/{TRADES.name}")
    def recent_trades() -> Any:
        return jsonify(reads.hourly(TRADES.name, query(request.args)))

    @blueprint.get(f"/{KLINES.name}")
    def klines() -> Any:
        return jsonify(reads.klines(query(request.args)))

    @blueprint.get("/symbols")
    def symbols() -> Any:
        return jsonify(reads.symbols())

    @blueprint.get("/health")
    def health() -> Any:
        store.answers()
        return jsonify({"status": "ok"})

    return blueprint
