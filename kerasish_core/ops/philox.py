"""Philox4x32-10: a stateless generator, a function of a key and a counter.

Source: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from typing import Any

__all__ = ["philox_block", "philox_words"]

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_MASK = 0xFFFFFFFF
# Blocks of this many counters stay in the cache.
_CHUNK = 1 << 14


def _halves(key: Any) -> tuple[int, int]:
    if key.shape != (2,) or key.dtype != "uint32":
        raise ValueError(f"the key is {key.dtype}{key.shape}; uint32[2] is needed")
    return int(key[0]), int(key[1])


def philox_block(xp: Any, key: Any, counter: Any, stream: int) -> tuple[Any, Any, Any, Any]:
    """The four words of 32 bits, in uint64, of the blocks with these counters.

    Args:
        xp: NumPy or CuPy.
        key: uint32[2].
        counter: uint64 of any shape, the lower half of the counter.
        stream: Its upper half: independent words of the same key and counter.
    """
    k0, k1 = _halves(key)
    low, shift = xp.uint64(_MASK), xp.uint64(32)
    zero = xp.zeros_like(counter)
    c0, c1 = counter & low, counter >> shift
    c2, c3 = zero + xp.uint64(stream & _MASK), zero + xp.uint64(stream >> 32)
    for _ in range(10):
        p0, p1 = c0 * xp.uint64(_M0), c2 * xp.uint64(_M1)
        c0, c1, c2, c3 = (
            (p1 >> shift) ^ c1 ^ xp.uint64(k0),
            p1 & low,
            (p0 >> shift) ^ c3 ^ xp.uint64(k1),
            p0 & low,
        )
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


def philox_words(xp: Any, key: Any, count: int, stream: int = 0) -> Any:
    """`count` words of 32 bits; word i is word `i % 4` of the block with counter `i // 4`.

    Args:
        xp: NumPy or CuPy.
        key: uint32[2].
        count: How many words.
        stream: The upper half of the counter: independent words of the same key.
    """
    _halves(key)  # without words, no block looks at it
    blocks = -(-count // 4)
    words = xp.empty((blocks, 4), "uint32")
    for first in range(0, blocks, _CHUNK):
        counter = xp.arange(first, min(first + _CHUNK, blocks), dtype="uint64")
        for i, word in enumerate(philox_block(xp, key, counter, stream)):
            words[first : first + _CHUNK, i] = word
    return words.reshape(-1)[:count]
