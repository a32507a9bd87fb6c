"""The smaller namespaces of `tensorflow`: pictures, text, files, data, random numbers, system."""

from __future__ import annotations

__all__ = ["FIRST", "ROOMS", "own"]


def own(module: str, names: str) -> dict[str, str | None]:
    """Names, or `name=name of ours`, in a module of `compat/tensorflow`."""
    pairs = [n.partition("=")[::2] for n in names.split()]
    return {name: f"compat.tensorflow.{module}:{ours or name}" for name, ours in pairs}


_DECODE = "decode_bmp decode_gif decode_image decode_jpeg decode_png encode_jpeg encode_png is_jpeg"
_GFILE = "GFile copy exists glob isdir listdir makedirs mkdir remove rename rmtree stat walk"
_ASSERTS = """
    Assert=assert_that assert_all_finite assert_equal assert_greater assert_greater_equal
    assert_integer assert_less assert_less_equal assert_near assert_negative assert_non_negative
    assert_non_positive assert_none_equal assert_positive assert_rank assert_rank_at_least
    assert_same_float_dtype assert_scalar assert_shapes assert_type check_numerics
    disable_check_numerics=nothing enable_check_numerics=nothing is_numeric_tensor
    set_log_device_placement=nothing
"""
_LOGGING = """
    DEBUG ERROR FATAL INFO WARN debug error fatal get_verbosity info set_verbosity
    warn=warning warning
"""
_DEVICES = """
    get_visible_devices list_logical_devices list_physical_devices set_visible_devices=nothing
"""
_RANDOM = """
    Generator categorical gamma get_global_generator normal poisson set_global_generator shuffle
    truncated_normal uniform
"""
_STATELESS = """
    stateless_categorical stateless_normal stateless_truncated_normal stateless_uniform
"""

# Of TensorFlow 1: sessions, graphs, and the modes that programs switch.
FIRST = {
    **own(
        "sessions",
        """
        ConfigProto GPUOptions=ConfigProto OptimizerOptions=ConfigProto Graph
        InteractiveSession=Session Session get_default_graph get_default_session placeholder
    """,
    ),
    **own("control", "global_variables_initializer=no_op initialize_all_variables=no_op"),
    **own("control", "local_variables_initializer=no_op tables_initializer=no_op"),
    **own(
        "system",
        """
        disable_control_flow_v2=nothing disable_eager_execution=nothing
        disable_resource_variables=nothing disable_v2_behavior=nothing
        disable_v2_tensorshape=nothing enable_control_flow_v2=nothing
        enable_eager_execution=nothing enable_resource_variables=nothing
        enable_v2_behavior=nothing reset_default_graph=nothing
    """,
    ),
}

