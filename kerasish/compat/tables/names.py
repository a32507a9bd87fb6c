"""Names that a module had: room, then name, then what it is.

A row is a target (`"layers:LSTM"`: that is also today's spelling), or a target and today's
spelling, None where there is none. Targets lie below `kerasish`; `"compat.x:Y"` is written anew.
"""

from __future__ import annotations

from .libraries import LIBRARY_NAMES

__all__ = ["NAMES"]

_GONE = "compat.gone:"

_LAYERS: dict[str, str | tuple[str, str | None]] = {
    "AbstractRNNCell": ("compat.layers.cells:AbstractRNNCell", "keras.layers.Layer"),
    "AtrousConv1D": "layers:Conv1D",
    "AtrousConv2D": "layers:Conv2D",
    "AtrousConvolution1D": "layers:Conv1D",
    "AtrousConvolution2D": "layers:Conv2D",
    "ConvLSTM2DCell": ("layers.convolutional.conv_lstm:ConvLSTMCell", "keras.layers.ConvLSTM2D"),
    "ConvRNN2D": "layers:ConvLSTM2D",
    "ConvRecurrent2D": "layers:ConvLSTM2D",
    "CuDNNGRU": ("compat.layers.cudnn:CuDNNGRU", "keras.layers.GRU"),
    "CuDNNLSTM": ("compat.layers.cudnn:CuDNNLSTM", "keras.layers.LSTM"),
    "Deconv2D": "layers:Conv2DTranspose",
    "Deconv3D": "layers:Conv3DTranspose",
    "Deconvolution2D": "layers:Conv2DTranspose",
    "Deconvolution3D": "layers:Conv3DTranspose",
    "DenseFeatures": (_GONE + "DenseFeatures", "keras.utils.FeatureSpace"),
    "LocallyConnected1D": ("compat.layers.local:LocallyConnected1D", None),
    "LocallyConnected2D": ("compat.layers.local:LocallyConnected2D", None),
    "Node": "ops.symbolic:Node",
    "PreprocessingLayer": "layers:Layer",
    "RandomHeight": ("compat.layers.stretching:RandomHeight", "keras.layers.RandomZoom"),
    "RandomWidth": ("compat.layers.stretching:RandomWidth", "keras.layers.RandomZoom"),
    "Recurrent": "layers:RNN",
    "ThresholdedReLU": (
        "compat.layers.thresholded:ThresholdedReLU", "keras.layers.ReLU(threshold=...)"
    ),
}  # fmt: skip

_SIZES = (
    "002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320",
)  # fmt: skip
_APPLICATIONS: dict[str, str | tuple[str, str | None]] = {
    **{
        name: (f"compat.applications.regnet:{name}", None)
        for name in (f"RegNet{kind}{size}" for kind in "XY" for size in _SIZES)
    },
    "_KERAS_BACKEND": "backend",
    "_KERAS_LAYERS": "layers",
    "_KERAS_MODELS": "models",
    "_KERAS_UTILS": "utils",
    "get_submodules_from_kwargs": (
        "compat.applications.submodules:get_submodules_from_kwargs",
        None,
    ),
    **{
        name: (f"compat.applications.resnet_rs:{name}", None)
        for name in (f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420))
    },
}

NAMES: dict[str, dict[str, str | tuple[str, str | None]]] = {
    "layers": _LAYERS,
    "applications": _APPLICATIONS,
    "applications.imagenet_utils": {
        "_obtain_input_shape": ("compat.shapes:obtain_input_shape", None),
        "obtain_input_shape": ("compat.shapes:obtain_input_shape", None),
    },
    "applications.mobilenet": {
        "DepthwiseConv2D": "layers:DepthwiseConv2D",
        "relu6": "activations:relu6",
    },
    "backend": {
        "learning_phase_scope": ("compat.phases:learning_phase_scope", "training=... of calls"),
    },
    "callbacks": {
        "SidecarEvaluatorModelExport": (_GONE + "SidecarEvaluatorModelExport", None),
        "BaseLogger": ("compat.callbacks:BaseLogger", None),
    },
    "constraints": {
        "RadialConstraint": ("compat.radial:RadialConstraint", None),
        "maxnorm": "constraints:MaxNorm",
        "nonneg": "constraints:NonNeg",
        "radial_constraint": ("compat.radial:RadialConstraint", None),
        "unitnorm": "constraints:UnitNorm",
    },
    "engine.network": {"Network": "models:Model"},
    "engine.topology": {"Container": "models:Model"},
    "engine": {"Container": "models:Model"},
    "initializers": {
        "normal": "initializers:RandomNormal",
        "one": "initializers:Ones",
        "uniform": "initializers:RandomUniform",
        "zero": "initializers:Zeros",
    },
    "layers.merge": {"_Merge": ("compat.layers.merging:_Merge", "keras.layers.Layer")},
    "losses": {
        "Reduction": ("compat.reduction:Reduction", 'reduction="sum_over_batch_size"'),
        "ReductionV2": ("compat.reduction:Reduction", 'reduction="sum_over_batch_size"'),
        "cosine": "losses:cosine_similarity",
        "huber_loss": "losses:huber",
        "is_categorical_crossentropy": ("compat.reduction:is_categorical_crossentropy", None),
    },
    "metrics": {
        "MeanRelativeError": ("compat.metrics:MeanRelativeError", None),
        "MeanTensor": ("compat.metrics:MeanTensor", None),
        "clone_metric": ("compat.metrics:clone_metric", None),
        "clone_metrics": ("compat.metrics:clone_metrics", None),
        "cosine": "losses:cosine_similarity",
        "cosine_similarity": "losses:cosine_similarity",
    },
    "mixed_precision.experimental": {"set_policy": "mixed_precision:set_global_policy"},
    "models": {
        "model_from_config": ("compat.models:model_from_config", "keras.Model.from_config"),
        "model_from_yaml": (_GONE + "model_from_yaml", "keras.models.model_from_json"),
    },
    "optimizers": {
        "TFOptimizer": (_GONE + "TFOptimizer", None),
        "clip_norm": ("compat.optimizers:clip_norm", None),
    },
    "optimizers.legacy": {
        "Adadelta": "optimizers:Adadelta",
        "Adamax": "optimizers:Adamax",
        "Nadam": "optimizers:Nadam",
    },
    "saving": {
        "model_from_yaml": (_GONE + "model_from_yaml", "keras.models.model_from_json"),
    },
    "utils": {
        "SidecarEvaluator": (_GONE + "SidecarEvaluator", None),
        "HDF5Matrix": ("compat.hdf5:HDF5Matrix", "h5py.Dataset"),
        "multi_gpu_model": ("compat.devices:multi_gpu_model", None),
    },
}  # fmt: skip
for _room, _rows in LIBRARY_NAMES.items():
    NAMES[_room] = NAMES.get(_room, {}) | _rows
