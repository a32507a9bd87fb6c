"""64-bit hashes of byte strings, the ones that Keras's hashing layers use.

All strings of one length are hashed together: each word of theirs is one vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["concatenate", "fingerprint", "siphash"]

_WORD = np.dtype("<u8")
_MASK = 0xFFFFFFFFFFFFFFFF
# Odd constants of FarmHash: primes between 2**63 and 2**64.
_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))


def fingerprint(strings: Sequence[bytes]) -> Any:
    """FarmHash's `Fingerprint64` of each string.

    Args:
        strings: Any number of byte strings.

    Returns:
        uint64 `(n,)`.

    Source: https://github.com/google/farmhash, namespace farmhashna.
    """
    return _by_length(strings, _farm)


def siphash(strings: Sequence[bytes], key: tuple[int, int]) -> Any:
    """SipHash-2-4 of each string.

    Args:
        strings: Any number of byte strings.
        key: Two numbers of 64 bits.

    Returns:
        uint64 `(n,)`.

    Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), section 2.
    """
    return _by_length(strings, lambda s: _sip(s, key))


def concatenate(first: Any, second: Any) -> Any:
    """A fingerprint of two fingerprints in order (TensorFlow's `FingerprintCat64`)."""
    multiplier = np.uint64(0xC6A4A7935BD1E995)
    mixed = first ^ multiplier
    mixed = (mixed ^ (_shift_mix(second * multiplier) * multiplier)) * multiplier
    return _shift_mix(_shift_mix(mixed) * multiplier)


def _by_length(strings: Sequence[bytes], function: Callable[[Any], Any]) -> Any:
    lengths = np.fromiter(map(len, strings), "int64", len(strings))
    found = np.zeros(len(strings), "uint64")
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        joined = b"".join([strings[i] for i in places])
        found[places] = function(np.frombuffer(joined, "uint8").reshape(len(places), length))
    return found


def _word(s: Any, start: int) -> Any:
    """The 8 bytes from a place on, of each string."""
    return s[:, start : start + 8].copy().view(_WORD)[:, 0].astype("uint64")


def _half(s: Any, start: int) -> Any:
    return s[:, start : start + 4].copy().view("<u4")[:, 0].astype("uint64")


def _right(x: Any, bits: int) -> Any:
    """Rotated to the right."""
    return (x >> np.uint64(bits)) | (x << np.uint64(64 - bits))


def _shift_mix(x: Any) -> Any:
    return x ^ (x >> np.uint64(47))


def _pair(u: Any, v: Any, multiplier: Any) -> Any:
    """Two words as one."""
    return _shift_mix((v ^ _shift_mix((u ^ v) * multiplier)) * multiplier) * multiplier


# -- FarmHash


def _farm(s: Any) -> Any:
    length = s.shape[1]
    if length <= 16:
        return _farm_16(s, length)
    multiplier = _K2 + np.uint64(2 * length)
    if length <= 32:
        return _farm_32(s, length, multiplier)
    return _farm_64(s, length, multiplier) if length <= 64 else _farm_long(s, length)


def _farm_16(s: Any, length: int) -> Any:
    multiplier = _K2 + np.uint64(2 * length)
    if length >= 8:
        a, b = _word(s, 0) + _K2, _word(s, length - 8)
        c = _right(b, 37) * multiplier + a
        return _pair(c, (_right(a, 25) + b) * multiplier, multiplier)
    if length >= 4:
        first = np.uint64(length) + (_half(s, 0) << np.uint64(3))
        return _pair(first, _half(s, length - 4), multiplier)
    if length:
        a, b, c = (s[:, i].astype("uint64") for i in (0, length >> 1, length - 1))
        y, z = a + (b << np.uint64(8)), np.uint64(length) + (c << np.uint64(2))
        return _shift_mix(y * _K2 ^ z * _K0) * _K2
    return np.full(len(s), _K2)


def _ends(s: Any, length: int, multiplier: Any) -> Any:
    """The first and last 16 bytes mixed: what both middle lengths begin with."""
    a, b = _word(s, 0), _word(s, 8)
    c, d = _word(s, length - 8) * multiplier, _word(s, length - 16) * _K2
    return a, b, c, d


def _farm_32(s: Any, length: int, multiplier: Any) -> Any:
    a, b, c, d = _ends(s, length, multiplier)
    a = a * _K1
    u = _right(a + b, 43) + _right(c, 30) + d
    return _pair(u, a + _right(b + _K2, 18) + c, multiplier)


def _farm_64(s: Any, length: int, multiplier: Any) -> Any:
    a, b, c, d = _ends(s, length, multiplier)
    a = a * _K2
    y = _right(a + b, 43) + _right(c, 30) + d
    z = _pair(y, a + _right(b + _K2, 18) + c, multiplier)
    e, f = _word(s, 16) * multiplier, _word(s, 24)
    g = (y + _word(s, length - 32)) * multiplier
    h = (z + _word(s, length - 24)) * multiplier
    u = _right(e + f, 43) + _right(g, 30) + h
    return _pair(u, e + _right(f + a, 18) + g, multiplier)


def _weak(s: Any, at: int, a: Any, b: Any) -> Any:
    """32 bytes mixed into two words."""
    w, x, y, z = (_word(s, at + i) for i in (0, 8, 16, 24))
    a = a + w
    b = _right(b + a + z, 21)
    total = a + x + y
    return total + z, b + _right(total, 44) + a


def _farm_long(s: Any, length: int) -> Any:
    zero = np.zeros(len(s), "uint64")
    seed = 81
    y = zero + np.uint64((seed * int(_K1) + 113) & _MASK)
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    x = np.uint64((seed * int(_K2)) & _MASK) + _word(s, 0)
    v1, v2, w1, w2 = zero, zero, zero, zero
    end = (length - 1) // 64 * 64
    blocks = [(at, _K1, False) for at in range(0, end, 64)] + [(length - 64, _K1, True)]
    for at, k, last in blocks:
        if last:
            # The last 64 bytes overlap the block before.
            k = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
            w1 = w1 + np.uint64((length - 1) & 63)
            v1 = v1 + w1
            w1 = w1 + v1
        nine = np.uint64(9 if last else 1)
        x = _right(x + y + v1 + _word(s, at + 8), 37) * k
        y = _right(y + v2 + _word(s, at + 48), 42) * k
        x = x ^ (w2 * nine)
        y = y + v1 * nine + _word(s, at + 40)
        z = _right(z + w1, 33) * k
        v1, v2 = _weak(s, at, v2 * k, x + w1)
        w1, w2 = _weak(s, at + 32, z + w2, y + _word(s, at + 16))
        z, x = x, z
    first = _pair(v1, w1, k) + _shift_mix(y) * _K0 + z
    return _pair(first, _pair(v2, w2, k) + x, k)


# -- SipHash


def _round(v: list[Any]) -> None:
    """One SipRound, in place."""
    for a, b, turn in ((0, 1, 51), (2, 3, 48), (2, 1, 47), (0, 3, 43)):
        # Left rotations by 13, 16, 17, 21; two lanes also swap halves.
        v[a] = v[a] + v[b]
        v[b] = _right(v[b], turn) ^ v[a]
        if (a, b) in ((0, 1), (2, 1)):
            v[a] = _right(v[a], 32)


def _sip(s: Any, key: tuple[int, int]) -> Any:
    count, length = s.shape
    k0, k1 = (np.uint64(k & _MASK) for k in key)
    zero = np.zeros(count, "uint64")
    # "somepseudorandomlygeneratedbytes"
    starts = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [zero + (np.uint64(c) ^ k) for c, k in zip(starts, (k0, k1, k0, k1), strict=True)]
    padded = np.zeros((count, length // 8 * 8 + 8), "uint8")
    padded[:, :length] = s
    padded[:, -1] = length & 0xFF
    for at in range(0, padded.shape[1], 8):
        word = _word(padded, at)
        v[3] = v[3] ^ word
        _round(v)
        _round(v)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    for _ in range(4):
        _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