ROOMS: dict[str, dict[str, str | None]] = {
    "random": {
        **own("random", "set_seed"),
        **own("random", "log_uniform_candidate_sampler"),
        **own("random", _RANDOM),
        **own("random", _STATELESS),
    },
    "random.experimental": own("random", """
        Generator get_global_generator set_global_generator stateless_fold_in stateless_shuffle
        stateless_split
    """),
    "image": {
        **own("image", """
            ResizeMethod central_crop convert_image_dtype crop_and_resize crop_to_bounding_box
            draw_bounding_boxes extract_patches flip_left_right flip_up_down image_gradients
            non_max_suppression pad_to_bounding_box resize resize_with_crop_or_pad
            resize_with_pad rot90 sobel_edges transpose
        """),
        **own("image_color", """
            adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation
            grayscale_to_rgb hsv_to_rgb per_image_standardization rgb_to_grayscale rgb_to_hsv
            rgb_to_yiq rgb_to_yuv yiq_to_rgb yuv_to_rgb
        """),
        **own("image_measures", "psnr ssim ssim_multiscale total_variation"),
        **own("image_random", """
            random_brightness random_contrast random_crop random_flip_left_right
            random_flip_up_down random_hue random_saturation stateless_random_brightness
            stateless_random_contrast stateless_random_crop stateless_random_flip_left_right
            stateless_random_flip_up_down stateless_random_hue stateless_random_saturation
        """),
        **own("files", _DECODE),
    },
    "io": own("files", f"{_DECODE} decode_csv decode_raw matching_files read_file write_file"),
    "io.gfile": own("files", _GFILE),
    "strings": own("strings", """
        as_string bytes_split format=format_ join length lower reduce_join regex_full_match
        to_hash_bucket_fast
        regex_replace split strip substr to_number unicode_split upper
    """),
    "data": {
        **own("values", "AUTOTUNE"),
        "Dataset": "utils.dataset:Dataset",
        "INFINITE_CARDINALITY": "utils.dataset:INFINITE",
        "UNKNOWN_CARDINALITY": "utils.dataset:UNKNOWN",
        **own("data", "Options TextLineDataset ThreadingOptions"),
    },
    "data.experimental": {
        **own("values", "AUTOTUNE"),
        "INFINITE_CARDINALITY": "utils.dataset:INFINITE",
        "UNKNOWN_CARDINALITY": "utils.dataset:UNKNOWN",
        **own("data", """
            AutoShardPolicy Counter DistributeOptions=Options assert_cardinality
            bucket_by_sequence_length cardinality choose_from_datasets enumerate_dataset
            get_single_element group_by_window ignore_errors sample_from_datasets scan take_while
            unique
        """),
    },
    "signal": own("signal", """
        fft fft2d frame hamming_window hann_window ifft ifft2d irfft rfft stft
    """),
    "nest": own("nest", """
        assert_same_structure flatten is_nested map_structure pack_sequence_as
    """),
    "debugging": own("debugging", _ASSERTS),
    "autograph": {
        **own("control", "to_graph=unchanged"),
        **own("system", "set_verbosity=nothing trace=nothing"),
    },
    "autograph.experimental": {
        **own("control", "do_not_convert=unchanged"),
        **own("system", "set_loop_options=nothing"),
    },
    "summary": {
        **own("system", """
            create_file_writer flush histogram=summary_histogram image=summary_image
            scalar=summary_scalar
        """),
    },
    "config": {
        **own("system", _DEVICES),
        **own("system", """
            LogicalDevice=PhysicalDevice LogicalDeviceConfiguration=DeviceConfiguration
            PhysicalDevice get_soft_device_placement=yes set_soft_device_placement=nothing
            set_logical_device_configuration=nothing
        """),
        **own("control", "functions_run_eagerly run_functions_eagerly"),
        **own("control", "experimental_run_functions_eagerly=run_functions_eagerly"),
        **own("system", "experimental_connect_to_cluster=nothing"),
    },
    "config.experimental": own("system", f"""
        {_DEVICES} enable_op_determinism=nothing enable_tensor_float_32_execution=nothing
        get_memory_growth=no set_memory_growth=nothing get_device_details
        VirtualDeviceConfiguration=DeviceConfiguration
        set_virtual_device_configuration=nothing
    """),
    "config.optimizer": own("system", """
        get_jit=empty set_experimental_options=nothing set_jit=nothing
    """),
    "config.threading": own("system", """
        get_inter_op_parallelism_threads=zero get_intra_op_parallelism_threads=zero
        set_inter_op_parallelism_threads=nothing set_intra_op_parallelism_threads=nothing
    """),
    "distribute": own("system", """
        MirroredStrategy=Strategy OneDeviceStrategy=Strategy Strategy get_strategy has_strategy=no
        in_cross_replica_context=yes ReduceOp
    """),
    "errors": own("system", """
        AbortedError AlreadyExistsError DataLossError DeadlineExceededError
        FailedPreconditionError InternalError InvalidArgumentError NotFoundError OpError
        OutOfRangeError PermissionDeniedError ResourceExhaustedError UnavailableError
        UnimplementedError UnknownError
    """),
    "test": own("system", """
        gpu_device_name is_built_with_cuda=no is_built_with_gpu_support=no
        is_built_with_rocm=no is_built_with_xla=no is_gpu_available
    """),
    "version": {
        "VERSION": "2.15.0", "COMPILER_VERSION": "", "GIT_VERSION": "kerasish",
    },
    "compat": own("strings", "as_bytes as_str as_str_any=as_str as_text=as_str"),
    "compat.v1": {**own("random", "set_random_seed=set_seed"), **FIRST},
    "compat.v1.train": own("train", """
        AdadeltaOptimizer AdagradOptimizer AdamOptimizer FtrlOptimizer GradientDescentOptimizer
        MomentumOptimizer RMSPropOptimizer
    """),
    "lookup": own("lookup", "KeyValueTensorInitializer StaticHashTable StaticVocabularyTable"),
    "audio": own("files", "decode_wav"),
    "distribute.cluster_resolver": own("system", "TPUClusterResolver"),
    "python.client.device_lib": own("system", "list_local_devices"),
    "logging": own("system", _LOGGING),
    "experimental.numpy": own("system", "experimental_enable_numpy_behavior=nothing"),
    "experimental.numpy.random": own("random", "seed=set_seed"),
}  # fmt: skip
ROOMS["bitwise"] = {
    name: f"ops:{ours} x y"
    for name, ours in (
        ("bitwise_and", "bitwise_and"), ("bitwise_or", "bitwise_or"),
        ("bitwise_xor", "bitwise_xor"), ("left_shift", "left_shift"),
        ("right_shift", "right_shift"),
    )
}  # fmt: skip
ROOMS["bitwise"]["invert"] = "ops:bitwise_not x"
