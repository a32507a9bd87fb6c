"""Modules below `keras.src`, which are Keras's own files: programs import from them all the same.

`FILES` are those of Keras 3.15. A name is looked for in `NAMES` and in the rooms, for the path
itself and then for those above it. Targets as in `names`; a path stands for the room of the same
path where `ROOMS` has no row.
"""

from __future__ import annotations

__all__ = ["BACKENDS", "FILES", "NAMES", "ROOMS"]

# What stands beside `backend.common`, one of each name for each of Keras's backends.
BACKENDS = "jax numpy openvino tensorflow torch"

_FILES = {
    "": "activations api_export applications backend callbacks constraints distillation "
    "distribution dtype_policies export initializers layers legacy losses metrics models ops "
    "optimizers quantizers random regularizers saving trainers tree utils version visualization "
    "wrappers",
    "activations": "activations",
    "applications": "convnext densenet efficientnet efficientnet_v2 imagenet_utils "
    "inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 mobilenet_v3 nasnet resnet resnet_v2 "
    "vgg16 vgg19 xception",
    "backend": f"config common {BACKENDS}",
    "backend.common": "backend_utils dtypes global_state keras_tensor masking name_scope remat "
    "stateless_scope symbolic_scope tensor_attributes variables",
    "callbacks": "backup_and_restore callback callback_list csv_logger early_stopping history "
    "lambda_callback learning_rate_scheduler model_checkpoint monitor_callback orbax_checkpoint "
    "progbar_logger reduce_lr_on_plateau remote_monitor swap_ema_weights tensorboard "
    "terminate_on_nan",
    "constraints": "constraints",
    "distillation": "distillation_loss distiller",
    "distribution": "distribution_lib",
    "dtype_policies": "dtype_policy dtype_policy_map",
    "export": "export_utils litert onnx openvino saved_model tf2onnx_lib tfsm_layer torch",
    "initializers": "constant_initializers initializer random_initializers",
    "layers": "input_spec layer activations attention convolutional core merging normalization "
    "pooling preprocessing regularization reshaping rnn",
    "layers.activations": "activation elu leaky_relu prelu relu softmax",
    "layers.attention": "additive_attention attention grouped_query_attention multi_head_attention",
    "layers.convolutional": "base_conv base_conv_transpose base_depthwise_conv "
    "base_separable_conv conv1d conv1d_transpose conv2d conv2d_transpose conv3d conv3d_transpose "
    "depthwise_conv1d depthwise_conv2d separable_conv1d separable_conv2d",
    "layers.core": "dense einsum_dense embedding identity input_layer lambda_layer masking "
    "reversible_embedding wrapper",
    "layers.merging": "add average base_merge concatenate dot maximum minimum multiply subtract",
    "layers.normalization": "batch_normalization group_normalization layer_normalization "
    "rms_normalization spectral_normalization unit_normalization",
    "layers.pooling": "adaptive_average_pooling1d adaptive_average_pooling2d "
    "adaptive_average_pooling3d adaptive_max_pooling1d adaptive_max_pooling2d "
    "adaptive_max_pooling3d average_pooling1d average_pooling2d average_pooling3d "
    "base_adaptive_pooling base_global_pooling base_pooling global_average_pooling1d "
    "global_average_pooling2d global_average_pooling3d global_max_pooling1d global_max_pooling2d "
    "global_max_pooling3d max_pooling1d max_pooling2d max_pooling3d",
    "layers.preprocessing": "category_encoding data_layer discretization feature_space "
    "hashed_crossing hashing image_preprocessing index_lookup integer_lookup mel_spectrogram "
    "normalization pipeline rescaling stft_spectrogram string_lookup text_vectorization "
    "tf_data_layer",
    "layers.preprocessing.image_preprocessing": "aug_mix auto_contrast "
    "base_image_preprocessing_layer bounding_boxes center_crop clahe cut_mix equalization "
    "max_num_bounding_box mix_up rand_augment random_brightness random_color_degeneration "
    "random_color_jitter random_contrast random_crop random_elastic_transform random_erasing "
    "random_flip random_gaussian_blur random_grayscale random_hue random_invert "
    "random_perspective random_posterization random_rotation random_saturation random_sharpness "
    "random_shear random_translation random_zoom resizing solarization",
    "layers.preprocessing.image_preprocessing.bounding_boxes": "bounding_box converters formats "
    "iou validation",
    "layers.regularization": "activity_regularization alpha_dropout dropout gaussian_dropout "
    "gaussian_noise spatial_dropout",
    "layers.reshaping": "cropping1d cropping2d cropping3d flatten permute repeat_vector reshape "
    "up_sampling1d up_sampling2d up_sampling3d zero_padding1d zero_padding2d zero_padding3d",
    "layers.rnn": "bidirectional conv_lstm conv_lstm1d conv_lstm2d conv_lstm3d dropout_rnn_cell "
    "gru lstm rnn simple_rnn stacked_rnn_cells time_distributed",
    "legacy": "backend layers losses preprocessing saving",
    "legacy.preprocessing": "image sequence text",
    "legacy.saving": "json_utils legacy_h5_format saving_options saving_utils serialization",
    "losses": "loss losses",
    "metrics": "accuracy_metrics confusion_metrics correlation_metrics f_score_metrics "
    "hinge_metrics iou_metrics metric metrics_utils probabilistic_metrics reduction_metrics "
    "regression_metrics",
    "models": "cloning functional model sequential variable_mapping",
    "ops": "core einops function image linalg math nn node numpy operation operation_utils "
    "symbolic_arguments",
    "optimizers": "adadelta adafactor adagrad adam adamax adamw base_optimizer ftrl lamb lion "
    "loss_scale_optimizer multi_optimizer muon nadam optimizer rmsprop schedule_free_adamw "
    "schedules sgd",
    "optimizers.schedules": "learning_rate_schedule",
    "quantizers": "awq awq_config awq_core gptq gptq_config gptq_core quantization_config "
    "quantizers utils",
    "random": "random seed_generator",
    "regularizers": "regularizers",
    "saving": "file_editor keras_saveable object_registration orbax_util saving_api saving_lib "
    "serialization_lib",
    "trainers": "compile_utils data_adapters epoch_iterator trainer",
    "trainers.data_adapters": "array_data_adapter array_slicing data_adapter data_adapter_utils "
    "generator_data_adapter grain_dataset_adapter py_dataset_adapter tf_dataset_adapter "
    "torch_data_loader_adapter",
    "tree": "dmtree_impl optree_impl torchtree_impl tree_api",
    "utils": "argument_validation audio_dataset_utils backend_utils code_stats config "
    "dataset_utils dtype_utils file_utils grain_utils image_dataset_utils image_utils io_utils "
    "jax_layer jax_utils model_visualization module_utils naming numerical_utils progbar "
    "python_utils rng_utils sequence_utils summary_utils text_dataset_utils tf_utils "
    "timeseries_dataset_utils torch_utils traceback_utils tracking",
    "visualization": "draw_bounding_boxes draw_segmentation_masks plot_bounding_box_gallery "
    "plot_image_gallery plot_segmentation_mask_gallery",
    "wrappers": "fixes sklearn_wrapper utils",
}
FILES = frozenset(
    f"{folder}.{file}" if folder else file
    for folder, files in _FILES.items()
    for file in files.split()
)

