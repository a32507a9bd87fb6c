"""Arguments that layers took in earlier releases."""

from __future__ import annotations

from ..changes.layers import (
    embedding_length,
    initial_weights,
    input_shape_of_sequences,
    order_of_add_weight,
    pool_of_two,
)  # fmt: skip
from ..row import Row

__all__ = ["ROWS"]

_RECURRENT = Row(
    second={"implementation": None, "time_major": None},
    change=input_shape_of_sequences,
)
_POOLING = Row(order={2: "pool_size strides padding data_format"}, change=pool_of_two)
_NORMALIZATION = Row(
    second=dict.fromkeys(
        [
            "fused",
            "virtual_batch_size",
            "adjustment",
            "renorm",
            "renorm_clipping",
            "renorm_momentum",
        ]
    )
)

ROWS: dict[str, Row] = {
    "AveragePooling1D": _POOLING,
    "AveragePooling2D": _POOLING,
    "AveragePooling3D": _POOLING,
    "Layer": Row(second={"dynamic": None}, change=initial_weights),
    "InputLayer": Row(
        second={"batch_input_shape": "batch_shape", "type_spec": None}
    ),
    "Embedding": Row(second={"sparse": None}, change=embedding_length),
    "SimpleRNN": _RECURRENT,
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "RNN": Row(second={"time_major": None}, change=input_shape_of_sequences),
    "SimpleRNNCell": Row(second={"implementation": None}),
    "LSTMCell": Row(second={"implementation": None}),
    "GRUCell": Row(second={"implementation": None}),
    "CuDNNLSTM": _RECURRENT,
    "CuDNNGRU": _RECURRENT,
    "Conv1D": Row(change=input_shape_of_sequences),
    "BatchNormalization": _NORMALIZATION,
    "LeakyReLU": Row(second={"alpha": "negative_slope"}),
    "Stateful.add_weight": Row(
        second=dict.fromkeys(["partitioner", "use_resource", "synchronization", "getter",
                              "experimental_autocast", "collections"]),
        order={2: order_of_add_weight},
    ),
    "LossTracking.add_loss": Row(second={"losses": "loss", "inputs": None}),
}  # fmt: skip
