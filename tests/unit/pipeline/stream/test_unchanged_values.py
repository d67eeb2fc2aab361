"""Every form in which Debezium says that an update left a large value alone."""

import base64
import json

import pytest

from pipeline.errors import UnwritableRecord
from pipeline.stream.envelope import parse
from pipeline.stream.unchanged_values import UNAVAILABLE, has_placeholder, is_placeholder

BYTES = UNAVAILABLE.encode()
FORMS = {
    "text, json, xml, numeric": UNAVAILABLE,
    "bytea": base64.b64encode(BYTES).decode(),
    "int[], bigint[], smallint[], date[]": list(BYTES),
    "text[], jsonb[]": [UNAVAILABLE],
    "bytea[]": [base64.b64encode(BYTES).decode()],
    "uuid[]": ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],
    "hstore": json.dumps({UNAVAILABLE: UNAVAILABLE}, separators=(",", ":")),
    "hstore as map": {UNAVAILABLE: UNAVAILABLE},
}
REAL = [
    None,
    "",
    f"why is {UNAVAILABLE} in my topic?",
    [],
    [95],
    [95, 95, 100],
    [*BYTES, 1],
    [None],
    [f"{UNAVAILABLE} "],
    ["b68a35a7-17ad-35b3-af2a-ae46edb4545b"],
    "b68a35a7-17ad-35b3-af2a-ae46edb4545a",
    {},
    {"a": UNAVAILABLE},
    7,
    True,
]


def event(op, after, before=None):
    return json.dumps({"op": op, "before": before, "after": after, "source": {"ts_us": 1}}).encode()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_placeholder_is_left_out_of_an_update(form):
    change = parse("notes", event("u", {"id": 7, "large": form, "small": "x"}))
    assert change.row == {"id": 7, "small": "x"}
    assert change.incomplete


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_placeholder_is_filled_from_the_state_before(form):
    """With REPLICA IDENTITY FULL."""
    change = parse("notes", event("u", {"id": 7, "large": form}, {"id": 7, "large": "the value"}))
    assert change.row == {"id": 7, "large": "the value"}
    assert not change.incomplete


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_new_row_with_a_placeholder_is_refused(form):
    """After an update of the primary key: the value is nowhere in the stream."""
    with pytest.raises(UnwritableRecord, match=r"notes\.large: .*ALTER TABLE notes REPLICA IDENTITY FULL"):
        parse("notes", event("c", {"id": 7, "large": form}))


@pytest.mark.parametrize("real", REAL, ids=str)
def test_real_value_is_kept(real):
    assert not is_placeholder(real)
    assert not has_placeholder({"id": 7, "large": real})
    assert parse("notes", event("c", {"id": 7, "large": real})).row["large"] == real
