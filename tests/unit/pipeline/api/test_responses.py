import gzip

import pytest

from pipeline.api.responses import MIN_GZIP_BYTES, EncodedResponse, accepts_gzip


@pytest.mark.parametrize(
    ("accepted", "accepts"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1, gzip;q=0.5", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("identity;q=1, gzip;q=0.0", False),
    ],
)
def test_gzip_is_sent_to_clients_that_accept_it(accepted, accepts):
    assert accepts_gzip(accepted) is accepts


def test_body_below_the_minimum_size_is_not_compressed():
    small, large = EncodedResponse(b"x" * (MIN_GZIP_BYTES - 1)), EncodedResponse(b"x" * MIN_GZIP_BYTES)
    environ = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert small.for_request(environ)[2] == small.body
    assert gzip.decompress(large.for_request(environ)[2]) == large.body
    assert large.for_request({})[2] == large.body


@pytest.mark.parametrize("known", ['W/"{}"', '"{}"', '"other", W/"{}"', "*"])
def test_client_that_has_the_body_gets_304_without_a_body(known):
    response = EncodedResponse(b"[]").fresh_for(1)
    status, headers, body = response.for_request({"HTTP_IF_NONE_MATCH": known.format(response.etag)})
    assert (status[:3], body) == ("304", b"")
    assert dict(headers)["ETag"] == f'W/"{response.etag}"'


def test_response_that_clients_must_not_store_has_no_etag():
    status, headers, _ = EncodedResponse(b"[]").for_request({"HTTP_IF_NONE_MATCH": "*"})
    assert status[:3] == "200"
    assert dict(headers)["Cache-Control"] == "no-store"
    assert "ETag" not in dict(headers)


def test_different_rows_have_different_etags():
    assert EncodedResponse.of_rows([{"a": 1}]).etag != EncodedResponse.of_rows([{"a": 2}]).etag
