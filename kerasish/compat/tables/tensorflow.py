"""What the names of `tensorflow` beside `tensorflow.keras` are here.

Namespace, then name, then target; a target without a colon is a value. `"ops:sum x axis"` is an op
of ours with TensorFlow's names for its arguments in our order: `axis=-1` gives a default, `~x`
is taken and left out, `text:tile` names the function of NumPy that does the same for text.
"""

from __future__ import annotations

from .tensorflow_rooms import FIRST, ROOMS, own

__all__ = ["RECORDED", "SIZES", "TENSORFLOW"]

# Modules whose functions are one node each for the functional API's symbolic tensors.
RECORDED = (
    "arrays",
    "control",
    "image",
    "image_color",
    "image_measures",
    "linalg",
    "math",
    "nn",
    "signal",
)

# What programs compute sizes with: of whole numbers that are known, it is known while tracing too.
SIZES = frozenset([
    "add", "cast", "concat", "divide", "expand_dims", "gather", "math.add", "math.floordiv",
    "math.floormod", "math.maximum", "math.minimum", "math.multiply", "math.reduce_prod",
    "math.reduce_sum", "math.subtract", "maximum", "minimum", "multiply", "reduce_max",
    "reduce_min", "reduce_prod", "reduce_sum", "reshape", "reverse", "split", "squeeze",
    "stack", "subtract",
])  # fmt: skip


def _ops(arguments: str, names: str) -> dict[str, str]:
    """Names, or `name=name of ours`, of ops with these arguments."""
    pairs = [n.partition("=")[::2] for n in names.split()]
    return {name: f"ops:{ours or name} {arguments}" for name, ours in pairs}


_MATH: dict[str, str | None] = {
    **_ops("x", """
        acos=arccos acosh=arccosh asin=arcsin asinh=arcsinh atan=arctan atanh=arctanh ceil conj
        cos cosh digamma erf erfc erfinv exp expm1 floor is_finite=isfinite is_inf=isinf
        is_nan=isnan log log1p log_sigmoid logical_not negative reciprocal rint=round round rsqrt
        sigmoid sign sin sinh sqrt square tan tanh abs bessel_i0=i0
    """),
    **_ops("x y", """
        atan2=arctan2 floordiv=floor_divide greater greater_equal less less_equal logical_and
        logical_or logical_xor maximum minimum mod multiply pow=power subtract
        divide_no_nan floormod=mod
    """),
    **_ops("input", "imag real"),
    "atan2": "ops:arctan2 y x",
    "nextafter": "ops:nextafter x1 x2",
    "softplus": "ops:softplus features",
    "softsign": "ops:softsign features",
    **own("math", """
        accumulate_n add add_n angle argmax argmin bincount confusion_matrix count_nonzero
        cumprod cumsum cumulative_logsumexp divide equal erfcinv in_top_k
        invert_permutation is_non_decreasing is_strictly_increasing l2_normalize lbeta lgamma
        log_softmax multiply_no_nan ndtri not_equal polygamma polyval reciprocal_no_nan reduce_all
        reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean reduce_min
        reduce_prod reduce_std reduce_sum reduce_variance segment_max segment_mean segment_min
        segment_prod segment_sum softmax squared_difference top_k truediv=divide
        unsorted_segment_max unsorted_segment_mean
        unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum
        xdivy xlog1py xlogy zero_fraction
    """),
}  # fmt: skip

_LINALG: dict[str, str | None] = {
    "cholesky": "ops:cholesky input",
    "det": "ops:det input",
    "tensordot": "ops:tensordot a b axes",
    **own("linalg", """
        adjoint band_part cholesky_solve cross diag diag_part eigh eigvalsh einsum expm inv logdet
        lstsq matmul matrix_transpose matvec norm normalize pinv qr set_diag slogdet solve svd
        tensor_diag tensor_diag_part trace triangular_solve
    """),
    **own("math", "global_norm l2_normalize"),
    **own("values", "eye"),
}  # fmt: skip

_NN: dict[str, str | None] = {
    **_ops("features", "elu relu relu6 selu softplus softsign"),
    **_ops("x", "sigmoid tanh"),
    "gelu": "ops:gelu features approximate=False",
    "leaky_relu": "ops:leaky_relu features alpha=0.2",
    **own("math", """
        in_top_k l2_normalize log_softmax softmax top_k zero_fraction
    """),
    **own("nn", """
        atrous_conv2d avg_pool avg_pool1d=avg_pool avg_pool2d=avg_pool avg_pool3d=avg_pool
        batch_normalization bias_add compute_average_loss conv1d conv1d_transpose conv2d
        conv2d_transpose conv3d conv3d_transpose conv_transpose convolution crelu ctc_loss
        depth_to_space depthwise_conv2d dropout embedding_lookup l2_loss
        local_response_normalization log_poisson_loss lrn=local_response_normalization max_pool
        max_pool1d=max_pool max_pool2d=max_pool max_pool3d=max_pool moments pool
        scale_regularization_loss separable_conv2d sigmoid_cross_entropy_with_logits silu
        softmax_cross_entropy_with_logits space_to_depth
        sparse_softmax_cross_entropy_with_logits swish=silu
        weighted_cross_entropy_with_logits weighted_moments
    """),
}  # fmt: skip

