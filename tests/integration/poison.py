"""Records of the table klines that can never be written, by the reason why."""

POISON = {
    "not JSON": b"\xff\xfe{",
    "not an envelope": b'{"hello": "world"}',
    "no key": b'{"op":"c","after":{"close_price":"1"},"source":{"ts_us":1}}',
    "wrong type": b'{"op":"c","after":{"symbol":"BADUSDT","interval":"1m","open_time":"yesterday"},'
    b'"source":{"ts_us":1}}',
    "not a number": b'{"op":"c","after":{"symbol":"BADUSDT","interval":"1m","open_time":"2026-01-01T00:00:00Z",'
    b'"close_price":"many"},"source":{"ts_us":1}}',
    "key too long": b'{"op":"c","after":{"symbol":"' + b"X" * 70_000 + b'","interval":"1m",'
    b'"open_time":"2026-01-01T00:00:00Z"},"source":{"ts_us":1}}',
}
