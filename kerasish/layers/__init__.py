"""Layers."""

import importlib
from typing import Any

from .. import older as _older
from ..serialization import deserialize_keras_object, serialize_keras_object
from .activations import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .attention import *
from .base import Layer
from .convolutional.conv import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
)  # fmt: skip
from .convolutional.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from .convolutional.separable import SeparableConv1D, SeparableConv2D
from .core.dense import Dense
from .core.einsum_dense import EinsumDense
from .core.embedding import Embedding
from .core.input_layer import Input, InputLayer
from .core.reversible_embedding import ReversibleEmbedding
from .core.simple import Activation, Identity, Lambda, Masking
from .input_spec import InputSpec
from .merging import *
from .normalization import (
    BatchNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)  # fmt: skip
from .normalization.group import GroupNormalization
from .normalization.spectral import SpectralNormalization
from .pooling import *
from .preprocessing import *
from .regularization import *
from .reshaping import *
from .rnn import *

Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalMaxPool3D, GlobalAvgPool3D = GlobalMaxPooling3D, GlobalAveragePooling3D


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer's class and config, from which `deserialize` makes one like it."""
    return serialize_keras_object(layer)


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Layer:
    """The layer of a config.

    Raises:
        ValueError: It is that of something else.
    """
    made = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(made, Layer):
        raise ValueError(
            "`keras.layers.deserialize` was passed a `config` object that is not a "
            f"`keras.layers.Layer`. Received: {config}"
        )
    return made


# Layers beyond Keras's, which load when first used.
_DISTRIBUTION = {
    "DistributionLambda", "IndependentBernoulli", "IndependentLogistic", "IndependentNormal",
    "IndependentPoisson", "MixtureLogistic", "MixtureNormal", "OneHotCategorical", "TanhNormal",
}  # fmt: skip


# Those of other frameworks.
_FOREIGN = {"FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"}


def __getattr__(name: str) -> Any:
    if name in _FOREIGN:
        return getattr(importlib.import_module(".foreign", __name__), name)
    if name in _DISTRIBUTION:
        return getattr(importlib.import_module(".distribution", __name__), name)
    return _older.names(__name__)(name)
