"""Keras 2's functions for connectionist temporal classification; the blank is the last class."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ..ops.ctc import ctc_loss
from ..ops.ctc_decode import best_path, differs, packed, prefix_search
from ..ops.symbolic import classic
from ..settings import epsilon
from .sparse import SparseTensor

__all__ = ["ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse"]

_o = core.ops


def _column(lengths: Any) -> Any:
    return _o.reshape(_o.cast(lengths, "int32"), (-1,))


@classic
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """The CTC loss of each sample.

    Args:
        y_true: Labels, `(batch, max_length)`.
        y_pred: Probabilities, `(batch, time, classes)`.
        input_length: Time steps of each sample, `(batch, 1)`.
        label_length: Labels of each sample, `(batch, 1)`.

    Returns:
        `(batch, 1)`.
    """
    y_pred = core.convert(y_pred)
    logits = _o.log(y_pred + epsilon())
    labels = _o.cast(y_true, "int32")
    cost = ctc_loss(
        labels, logits, _column(label_length), _column(input_length), y_pred.shape[-1] - 1
    )
    return _o.expand_dims(cost, 1)


@classic
def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> Any:
    """The likeliest labels.

    Args:
        y_pred: Probabilities, `(batch, time, classes)`.
        input_length: Time steps of each sample, `(batch,)`.
        greedy: Whether to take the likeliest class at each step; else a beam search for the
            labels whose alignments have the greatest sum of probabilities.
        beam_width: How many prefixes the search keeps.
        top_paths: How many label sequences it returns.

    Returns:
        List of tensors `(batch, time)`, filled up with -1; and for the greedy path minus its
        log-probability, `(batch, 1)`, for the search the log-probabilities `(batch, top_paths)`.
    """
    y_pred = core.convert(y_pred)
    logits = _o.log(y_pred + epsilon())
    blank = y_pred.shape[-1] - 1
    lengths = _column(input_length)
    if greedy:
        paths, scores = best_path(logits, lengths, True, blank)
        return [_o.cast(paths, "int64")], scores
    log_p = _o.log_softmax(logits, -1)
    paths, scores = prefix_search(log_p, lengths, beam_width, top_paths, blank)
    paths = packed(paths, differs(paths))  # as Keras 2, which merges repeated labels here too
    return [_o.cast(paths[i], "int64") for i in range(top_paths)], scores


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> SparseTensor:
    """The labels as coordinates and values.

    Args:
        labels: `(batch, max_length)`.
        label_lengths: How many of each row count, `(batch,)`.
    """
    rows = np.asarray(core.convert(labels))
    lengths = np.asarray(core.convert(label_lengths)).reshape(-1, 1)
    places = np.argwhere(np.arange(rows.shape[1]) < lengths)
    return SparseTensor(
        core.convert(places.astype("int64")), core.convert(rows[tuple(places.T)]), rows.shape
    )
