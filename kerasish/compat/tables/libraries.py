"""Paths and names of the libraries that came with earlier releases: preprocessing, wrappers.

Rows as in `paths` and `names`, which take these in.
"""

from __future__ import annotations

__all__ = ["JOINING", "LIBRARY_NAMES", "LIBRARY_PATHS"]

LIBRARY_PATHS: dict[str, tuple[str, ...]] = {
    "initializations": ("compat.initializations", "initializers"),
    "preprocessing.text": ("compat.text",),
    "wrappers.scikit_learn": ("compat.scikit_learn",),
    "applications.mobilenetv2": ("applications.mobilenet_v2",),
    "utils.conv_utils": ("compat.utils.conv_utils",),
    "utils.data_utils": ("compat.utils.data_utils", "utils"),
    "utils.generic_utils": ("compat.utils.generic_utils", "utils"),
    "utils.io_utils": ("compat.hdf5",),
    "utils.layer_utils": ("compat.utils.layer_utils",),
    "utils.np_utils": ("compat.utils.np_utils", "utils"),
    "utils.test_utils": ("compat.utils.test_utils",),
    "utils.vis_utils": ("utils",),
    "utils.visualize_util": ("utils",),
}

_DATASETS = "keras.utils.image_dataset_from_directory"
_RANDOM = "layers such as keras.layers.Random"
# Names of `preprocessing.image`, with what does it today.
_IMAGE = {
    "ImageDataGenerator": f"{_DATASETS} and {_RANDOM}Flip", "DirectoryIterator": _DATASETS,
    "DataFrameIterator": "a keras.utils.PyDataset", "Iterator": "a keras.utils.PyDataset",
    "NumpyArrayIterator": "a keras.utils.PyDataset", "apply_affine_transform": None,
    "apply_brightness_shift": None, "apply_channel_shift": None,
    "apply_transform": None, "list_pictures": "pathlib.Path.rglob", "flip_axis": "np.flip",
    "random_brightness": f"{_RANDOM}Brightness", "random_channel_shift": None,
    "random_rotation": f"{_RANDOM}Rotation", "random_shear": f"{_RANDOM}Shear",
    "random_shift": f"{_RANDOM}Translation", "random_zoom": f"{_RANDOM}Zoom",
    "transform_matrix_offset_center": None,
}  # fmt: skip
_DRAWING: dict[str, str | tuple[str, str | None]] = {
    "plot": "utils:plot_model", "to_graph": "utils:model_to_dot",
}  # fmt: skip

JOINING = "keras.layers.Concatenate, Add, Multiply, Average, Maximum or Dot"
_BATCH_METRICS = {
    "precision": "keras.metrics.Precision", "recall": "keras.metrics.Recall",
    "fbeta_score": "keras.metrics.FBetaScore", "fmeasure": "keras.metrics.F1Score",
    "fscore": "keras.metrics.F1Score", "f1score": "keras.metrics.F1Score",
    "matthews_correlation": None,
}  # fmt: skip
_REGULARIZERS = {
    "L1L2Regularizer": "L1L2",
    "ActivityRegularizer": "L1L2", "WeightRegularizer": "L1L2", "activity_l1": "L1",
    "activity_l1l2": "L1L2", "activity_l2": "L2", "l1l2": "L1L2",
}  # fmt: skip

LIBRARY_NAMES: dict[str, dict[str, str | tuple[str, str | None]]] = {
    "preprocessing.image": {name: (f"compat.image:{name}", new) for name, new in _IMAGE.items()},
    "preprocessing.sequence": {
        "TimeseriesGenerator": (
            "compat.sequence:TimeseriesGenerator", "keras.utils.timeseries_dataset_from_array",
        ),
        "make_sampling_table": ("compat.sequence:make_sampling_table", None),
        "skipgrams": ("compat.sequence:skipgrams", None),
    },
    "utils": {
        **{
            name: (f"compat.utils.data_utils:{name}", "keras.utils.PyDataset(workers=...)")
            for name in ("GeneratorEnqueuer", "OrderedEnqueuer", "SequenceEnqueuer")
        },
        "convert_all_kernels_in_model": (
            "compat.utils.layer_utils:convert_all_kernels_in_model", None,
        ),
        "layer_from_config": (
            "compat.utils.layer_utils:layer_from_config", "keras.layers.deserialize",
        ),
        "print_summary": ("compat.utils.layer_utils:print_summary", "model.summary()"),
    },
    "backend": {
        "legacy_weight_ordering": ("compat.ordering:legacy_weight_ordering", None),
        "set_legacy_weight_ordering": ("compat.ordering:set_legacy_weight_ordering", None),
        "lesser": "backend:less",
        "lesser_equal": "backend:less_equal",
        "asymmetric_temporal_padding": (
            "compat.ordering:asymmetric_temporal_padding", "K.temporal_padding",
        ),
        "asymmetric_spatial_2d_padding": (
            "compat.ordering:asymmetric_spatial_2d_padding", "K.spatial_2d_padding",
        ),
        "deconv2d": "backend:conv2d_transpose",
        "image_dim_ordering": ("compat.ordering:image_dim_ordering", "K.image_data_format"),
        "set_image_dim_ordering": (
            "compat.ordering:set_image_dim_ordering", "K.set_image_data_format",
        ),
    },
    "engine.training": {"slice_X": ("compat.utils.generic_utils:slice_arrays", None)},
    "layers": {
        "time_distributed_dense": (
            "compat.layers.first:time_distributed_dense", "keras.ops.matmul",
        ),
        "Merge": ("compat.layers.merge:Merge", JOINING),
        "merge": ("layers.merge", None),
        "Highway": ("compat.layers.first:Highway", None),
        "MaxoutDense": ("compat.layers.first:MaxoutDense", None),
        "ParametricSoftplus": ("compat.layers.first:ParametricSoftplus", None),
        "SReLU": ("compat.layers.first:SReLU", None),
        "TimeDistributedDense": (
            "compat.layers.first:TimeDistributedDense", "keras.layers.Dense",
        ),
    },
    "models": {"Graph": ("compat.gone:Graph", "keras.Model(inputs, outputs)")},
    "metrics": {
        **{name: (f"compat.batch_metrics:{name}", new) for name, new in _BATCH_METRICS.items()},
        "cosine_proximity": "losses:cosine_similarity",
    },
    "optimizers": {"optimizer_from_config": "optimizers:deserialize"},
    "regularizers": {
        **{
            name: (f"compat.regularizers:{name}", f"keras.regularizers.{new}")
            for name, new in _REGULARIZERS.items()
        },
        "EigenvalueRegularizer": ("compat.regularizers:EigenvalueRegularizer", None),
    },
    "utils.vis_utils": _DRAWING,
    "utils.visualize_util": _DRAWING,
}  # fmt: skip
