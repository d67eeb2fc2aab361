"""What driver_internals.py relies on, compared with the installed driver: a new version that
changes it fails here and not in production."""

from importlib.metadata import version

import pytest
from cassandra import ProtocolVersion, cqltypes
from cassandra.protocol import ColumnMetadata
from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement

from pipeline.consumer.driver_internals import READ_IN_VERSION, SerialisedBatch, SerialisedRow

COLUMNS = {"symbol": cqltypes.UTF8Type, "interval": cqltypes.UTF8Type, "close_price": cqltypes.DoubleType}
VALUES = [("ETHUSDT", "1m", 2811.5), ("ETHUSDT", "1m", 0.0), ("ETHUSDT", "1m", None)]
# Kept for error messages only.
NOT_SENT = {"raw_values"}


@pytest.fixture(params=[[0], [0, 1]], ids=["partition key of one column", "of two columns"])
def prepared(request):
    metadata = [ColumnMetadata("crypto", "klines", name, kind) for name, kind in COLUMNS.items()]
    return PreparedStatement(metadata, b"id", request.param, "INSERT …", "crypto", ProtocolVersion.V5, [], b"result id")


def bound_by_the_driver(prepared, values):
    return BoundStatement(prepared).bind(values)


def wire_format(prepared, values):
    return tuple(bound_by_the_driver(prepared, values).values)


def differences(serialised, bound):
    """Attributes that the driver sets on its own statement and that the serialised one lacks or has
    with another value."""
    missing = object()
    names = (set(vars(bound)) | {"routing_key", "serial_consistency_level"}) - NOT_SENT
    pairs = {name: (getattr(serialised, name, missing), getattr(bound, name)) for name in names}
    as_lists = {name: [list(v) if isinstance(v, tuple) else v for v in pair] for name, pair in pairs.items()}
    return {name: pair for name, pair in as_lists.items() if pair[0] != pair[1]}


def test_installed_library_is_the_one_that_was_read():
    assert ".".join(version("cassandra-driver").split(".")[:2]) == READ_IN_VERSION


@pytest.mark.parametrize("values", VALUES)
def test_serialised_row_is_what_the_driver_would_have_bound(prepared, values):
    serialised = SerialisedRow(prepared, wire_format(prepared, values))
    assert differences(serialised, bound_by_the_driver(prepared, values)) == {}


def test_serialised_batch_is_what_the_driver_would_have_collected(prepared):
    bound = BatchStatement(BatchType.UNLOGGED)
    for values in VALUES:
        bound.add(bound_by_the_driver(prepared, values))
    serialised = SerialisedBatch(prepared, [wire_format(prepared, values) for values in VALUES])
    requests = [
        [(is_prepared, query_id, list(values)) for is_prepared, query_id, values in batch._statements_and_parameters]
        for batch in (serialised, bound)
    ]
    assert requests[0] == requests[1]
    assert set(differences(serialised, bound)) <= {"_statements_and_parameters"}
    assert len(serialised) == len(VALUES)
