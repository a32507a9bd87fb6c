"""Decoding of connectionist temporal classification: the likeliest labels of logits."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .symbolic import symbolic

__all__ = ["ctc_decode"]

ops = core.ops

# Logarithm of an impossible path: low enough to vanish, finite so that sums stay so.
NEVER = -1e30


@symbolic
def ctc_decode(
    inputs: Any, sequence_lengths: Any, strategy: str = "greedy", beam_width: int = 100,
    top_paths: int = 1, merge_repeated: bool = True, mask_index: int = 0,
) -> Any:  # fmt: skip
    """The likeliest labels.

    Args:
        inputs: Logits, `(batch, time, classes)`.
        sequence_lengths: Time steps of each sample, `(batch,)`.
        strategy: "greedy": the likeliest class of each step, repetitions merged and blanks left
            out. "beam_search": the labels whose alignments have the greatest sum of probabilities,
            as far as a search over prefixes finds them.
        beam_width: How many prefixes the search keeps.
        top_paths: How many label sequences the search returns.
        merge_repeated: Whether the greedy strategy merges repetitions; the search always does.
        mask_index: The class of the blank.

    Returns:
        Labels filled up with -1, `(paths, batch, time)`, and scores: minus the sum of the largest
        logits, `(batch, 1)`, or log-probabilities, `(batch, top_paths)`.

    Raises:
        ValueError: Another strategy.

    Source: Graves et al. (2006), Connectionist Temporal Classification, section 3.2.
    """
    x = core.convert(inputs)
    x = ops.cast(x, core.dtypes.result_type(x.dtype, "float32"))
    lengths = core.convert(sequence_lengths)
    if strategy == "greedy":
        paths, scores = best_path(x, lengths, merge_repeated, mask_index)
        return ops.expand_dims(paths, 0), scores
    if strategy == "beam_search":
        blank = x.shape[-1] - 1 if mask_index is None else mask_index
        return prefix_search(ops.log_softmax(x, -1), lengths, beam_width, top_paths, blank)
    raise ValueError(
        f"Invalid strategy {strategy}. Supported values are 'greedy' and 'beam_search'."
    )


def best_path(x: Any, lengths: Any, merge_repeated: bool, blank: Any) -> Any:
    """The class of each step, and minus the sum of their logits.

    Returns:
        `(batch, time)` and `(batch, 1)`.
    """
    time = x.shape[1]
    blank = x.shape[-1] - 1 if blank is None else blank
    steps = ops.arange(time, dtype="int32")
    inside = ops.less(steps, ops.expand_dims(ops.cast(lengths, "int32"), 1))
    best = ops.cast(ops.argmax(x, -1), "int32")
    scores = ops.where(inside, ops.max(x, -1), 0)
    valid = ops.logical_and(inside, ops.not_equal(best, blank))
    if merge_repeated:
        valid = ops.logical_and(valid, differs(best))
    return packed(best, valid), -ops.sum(scores, 1, True)


def differs(labels: Any) -> Any:
    """Whether each label is another than the one before it."""
    first = ops.ones((*labels.shape[:-1], 1), "bool")
    return ops.concatenate([first, ops.not_equal(labels[..., 1:], labels[..., :-1])], -1)


def packed(labels: Any, valid: Any) -> Any:
    """The valid labels in front, in their order, and -1 behind them."""
    time = labels.shape[-1]
    order = ops.argsort(ops.where(valid, ops.arange(time, dtype="int32"), time), -1)
    return ops.take_along_axis(ops.where(valid, labels, -1), ops.cast(order, "int32"), -1)


def prefix_search(log_p: Any, lengths: Any, width: int, top_paths: int, blank: int) -> Any:
    """The likeliest labels, by keeping at each step the likeliest prefixes.

    Of each prefix the probabilities of all alignments that end in a blank and of those that end
    in its last label are known. A step lets a prefix stay (by a blank or its last label) or grows
    it by a label; a grown prefix that is among those kept already adds to that one's probability.

    Returns:
        `(top_paths, batch, time)` and `(batch, top_paths)`.
    """
    batch, time, _ = log_p.shape
    never = ops.full((), NEVER, log_p.dtype)
    no_labels = ops.full((batch, width, time), -1, "int32")
    first = ops.equal(ops.arange(width, dtype="int32"), 0)
    blanks = ops.broadcast_to(ops.where(first, ops.cast(0.0, log_p.dtype), never), (batch, width))
    state = (
        no_labels, ops.zeros((batch, width), "int32"), blanks,
        ops.full((batch, width), NEVER, log_p.dtype),
    )  # fmt: skip
    lengths = ops.cast(lengths, "int32")

    def step(state: Any, row: Any) -> Any:
        x, t = row
        after = _advance(state, x, blank)
        goes_on = ops.logical_or(ops.equal(t, 0), ops.less(t, lengths))

        def keep(a: Any, b: Any) -> Any:
            return ops.where(ops.reshape(goes_on, (batch,) + (1,) * (a.ndim - 1)), a, b)

        return tuple(keep(a, b) for a, b in zip(after, state, strict=True)), None

    rows = (ops.transpose(log_p, (1, 0, 2)), ops.arange(time, dtype="int32"))
    (labels, _, ends_blank, ends_label), _ = core.scan(step, state, rows)
    scores, places = ops.top_k(ops.logaddexp(ends_blank, ends_label), top_paths)
    labels = ops.take_along_axis(labels, ops.expand_dims(ops.cast(places, "int32"), -1), 1)
    scores = ops.where(ops.less(scores, NEVER / 2), ops.cast(-float("inf"), scores.dtype), scores)
    return ops.transpose(labels, (1, 0, 2)), scores


def _advance(state: Any, x: Any, blank: int) -> Any:
    """The state after a step of log-probabilities `(batch, classes)`."""
    labels, sizes, ends_blank, ends_label = state
    batch, width, time = labels.shape
    classes = x.shape[-1]
    never = ops.full((), NEVER, x.dtype)
    at_end = ops.equal(ops.arange(time, dtype="int32"), ops.expand_dims(sizes - 1, -1))
    last = ops.max(ops.where(at_end, labels, -1), -1)  # -1: no label yet
    either = ops.logaddexp(ends_blank, ends_label)

    chosen = ops.take_along_axis(x, ops.maximum(last, 0), 1)
    stay_label = ops.where(ops.less(last, 0), never, ends_label + chosen)
    stay_blank = either + x[:, blank : blank + 1]

    numbers = ops.arange(classes, dtype="int32")
    repeats = ops.equal(numbers, ops.expand_dims(last, -1))
    grown = ops.where(repeats, ops.expand_dims(ends_blank, -1), ops.expand_dims(either, -1))
    grown = ops.where(ops.equal(numbers, blank), never, grown + ops.expand_dims(x, 1))

    # parent[b, i, j]: prefix j is prefix i and one label more.
    shorter = ops.where(at_end, -1, labels)
    equal = ops.equal(ops.expand_dims(labels, 2), ops.expand_dims(shorter, 1))
    parent = ops.logical_and(
        ops.all(equal, -1), ops.equal(ops.expand_dims(sizes + 1, 2), ops.expand_dims(sizes, 1))
    )
    index = ops.broadcast_to(ops.expand_dims(ops.maximum(last, 0), 1), (batch, width, width))
    joined = ops.where(parent, ops.take_along_axis(grown, index, 2), never)
    stay_label = ops.logaddexp(stay_label, ops.logsumexp(joined, 1))
    known = ops.matmul(ops.cast(parent, x.dtype), ops.cast(repeats, x.dtype))
    grown = ops.where(ops.greater(known, 0), never, grown)

    totals = ops.concatenate(
        [ops.logaddexp(stay_blank, stay_label), ops.reshape(grown, (batch, width * classes))], 1
    )
    _, places = ops.top_k(totals, width)
    places = ops.cast(places, "int32")
    grows = ops.greater_equal(places, width)
    label = ops.mod(ops.maximum(places - width, 0), classes)
    source = ops.where(grows, ops.floor_divide(ops.maximum(places - width, 0), classes), places)
    kept = ops.take_along_axis(sizes, source, 1)
    rows = ops.take_along_axis(labels, ops.expand_dims(source, -1), 1)
    here = ops.equal(ops.arange(time, dtype="int32"), ops.expand_dims(kept, -1))
    here = ops.logical_and(here, ops.expand_dims(grows, -1))
    best = ops.take_along_axis(totals, places, 1)
    return (
        ops.where(here, ops.expand_dims(label, -1), rows),
        kept + ops.cast(grows, "int32"),
        ops.where(grows, never, ops.take_along_axis(stay_blank, source, 1)),
        ops.where(grows, best, ops.take_along_axis(stay_label, source, 1)),
    )