_DTYPES = """
    bfloat16 bool=bool_ complex64 complex128 double float16 float32 float64 half int8 int16 int32
    int64 string uint8 uint16 uint32 uint64
"""
# What `tf` has of `tf.math` by themselves.
_SHORT = [
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "cumsum",
    "divide",
    "equal",
    "exp",
    "floor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "pow",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "truediv",
]

# Of TensorFlow 1, without `tf.math`.
_FIRST_MATH = [
    "ceil",
    "conj",
    "digamma",
    "erf",
    "imag",
    "is_finite",
    "is_inf",
    "is_nan",
    "lgamma",
    "log",
    "log1p",
    "log_sigmoid",
    "real",
    "reciprocal",
    "rint",
    "rsqrt",
    "squared_difference",
    "top_k",
]

TENSORFLOW: dict[str, dict[str, str | None]] = {
    "": {
        **own("dtypes", _DTYPES),
        **own("dtypes", "DType as_dtype"),
        **{name: _MATH[name] for name in _SHORT},
        "__version__": "2.15.0",
        "newaxis": None,
        **own("values", """
            IndexedSlices RaggedTensor SparseTensor
            Tensor TensorShape TensorSpec Variable bitcast cast complex=complex_ constant
            convert_to_tensor ensure_shape eye fill get_static_value identity identity_n
            is_symbolic_tensor is_tensor linspace ones ones_like range=range_ rank saturate_cast
            shape size zeros zeros_like
        """),
        **own("arrays", """
            argsort boolean_mask broadcast_dynamic_shape=broadcast_static_shape
            broadcast_static_shape broadcast_to concat dynamic_partition dynamic_stitch gather
            gather_nd meshgrid one_hot pad repeat reshape reverse reverse_sequence roll scatter_nd
            searchsorted sequence_mask slice=slice_ sort split stack strided_slice
            tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min
            tensor_scatter_nd_sub tensor_scatter_nd_update transpose unique unique_with_counts
            unravel_index unstack where
        """),
        "expand_dims": "ops:expand_dims input axis=-1 text:expand_dims",
        "squeeze": "ops:squeeze input axis text:squeeze",
        "tile": "ops:tile input multiples text:tile",
        "realdiv": "ops:divide x y",
        "truncatemod": "ops:fmod x y",
        "tensordot": _LINALG["tensordot"],
        **own("linalg", "einsum matmul norm"),
        **own("math", """
            clip_by_global_norm clip_by_norm clip_by_value histogram_fixed_width
            histogram_fixed_width_bins truncatediv
        """),
        **{room: f"{room}:" for room in ("initializers", "losses", "metrics", "optimizers")},
        "constant_initializer": "initializers:Constant",
        "ones_initializer": "initializers:Ones",
        "random_normal_initializer": "initializers:RandomNormal",
        "random_uniform_initializer": "initializers:RandomUniform",
        "zeros_initializer": "initializers:Zeros",
        "GradientTape": "autodiff:GradientTape",
        "custom_gradient": "autodiff:custom_gradient",
        "stop_gradient": "ops:stop_gradient input",
        **own("control", """
            case cond device executing_eagerly foldl foldr function group map_fn
            control_dependencies=scope init_scope=scope name_scope=NameScope no_op numpy_function
            py_function recompute_grad scan switch_case vectorized_map while_loop
        """),
        **own("system", "UnconnectedGradients get_logger print=print_"),
        **own("modules", "Module"),
        **own("tensor_array", "TensorArray"),
        **own("random", "set_random_seed=set_seed"),
        **FIRST,
        **own("random", """
            random_normal=normal random_uniform=uniform random_shuffle=shuffle truncated_normal
        """),
        **{name: _MATH[name] for name in _FIRST_MATH},
        **own("linalg", "matrix_inverse=inv"),
        "matrix_determinant": _LINALG["det"],
        **own("values", "to_double to_float to_int32 to_int64"),
        **own("debugging", """
            Assert=assert_that assert_equal assert_greater assert_less assert_rank
        """),
    },
    "math": _MATH,
    "nn": _NN,
    "linalg": _LINALG,
    "dtypes": {
        **own("dtypes", _DTYPES),
        **own("dtypes", "DType as_dtype"),
        **own("values", "cast complex=complex_ saturate_cast"),
    },
    "train": {
        **own("train", "Checkpoint CheckpointManager get_checkpoint_state latest_checkpoint"),
        **ROOMS["compat.v1.train"],
    },
    **ROOMS,
}  # fmt: skip