ROOMS: dict[str, tuple[str, ...]] = {
    # `keras.src.backend` has what operations are made of, `keras.backend` also Keras 2's `K`.
    "backend": ("ops", "backend"),
    "legacy.backend": ("backend",),
    "saving": ("saving", "models"),
    "trainers": ("utils", "models"),
}

_OWN = "compat.internals:"
_SHAPES = "compat.shapes:"
NAMES: dict[str, dict[str, str]] = {
    "": {"__version__": ":__version__", "keras_export": f"{_OWN}keras_export"},
    "activations": {"ALL_OBJECTS_DICT": "activations:_BY_NAME"},
    "applications.imagenet_utils": {"obtain_input_shape": f"{_SHAPES}obtain_input_shape"},
    "backend": {
        **{
            name: f"backend:{name}"
            for name in (
                "Variable", "KerasTensor", "backend", "clear_session", "epsilon", "floatx",
                "image_data_format", "is_float_dtype", "is_int_dtype", "is_keras_tensor",
                "name_scope", "result_type", "set_epsilon", "set_floatx", "set_image_data_format",
                "standardize_dtype",
            )
        },
        "DynamicBackend": f"{_OWN}DynamicBackend",
        "KerasVariable": "variable:Variable",
        "SeedGenerator": "random:SeedGenerator",
        "StatelessScope": "scopes:StatelessScope",
        "SymbolicScope": "scopes:SymbolicScope",
        "any_symbolic_tensors": f"{_OWN}any_symbolic_tensors",
        "compute_output_spec": "ops.symbolic:compute_output_spec",
        "current_path": "naming:current_path",
        "get_global_attribute": f"{_OWN}get_global_attribute",
        "get_keras_mask": f"{_OWN}get_keras_mask",
        "get_stateless_scope": "scopes:current_stateless_scope",
        "image": "ops.image",
        "in_stateless_scope": f"{_OWN}in_stateless_scope",
        "in_symbolic_scope": "scopes:in_symbolic_scope",
        "linalg": "ops.linalg",
        "math": "ops.math",
        "nn": "ops.nn",
        "numpy": "ops.numpy",
        "random": "random",
        "set_global_attribute": f"{_OWN}set_global_attribute",
        "set_keras_mask": f"{_OWN}set_keras_mask",
        "standardize_data_format": "config:standardize_data_format",
    },
    "distribution": {"distribution_lib": "distribution"},
    "initializers": {
        "RandomInitializer": "initializers.random:RandomInitializer",
        "compute_fans": "initializers.random:compute_fans",
    },
    "layers.convolutional": {
        "BaseConv": "layers.convolutional.base:AdaptableConv",
        "BaseConvTranspose": "layers.convolutional.conv:_ConvTranspose",
        "BaseDepthwiseConv": "layers.convolutional.conv:_Depthwise",
        "BaseSeparableConv": "layers.convolutional.separable:_Separable",
        "Conv": "layers.convolutional.base:AdaptableConv",
    },
    "layers.merging": {"Merge": "compat.layers.merging:_Merge"},
    "layers.pooling": {
        "BaseGlobalPooling": "layers.pooling:_GlobalPooling",
        "BasePooling": "layers.pooling:_Pooling",
    },
    "layers.preprocessing": {
        "BaseImagePreprocessingLayer": "layers.preprocessing.image.base:RandomImageLayer",
        "DataLayer": "layers.preprocessing.data_layer:DataLayer",
        "IndexLookup": "layers.preprocessing.lookup:IndexLookup",
        "TFDataLayer": "layers.preprocessing.data_layer:DataLayer",
    },
    "layers.rnn": {"DropoutRNNCell": f"{_OWN}DropoutRNNCell"},
    "losses": {
        "reduce_weighted_values": "losses.loss:reduce_weighted_values",
        "squeeze_or_expand_to_same_rank": "losses.loss:squeeze_or_expand_to_same_rank",
    },
    "metrics": {"confusion_matrix": f"{_OWN}confusion_matrix"},
    "ops": {
        "Function": "models.function:Function",
        **{
            name: f"{_SHAPES}{name}"
            for name in (
                "broadcast_shapes", "canonicalize_axis", "compute_conv_output_shape",
                "compute_conv_transpose_output_shape", "compute_pooling_output_shape",
                "reduce_shape", "to_tuple_or_list",
            )
        },
        "any_symbolic_tensors": f"{_OWN}any_symbolic_tensors",
        "get_source_inputs": "utils:get_source_inputs",
    },
    "backend.common": {
        name: f"{_SHAPES}{name}"
        for name in (
            "canonicalize_axis", "compute_conv_transpose_output_shape", "to_tuple_or_list",
        )
    },
    "optimizers": {"BaseOptimizer": "optimizers:Optimizer"},
    "random": {"draw_seed": f"{_OWN}draw_seed", "make_default_seed": f"{_OWN}make_default_seed"},
    "saving": {
        "H5IOStore": f"{_OWN}H5IOStore",
        "SafeModeScope": "serialization.safe_mode:safe_mode_scope",
        "in_safe_mode": "serialization.safe_mode:in_safe_mode",
    },
    "saving.saving_lib": {
        "load_model": f"{_OWN}load_model",
        "save_model": f"{_OWN}save_model",
    },
    "trainers": {
        "CompileLoss": "training.compile_utils:CompileLoss",
        "CompileMetrics": "training.compile_utils:CompileMetrics",
        "Trainer": "training.trainer:Trainer",
        "class_weight_to_sample_weights": "training.data:weights_of",
        "list_to_tuple": f"{_OWN}list_to_tuple",
        "train_validation_split": "training.data:train_validation_split",
    },
    "utils": {
        "DynamicBackend": f"{_OWN}DynamicBackend",
        "JaxLayer": "layers:JaxLayer",
        "TorchModuleWrapper": "layers:TorchModuleWrapper",
        "auto_name": "naming:auto_name",
        "default": f"{_OWN}default",
        "ensure_tensor": "ops:convert_to_tensor",
        "filter_traceback": f"{_OWN}unchanged",
        "in_grain_data_pipeline": f"{_OWN}in_grain_data_pipeline",
        "in_tf_graph": f"{_OWN}in_grain_data_pipeline",
        "is_default": f"{_OWN}is_default",
        "no_automatic_dependency_tracking": f"{_OWN}unchanged",
        "pythonify_logs": "training.loop:python_logs",
        "standardize_data_format": "config:standardize_data_format",
        "standardize_padding": f"{_SHAPES}standardize_padding",
        "standardize_tuple": "layers.convolutional.base:standardize_tuple",
        "to_list": f"{_OWN}to_list",
        "to_snake_case": "naming:to_snake_case",
        "uniquify": "naming:uniquify",
    },
}  # fmt: skip
