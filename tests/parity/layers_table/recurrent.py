"""Cases of recurrent layers, their cells and wrappers, and of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from .entries import IMAGE, ROWS, SERIES, built, layer, numbers

STATE = numbers(2, 3)
DROPPED = {"random": True}
REGULAR = {
    "kernel_regularizer": "l2", "recurrent_regularizer": "l2", "bias_regularizer": "l1",
    "kernel_constraint": "max_norm", "recurrent_constraint": "non_neg",
    "bias_constraint": "max_norm",
}  # fmt: skip

for name in ("SimpleRNN", "GRU", "LSTM"):
    states = [STATE, numbers(3, 2).reshape(2, 3)][: 2 if name == "LSTM" else 1]
    layer(name, 3)
    how = {"differs": {"half": "Keras's loop changes the type of its state"}}
    layer(name, 3, return_sequences=True, go_backwards=True, use_bias=False,
          how=how if name == "GRU" else None)  # fmt: skip
    layer(name, 3, return_state=True, unroll=True, activation="relu")
    layer(name, 3, return_sequences=True, return_state=True, call={"initial_state": states})
    penalty = {} if name == "SimpleRNN" else {"activity_regularizer": "l1"}  # which forgets it
    layer(name, 3, zero_output_for_mask=True, return_sequences=True, **penalty, **REGULAR)
    layer(name, 3, dropout=0.3, seed=1, how=DROPPED)
    layer(name, 3, stateful=True, on=SERIES)
    layer(f"{name}Cell", 3, on=(ROWS, states))
    layer(f"{name}Cell", 3, use_bias=False, activation="relu", on=(ROWS, states), **REGULAR)
    layer(f"{name}Cell", 3, recurrent_dropout=0.4, on=(ROWS, states), how=DROPPED)
layer("GRU", 3, reset_after=False, recurrent_activation="hard_sigmoid")
layer("GRUCell", 3, reset_after=False, on=(ROWS, [STATE]))
layer("LSTM", 3, unit_forget_bias=False, recurrent_activation="tanh")
layer("LSTMCell", 3, unit_forget_bias=False, on=(ROWS, [STATE, 2 * STATE]))

built("RNN", "cell", lambda k, **m: k.layers.RNN(k.layers.GRUCell(3), return_sequences=True, **m))
built(
    "RNN", "cells",
    lambda k, **m: k.layers.RNN(
        [k.layers.LSTMCell(3), k.layers.SimpleRNNCell(2)], return_state=True, unroll=True, **m),
)  # fmt: skip
ONE = "Keras loses a level of the states of a single cell, and JAX refuses"
built(
    "RNN", "one of a list",
    lambda k, **m: k.layers.RNN([k.layers.LSTMCell(3)], return_state=True, **m),
    how={"differs": {"values": ONE, "half": ONE, "masks": ONE}},
)  # fmt: skip
built(
    "RNN", "backwards",
    lambda k, **m: k.layers.RNN(
        k.layers.SimpleRNNCell(3), go_backwards=True, zero_output_for_mask=True,
        return_sequences=True, **m),
)  # fmt: skip
built(
    "StackedRNNCells", "two",
    lambda k, **m: k.layers.StackedRNNCells([k.layers.LSTMCell(3), k.layers.GRUCell(2)], **m),
    on=(ROWS, [[STATE, 2 * STATE], numbers(2, 2)]),
)  # fmt: skip
built(
    "StackedRNNCells", "one",
    lambda k, **m: k.layers.StackedRNNCells([k.layers.SimpleRNNCell(3)], **m), on=(ROWS, [STATE]),
)  # fmt: skip


def bidirectional(label: str, inner: str, how: Any = None, merge: Any = "concat", **kwargs: Any):
    built(
        "Bidirectional", label,
        lambda k, **m: k.layers.Bidirectional(
            getattr(k.layers, inner)(3, **kwargs), merge_mode=merge, **m),
        how=how,
    )  # fmt: skip


for merge in ("concat", "sum", "mul", "ave", None):
    bidirectional(f"lstm-{merge}", "LSTM", merge=merge, return_sequences=True)
bidirectional("gru-state", "GRU", return_state=True)
bidirectional("simple-sum", "SimpleRNN", merge="sum")
bidirectional("dropout", "LSTM", dropout=0.4, how=DROPPED)
built(
    "Bidirectional", "two layers",
    lambda k, **m: k.layers.Bidirectional(
        k.layers.LSTM(3), backward_layer=k.layers.GRU(3, go_backwards=True), **m),
)  # fmt: skip
built("TimeDistributed", "dense",
      lambda k, **m: k.layers.TimeDistributed(k.layers.Dense(3, "tanh"), **m))  # fmt: skip
built("TimeDistributed", "conv",
      lambda k, **m: k.layers.TimeDistributed(k.layers.Conv1D(2, 2), **m), on=IMAGE)  # fmt: skip
built("TimeDistributed", "batch",
      lambda k, **m: k.layers.TimeDistributed(k.layers.BatchNormalization(), **m))  # fmt: skip

FRAMES = {1: numbers(2, 3, 5, 2), 2: numbers(2, 3, 4, 5, 2), 3: numbers(1, 2, 3, 4, 3, 2)}
TURNED = {r: np.ascontiguousarray(np.moveaxis(x, -1, 2)) for r, x in FRAMES.items()}
# Where shapes happen to fit it takes the mask along other axes.
BROKEN = {"masks: results": "Keras does not broadcast the mask over space"}
CONV = {"differs": BROKEN}
for rank, x in FRAMES.items():
    name = f"ConvLSTM{rank}D"
    conv = CONV if len(x) > 1 else {}  # a batch of one fits anything
    layer(name, 2, 2, on=x, how=conv)
    layer(name, 2, 2, return_sequences=True, return_state=True, padding="same", on=x, how=conv)
    layer(
        name, 2, 2, data_format="channels_first", unit_forget_bias=False, on=TURNED[rank], how=conv
    )
    layer(name, 2, 2, strides=2, go_backwards=True, use_bias=False, on=x, how=conv)
layer("ConvLSTM1D", 2, 2, stateful=True, on=FRAMES[1], how=CONV)
layer("ConvLSTM2D", 3, (2, 3), strides=(2, 1), padding="same", on=FRAMES[2], how=CONV)
layer("ConvLSTM2D", 2, 2, dilation_rate=2, on=FRAMES[2], how=CONV, **REGULAR)
layer("ConvLSTM2D", 2, 2, dropout=0.3, recurrent_dropout=0.3, on=FRAMES[2], how={**CONV, **DROPPED})

# -- attention

QUERY, VALUE, KEY = numbers(2, 3, 4), numbers(2, 5, 4), numbers(5, 2, 4).reshape(2, 5, 4)
KEYS = np.array([[True, True, False, True, False], [True, False, True, True, True]])
SEEN = np.array([[[1, 1, 0, 0, 1], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]]] * 2, bool)
for use_scale in (False, True):
    for mode in ("dot", "concat"):
        layer("Attention", use_scale=use_scale, score_mode=mode, on=[QUERY, VALUE])
layer("Attention", on=[QUERY, VALUE, KEY], use_scale=True, score_mode="concat",
      call={"return_attention_scores": True})  # fmt: skip
layer("Attention", on=[QUERY, VALUE], call={"use_causal_mask": True, "mask": [None, KEYS]})
layer("Attention", dropout=0.4, seed=2, on=[QUERY, VALUE], how=DROPPED)
layer("AdditiveAttention", on=[QUERY, VALUE, KEY])
layer("AdditiveAttention", on=[QUERY, numbers(2, 5, 7), KEY],
      call={"return_attention_scores": True})  # fmt: skip
layer("AdditiveAttention", use_scale=False, on=[QUERY, VALUE], call={"mask": [None, KEYS]})
layer("AdditiveAttention", on=[QUERY, VALUE], call={"use_causal_mask": True})
layer("AdditiveAttention", dropout=0.4, on=[QUERY, VALUE], how=DROPPED)
SQUARE = "Keras infers scores of queries against queries"
layer("MultiHeadAttention", 2, 3, on=(QUERY, VALUE))
layer("MultiHeadAttention", 2, 3, value_dim=2, use_bias=False, output_shape=5,
      on=(QUERY, VALUE, KEY), call={"use_causal_mask": True, "return_attention_scores": True},
      how={"differs": {"policies": SQUARE, "symbolic": SQUARE}})  # fmt: skip
layer("MultiHeadAttention", 2, 3, on=(QUERY, VALUE), call={"attention_mask": SEEN})
layer("MultiHeadAttention", 2, 3, on=(QUERY, VALUE), call={"value_mask": KEYS},
      kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2")  # fmt: skip
layer(
    "MultiHeadAttention", 2, 3, attention_axes=(1, 2), on=(numbers(2, 3, 4, 5), numbers(2, 3, 4, 5))
)
layer("MultiHeadAttention", 2, 3, use_gate=True, sliding_window=2, on=(QUERY, QUERY.copy()))
layer("MultiHeadAttention", 2, 3, dropout=0.4, seed=1, on=(QUERY, VALUE), how=DROPPED)
# Of the layers within, which take no masks.
WARNS = {"differs": {"masks: lost": "Keras warns of a mask that it has taken into account"}}
layer("GroupQueryAttention", 3, 4, 2, on=(QUERY, VALUE), how=WARNS)
layer("GroupQueryAttention", 3, 2, 1, use_bias=False, on=(QUERY, VALUE, KEY),
      call={"return_attention_scores": True}, how=WARNS)  # fmt: skip
layer("GroupQueryAttention", 3, 4, 2, use_gate=True, sliding_window=2, on=(QUERY, QUERY.copy()),
      call={"use_causal_mask": True}, kernel_regularizer="l2", how=WARNS)  # fmt: skip
layer("GroupQueryAttention", 3, 4, 4, on=(QUERY, VALUE), call={"attention_mask": SEEN}, how=WARNS)
layer("GroupQueryAttention", 3, 4, 2, dropout=0.4, seed=1, on=(QUERY, VALUE),
      how={**DROPPED, **WARNS})  # fmt: skip
