"""Arguments that Keras 1 had: rows that join those of the other tables.

`_NAMES` are the renamings that hold for most layers; each row takes those that it names.
"""

from __future__ import annotations

from typing import Any

from ..changes import first as change
from ..changes.generators import batches_for_samples
from ..initializations import as_initializer
from ..row import Row, one_of

__all__ = ["ROWS"]

_ORDERING = (
    "data_format",
    one_of({"th": "channels_first", "tf": "channels_last", "default": None}),
)
_NAMES: dict[str, Any] = {
    "output_dim": "units",
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "init": ("kernel_initializer", as_initializer),
    "inner_init": ("recurrent_initializer", as_initializer),
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "atrous_rate": "dilation_rate",
    "dim_ordering": _ORDERING,
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": None,
    "forget_bias_init": (
        "unit_forget_bias", lambda value: getattr(value, "__name__", value) in ("one", "ones"),
    ),
}  # fmt: skip


def _take(names: str, **more: Any) -> dict[str, Any]:
    return {name: _NAMES[name] for name in names.split()} | more


_DENSE = "init W_regularizer b_regularizer W_constraint b_constraint bias"
_CONV = f"nb_filter {_DENSE} border_mode subsample dim_ordering atrous_rate"
_WEIGHTS = "weights W_regularizer b_regularizer activity_regularizer W_constraint b_constraint bias"
_SPACE = "init activation weights border_mode subsample dim_ordering " + _WEIGHTS[8:]


def _conv(sides: str, more: str = "", **first: Any) -> Row:
    """A convolution whose kernel's sides were arguments of their own."""
    return Row(
        first=_take(_CONV, **first),
        order={1: change.order_of_conv2d(f"{sides} {more}{_SPACE}")},
        change=change.joined_kernel(*sides.split()),
    )


_CONV_1D = Row(
    first=_take(f"{_CONV} filter_length subsample_length"),
    order={
        1: change.order_of_conv1d(
            f"init activation weights border_mode subsample_length {_WEIGHTS[8:]}"
        )
    },
)
_ORDERED = Row(first=_take("dim_ordering"))
_POOL = Row(first=_take("border_mode dim_ordering"))
# The mean over squares of 2 was the default, as the largest of them still is.
_AVERAGE = Row(
    first=_take("border_mode dim_ordering"),
    order=dict.fromkeys((1, 2), "pool_size strides padding data_format"),
    change=change.pool_of_two,
)
_POOL_1D = Row(first=_take("border_mode", pool_length="pool_size", stride="strides"))
_BACKEND = _take("border_mode dim_ordering", filter_dilation="dilation_rate") | dict.fromkeys(
    ("image_shape", "filter_shape", "volume_shape")
)
_K_CONV = Row(first=_BACKEND)
# The output came first.
_K_LOSS = Row(order={1: "output target from_logits"})
_CELL = "output_dim init inner_init W_regularizer U_regularizer b_regularizer dropout_W dropout_U"
_OVER_TIME = (
    "W_regularizer U_regularizer b_regularizer dropout_W dropout_U return_sequences go_backwards "
    "stateful unroll consume_less"
)


def _recurrent(names: str, inner: str, defaults: Any) -> Row:
    return Row(
        first=_take(f"{_CELL} consume_less {names}"),
        order={1: change.order(f"init inner_init {inner} {_OVER_TIME}")},
        change=defaults,
    )


_GATES = "inner_activation"
_NOISE = Row(first={"p": "rate"})
_MODEL = Row(first={"input": "inputs", "output": "outputs"})
_WORKERS = {
    "max_q_size": "max_queue_size", "nb_worker": "workers", "pickle_safe": "use_multiprocessing",
}  # fmt: skip
_COUNTED = Row(
    first=_WORKERS,
    order={1: "self generator val_samples max_queue_size workers use_multiprocessing"},
    change=batches_for_samples(val_samples=("generator", "steps")),
)
_EPOCHS = {"nb_epoch": "epochs", "show_accuracy": None}

