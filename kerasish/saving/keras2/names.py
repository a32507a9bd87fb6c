"""Names of Keras 1 and 2 that Keras 3 spells otherwise."""

from __future__ import annotations

__all__ = [
    "KERAS_1_PENALTIES",
    "MODULES",
    "RENAMED_ARGUMENTS",
    "RENAMED_CLASSES",
    "ROOMS_BY_ENDING",
]

RENAMED_CLASSES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D", "ThresholdedReLU": "ReLU",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization", "GRUV2": "GRU", "LSTMV2": "LSTM",
    "DenseFeaturesV2": "DenseFeatures", "Policy": "DTypePolicy", "PolicyV1": "DTypePolicy",
    "TimeDistributedDense": "Dense",
}  # fmt: skip

# Where a class without a module is to be found, if its name alone does not say it.
MODULES = {
    "DTypePolicy": ("keras", "DTypePolicy"),
    "Functional": ("keras.src.models.functional", "Functional"),
}

ROOMS_BY_ENDING = {
    "_initializer": "keras.initializers",
    "_regularizer": "keras.regularizers",
    "_constraint": "keras.constraints",
}

# Argument by class; "" is for all. The first half is Keras 2's, the second Keras 1's.
RENAMED_ARGUMENTS = {
    "": {
        "init": "kernel_initializer", "W_regularizer": "kernel_regularizer",
        "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
        "b_constraint": "bias_constraint", "border_mode": "padding", "subsample": "strides",
        "subsample_length": "strides", "nb_filter": "filters", "filter_length": "kernel_size",
        "inner_init": "recurrent_initializer", "inner_activation": "recurrent_activation",
        "U_regularizer": "recurrent_regularizer", "dropout_W": "dropout",
        "dropout_U": "recurrent_dropout", "atrous_rate": "dilation_rate",
    },
    "Dense": {"output_dim": "units"},
    "LSTM": {"output_dim": "units"},
    "GRU": {"output_dim": "units"},
    "SimpleRNN": {"output_dim": "units"},
    "Embedding": {
        "dropout": "_dropout", "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer", "W_constraint": "embeddings_constraint",
    },
    "Dropout": {"p": "rate"},
    "SpatialDropout1D": {"p": "rate"},
    "SpatialDropout2D": {"p": "rate"},
    "SpatialDropout3D": {"p": "rate"},
    "GaussianDropout": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "ReLU": {"theta": "threshold"},
    "MaxPooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "AveragePooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "UpSampling1D": {"length": "size"},
    "BatchNormalization": {
        "beta_init": "beta_initializer", "gamma_init": "gamma_initializer",
    },
}  # fmt: skip

# How configs of Keras 1 name regularizers and constraints: the class, and renamed arguments.
KERAS_1_PENALTIES: dict[str, tuple[str, dict[str, str]]] = {
    "ActivityRegularizer": ("L1L2", {}),
    "WeightRegularizer": ("L1L2", {}),
    "MaxNorm": ("MaxNorm", {"m": "max_value"}),
    "NonNeg": ("NonNeg", {}),
    "UnitNorm": ("UnitNorm", {}),
}
