"""Attention one query at a time, and its gradient by the derivative along an imaginary step."""

import numpy as np

__all__ = ["attention", "attention_grad"]


def _looks(mask, causal, b, h, i, j):
    seen = not causal or j <= i
    if mask is not None:
        b, h, i, j = (0 if n == 1 else p for n, p in zip(mask.shape, (b, h, i, j)))
        seen = seen and bool(mask[b, h, i, j])
    return seen


def _rows(q, k, v, mask, scale, causal):
    """Of each query: its place, and scores of the keys that count; all alike if none does."""
    batch, queries, heads, _ = q.shape
    for b in range(batch):
        for h in range(heads):
            owner = h * k.shape[2] // heads
            for i in range(queries):
                counts = [j for j in range(k.shape[1]) if _looks(mask, causal, b, h, i, j)]
                scores = {j: scale * (q[b, i, h] @ k[b, j, owner]) for j in counts}
                yield b, h, i, owner, scores


def _results(q, k, v, mask, scale, causal):
    y = np.zeros((*q.shape[:3], v.shape[3]), q.dtype)
    for b, h, i, owner, scores in _rows(q, k, v, mask, scale, causal):
        weights = {j: np.exp(s) for j, s in scores.items()} or dict.fromkeys(range(k.shape[1]), 1)
        total = sum(weights.values())
        y[b, i, h] = sum(w / total * v[b, j, owner] for j, w in weights.items())
    return y


def attention(q, k, v, *mask, scale, causal):
    mask = mask[0] if mask else None
    top, total = (np.zeros((q.shape[0], q.shape[2], q.shape[1])) for _ in range(2))
    for b, h, i, _, scores in _rows(q, k, v, mask, scale, causal):
        lowest = 0.7 * np.finfo("float64").min
        top[b, h, i] = max(scores.values(), default=lowest)
        total[b, h, i] = sum(np.exp(s - top[b, h, i]) for s in scores.values()) or k.shape[1]
    return _results(q, k, v, mask, scale, causal), top, total


def attention_grad(q, k, v, y, top, total, g, *mask, scale, causal):
    del y, top, total  # known from q, k and v
    mask, step = mask[0] if mask else None, 1e-30
    found = []
    for place, x in enumerate((q, k, v)):
        slope = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            moved = [a.astype(complex) for a in (q, k, v)]
            moved[place][at] += 1j * step
            slope[at] = np.sum(g * _results(*moved, mask, scale, causal).imag) / step
        found.append(slope)
    return tuple(found)
