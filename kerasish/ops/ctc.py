"""Connectionist temporal classification: labels without alignment."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .symbolic import symbolic

__all__ = ["ctc_loss"]

ops = core.ops

# Logarithm of a step that is impossible, as on JAX: low enough to vanish beside possible ones, and
# so high that where no alignment is possible the loss still has a slope.
NEVER = -1e5


@symbolic
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """Minus the log-probability of all alignments of labels to time steps.

    Labels are written with a blank before, between and behind. With `a[t, s]` the log-probability
    of having written the first s symbols by time t:
    `a[t, s] = log p[t, z_s] + logsumexp(a[t-1, s], a[t-1, s-1], a[t-1, s-2])`, the last term
    only where `z_s` is a label that differs from `z_{s-2}`.

    Args:
        target: Integer labels, `(batch, max_length)`.
        output: Logits, `(batch, time, classes)`.
        target_length: Number of labels of each sample, `(batch,)`.
        output_length: Number of time steps of each sample, `(batch,)`.
        mask_index: The class of the blank.

    Returns:
        `(batch,)`; about 1e5 for each step that is impossible, where no alignment is possible.

    Source: Graves et al. (2006), Connectionist Temporal Classification, eq. 5 to 8.
    """
    target, output = core.convert(target), core.convert(output)
    dtype = output.dtype
    if dtype.itemsize < 4:  # which does not hold NEVER and a sum over time beside it
        output = ops.cast(output, "float32")
    batch, labels = target.shape
    time, states = output.shape[1], 2 * labels + 1
    log_p = ops.log_softmax(output, axis=-1)
    blanks = ops.full((batch, labels, 1), mask_index, target.dtype)
    symbols = ops.reshape(ops.concatenate([blanks, ops.expand_dims(target, -1)], -1), (batch, -1))
    symbols = ops.concatenate([symbols, blanks[:, :1, 0]], 1)
    # log p[t, z_s] of all times and states: (time, batch, states)
    chosen = ops.take_along_axis(
        log_p, ops.broadcast_to(ops.expand_dims(symbols, 1), (batch, time, states)), axis=-1
    )
    chosen = ops.transpose(chosen, (1, 0, 2))
    before = ops.concatenate([ops.full((batch, 2), mask_index, target.dtype), symbols[:, :-2]], 1)
    is_label = ops.equal(ops.mod(ops.arange(states), 2), 1)
    skips = ops.logical_and(is_label, ops.not_equal(symbols, before[:, :states]))
    none = ops.full((batch, 2), NEVER, output.dtype)
    # Before the first time step nothing is written.
    start = ops.where(ops.equal(ops.arange(states), 0), 0.0, ops.full((), NEVER, output.dtype))
    alpha = ops.broadcast_to(start, (batch, states))
    ends = core.convert(output_length)

    def step(alpha: Any, now: Any) -> tuple[Any, Any]:
        here, t = now
        padded = ops.concatenate([none, alpha], 1)
        jumped = padded[:, :states] + ops.where(skips, 0.0, ops.full((), NEVER, output.dtype))
        paths = ops.stack([alpha, padded[:, 1 : states + 1], jumped], 0)
        after = here + ops.logsumexp(paths, axis=0)
        running = ops.expand_dims(ops.less(t, ends), 1)
        after = ops.where(running, after, alpha)
        return after, after

    alpha, _ = core.scan(step, alpha, (chosen, ops.arange(time, dtype=ends.dtype)))
    last = ops.expand_dims(2 * core.convert(target_length), 1)
    # Finished behind the last label or in the blank after it.
    both = ops.concatenate([last, ops.maximum(last - 1, 0)], 1)
    finished = ops.take_along_axis(alpha, both, axis=1)
    only_blanks = ops.concatenate([last < 0, ops.equal(last, 0)], 1)
    finished = ops.where(only_blanks, ops.full((), NEVER, output.dtype), finished)
    return ops.cast(-ops.logsumexp(finished, axis=1), dtype)
