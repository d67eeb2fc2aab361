"""Pseudo-randomness without state: a 64-bit hash of numbers and names. Knows no market."""

import hashlib

MASK_64 = (1 << 64) - 1
# 2^64 divided by the golden ratio: multiples of it are spread evenly, so neighbouring numbers get
# unrelated hashes (splitmix64).
GOLDEN = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    """The splitmix64 finaliser: 64 well-mixed bits of any integer."""
    value &= MASK_64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK_64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK_64
    return value ^ (value >> 31)


def bits(seed: int, number: int) -> int:
    """64 bits for the `number`-th draw of the stream `seed`."""
    return mix(seed + number * GOLDEN)


def unit(seed: int, number: int) -> float:
    """The `number`-th draw of the stream `seed` as a float in [0, 1)."""
    return (mix(seed + number * GOLDEN) >> 11) * 2.0**-53


def named_seed(seed: int, *names: object) -> int:
    """A separate stream per purpose, e.g. named_seed(7, 'BTC', 'price'). The same on every
    machine."""
    text = ":".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
