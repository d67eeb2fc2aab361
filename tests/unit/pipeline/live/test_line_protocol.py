import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.live.line_protocol import fields, is_measurement, line, series
from pipeline.symbols import ascii_name
from tests.support.live.received import Received

ANY_TEXT = st.text(min_size=1, max_size=40)


def received(text: str) -> Received:
    found = Received("crypto")
    found.message(text)
    return found


def test_line_is_what_grafana_was_seen_to_take() -> None:
    text = line(series("price_ETHUSDT", {"symbol": "ETHUSDT"}), fields({"price": 3361.24}), 1795689276310)
    assert text == "price_ETHUSDT,symbol=ETHUSDT price=3361.24 1795689276310000000"


def test_name_of_ascii_letters_stays_and_others_become_their_bytes() -> None:
    assert ascii_name("1000SATS_USDT-A.B") == "1000SATS_USDT-A.B"
    assert ascii_name("币安USDT") == "=E5=B8=81=E5=AE=89USDT"


@given(ANY_TEXT)
def test_every_name_becomes_characters_of_a_channel_and_no_two_become_one(name: str) -> None:
    if not name.isascii() and any(0xD800 <= ord(character) < 0xE000 for character in name):
        return
    encoded = ascii_name(name)
    assert is_measurement(encoded[:140])
    assert bytes.fromhex("".join(f"{ord(c):02x}" if c != "=" else "3d" for c in encoded)).decode() == encoded
    from urllib.parse import unquote

    assert unquote(encoded.replace("=", "%")) == name


@given(ANY_TEXT.filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text)), ANY_TEXT)
def test_hostile_label_and_string_never_end_the_line(label: str, text: str) -> None:
    text = "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)
    found = received(line(series("prices", {"symbol": label}), fields({"price": 1.5, "side": text}), 1795689276310))
    assert found.complaints == []
    assert [row.channel for row in found.rows] == ["prices"]
    assert found.rows[0].fields["price"] == 1.5


@pytest.mark.parametrize("number", [1e-08, 0.1 + 0.2, 95478.61, 1e22, -0.0, 5.0])
def test_number_arrives_as_the_same_double(number: float) -> None:
    found = received(line("price_A", fields({"price": number}), 1795689276310))
    assert (found.complaints, found.rows[0].fields["price"]) == ([], number)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_number_that_the_protocol_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError):
        fields({"price": number})


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a\nb", "币", "a" * 141])
def test_measurement_that_is_no_channel_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        series(name, {})


def test_empty_label_is_refused() -> None:
    with pytest.raises(ValueError):
        series("prices", {"symbol": ""})