ROWS: dict[str, Row] = {
    "Layer": Row(first={"input_dtype": None}),
    "InputLayer": Row(first={"input_dtype": "dtype"}),
    # dense
    "Dense": Row(
        first=_take(f"output_dim {_DENSE}"),
        order={1: change.order(f"init activation {_WEIGHTS} input_dim")},
    ),
    "TimeDistributedDense": Row(
        first=_take(f"output_dim {_DENSE}"),
        order={1: change.order(f"init activation {_WEIGHTS} input_dim input_length")},
    ),
    "MaxoutDense": Row(
        first=_take(f"output_dim {_DENSE}"),
        order={1: f"output_dim nb_feature init {_WEIGHTS} input_dim"},
    ),
    "Highway": Row(
        first=_take(_DENSE, transform_bias=None),
        order={1: f"init activation {_WEIGHTS} input_dim"},
    ),
    "Embedding": Row(
        first={
            "init": ("embeddings_initializer", as_initializer),
            "W_regularizer": "embeddings_regularizer",
            "W_constraint": "embeddings_constraint",
            "dropout": None,
        }
    ),
    "Dropout": _NOISE,
    "SpatialDropout1D": _NOISE,
    "SpatialDropout2D": Row(first={"p": "rate", "dim_ordering": _ORDERING}),
    "SpatialDropout3D": Row(first={"p": "rate", "dim_ordering": _ORDERING}),
    "GaussianDropout": _NOISE,
    "GaussianNoise": Row(first={"sigma": "stddev"}),
    "PReLU": Row(first={"init": ("alpha_initializer", as_initializer)}),
    "BatchNormalization": Row(
        first={
            "mode": None,
            "beta_init": ("beta_initializer", as_initializer),
            "gamma_init": ("gamma_initializer", as_initializer),
        },
        order={1: change.order_of_normalization},
    ),
    # convolutions
    "Conv1D": _CONV_1D,
    "LocallyConnected1D": _CONV_1D,
    "Conv2D": _conv("nb_row nb_col"),
    "LocallyConnected2D": _conv("nb_row nb_col"),
    "SeparableConv2D": _conv("nb_row nb_col"),
    "Conv2DTranspose": _conv("nb_row nb_col", "output_shape ", output_shape=None),
    "Conv3D": _conv("kernel_dim1 kernel_dim2 kernel_dim3"),
    "ConvLSTM2D": Row(
        first=_take(
            f"{_CELL} {_GATES} forget_bias_init border_mode subsample dim_ordering nb_filter"
        ),
        order={
            1: change.order_of_conv2d(
                "nb_row nb_col init inner_init forget_bias_init activation inner_activation"
            )
        },
        change=change.joined_kernel("nb_row", "nb_col"),
    ),
    # pooling, padding, enlarging
    "MaxPooling1D": _POOL_1D,
    "AveragePooling1D": _AVERAGE.joined(_POOL_1D),
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _AVERAGE,
    "MaxPooling3D": _POOL,
    "AveragePooling3D": _AVERAGE,
    "GlobalMaxPooling2D": _ORDERED,
    "GlobalAveragePooling2D": _ORDERED,
    "GlobalMaxPooling3D": _ORDERED,
    "GlobalAveragePooling3D": _ORDERED,
    "UpSampling1D": Row(first={"length": "size"}),
    "UpSampling2D": _ORDERED,
    "UpSampling3D": _ORDERED,
    "ZeroPadding1D": Row(change=change.padding_by_name),
    "ZeroPadding2D": Row(first=_take("dim_ordering"), change=change.padding_by_name),
    "ZeroPadding3D": _ORDERED,
    "Cropping2D": _ORDERED,
    "Cropping3D": _ORDERED,
    # over time
    "SimpleRNN": _recurrent("", "activation", None),
    "LSTM": _recurrent(
        f"{_GATES} forget_bias_init", f"forget_bias_init activation {_GATES}",
        change.recurrent_defaults,
    ),
    "GRU": _recurrent(_GATES, f"activation {_GATES}", change.gru_defaults),
    # the backend's functions
    "arrays.resize_images": _ORDERED,
    "arrays.resize_volumes": _ORDERED,
    "arrays.spatial_2d_padding": _ORDERED,
    "arrays.spatial_3d_padding": _ORDERED,
    "nn.binary_crossentropy": _K_LOSS,
    "nn.categorical_crossentropy": _K_LOSS,
    "nn.conv2d": _K_CONV,
    "nn.conv2d_transpose": _K_CONV,
    "nn.conv3d": _K_CONV,
    "nn.pool2d": _K_CONV,
    "nn.pool3d": _K_CONV,
    "nn.separable_conv2d": _K_CONV,
    "nn.sparse_categorical_crossentropy": _K_LOSS,
    # constraints
    "MaxNorm": Row(first={"m": "max_value"}),
    "MinMaxNorm": Row(first={"low": "min_value", "high": "max_value"}),
    # models
    "Model": _MODEL,
    "Functional": _MODEL,
    "model.__new__": _MODEL,
    "Trainer.compile": Row(first={"class_mode": None, "theano_mode": None}),
    "Trainer.fit": Row(first=_EPOCHS, change=change.epochs_of_then),
    "models.fit_generator": Row(
        first={**_WORKERS, "nb_epoch": "epochs"},
        order={
            1: "self generator samples_per_epoch nb_epoch verbose callbacks validation_data "
            "nb_val_samples class_weight max_q_size nb_worker pickle_safe initial_epoch"
        },
        change=batches_for_samples(
            samples_per_epoch=("generator", "steps_per_epoch"),
            nb_val_samples=("validation_data", "validation_steps"),
        ),
    ),
    "models.evaluate_generator": _COUNTED,
    "models.predict_generator": _COUNTED,
    "Trainer.evaluate": Row(first={"show_accuracy": None}),
}  # fmt: skip
