"""The view of /tables/<name>: its parameters depend on the table's key. Knows Flask; how rows are
read is in mirrored_tables.py."""

from functools import partial
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.exceptions import NotFound

from pipeline.api.cache import Cache
from pipeline.api.middleware import ROW_COUNT
from pipeline.api.mirrored_tables import MirroredTables
from pipeline.api.query import BadParameter
from pipeline.api.responses import EncodedResponse
from pipeline.api.route_specs import RouteSpec
from pipeline.api.routes import Arguments
from pipeline.api.store import BadPagingState
from pipeline.api.table_query import CURSOR_EXPECTED, cursor_text, read_table_query


class TableView:
    """The view function for every mirrored table."""

    def __init__(self, route: RouteSpec, mirrored: MirroredTables, cache: Cache[EncodedResponse]) -> None:
        self._route = route
        self._mirrored = mirrored
        self._cache = cache

    def respond(self, name: str) -> Response:
        environ = request.environ
        arguments = list(request.args.items(multi=True))
        key = (environ["PATH_INFO"], environ["QUERY_STRING"])
        response = self._cache.get_or_read(key, partial(self._rows, name, arguments))
        environ[ROW_COUNT] = response.rows
        status, headers, body = response.for_request(environ)
        return Response(body, status, headers)

    def _rows(self, name: str, arguments: Arguments) -> EncodedResponse:
        """Raises NotFound, BadParameter or StoreUnavailable."""
        key = self._mirrored.find(name)
        if key is None:
            raise NotFound(f"no mirrored table {name[:50]}; /tables lists them")
        query = read_table_query(arguments, key)
        try:
            page = self._mirrored.page(key, query)
        except BadPagingState:
            raise BadParameter("cursor", f"cursor: expected {CURSOR_EXPECTED}") from None
        headers = {}
        if page.paging_state is not None:
            others = [(given, value) for given, value in arguments if given != "cursor"]
            url = f"/tables/{name}?{urlencode([*others, ('cursor', cursor_text(page.paging_state, query))], safe=':,')}"
            headers["Link"] = f'<{url}>; rel="next"'
        return EncodedResponse.of_rows(page.rows, **headers).fresh_for(self._route.fresh_seconds)
