"""Native kernels that move and select: equal to the generic ones, element by element."""

import numpy as np
import pytest
from native_harness import run_lowered, spread

import kerasish_core as core
from kerasish_core.ops._keys import thaw

MOVES = ("concatenate", "pad", "roll", "gather", "index_set", "segment_max")
ORDERS = ("argmax", "argmin", "sort", "argsort", "top_k_indices", "searchsorted")
SUMS = ("index_add", "cumsum", "cumprod")
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SLICE = ("slice", None, None, None)


def expected(name, arrays, attrs):
    with np.errstate(all="ignore"):  # as the executors do
        return np.asarray(core.REGISTRY[name].kernel(np, *map(np.asarray, arrays), **attrs))


def check(native, name, arrays, attrs, ulps=0):
    """Dense and strided operands, with one thread and with two."""
    arrays = [np.asarray(a) for a in arrays]
    wanted = expected(name, arrays, attrs)
    for operands in (arrays, [spread(a) for a in arrays]):
        found = []
        for threads in (1, 2):
            native.set_threads(threads)
            got = run_lowered(native, name, operands, attrs)
            assert got is not None, f"{name} was not lowered for {arrays[0].dtype}"
            found.append(got)
        assert (found[0].shape, found[0].dtype) == (wanted.shape, wanted.dtype)
        assert found[0].tobytes() == found[1].tobytes()
        if ulps and core.dtypes.is_float(wanted.dtype):
            eps = float(core.dtypes.limits(wanted.dtype).eps)
            got, want = (a.astype("float64") for a in (found[0], wanted))
            scale = max(1.0, float(np.max(np.abs(want), initial=0)))
            np.testing.assert_allclose(got, want, rtol=0, atol=ulps * eps * scale)
        else:
            assert_same(found[0], wanted)


def assert_same(got, wanted):
    """Equal elements; of half types as float64, since NaN of bfloat16 differ for NumPy."""
    if core.dtypes.is_float(wanted.dtype):
        got, wanted = got.astype("float64"), wanted.astype("float64")
    np.testing.assert_array_equal(got, wanted)


def samples(name, dtype=None):
    """The op's own samples, their floating arrays in another dtype."""
    for arrays, attrs in core.REGISTRY[name].samples(np.random.default_rng(5)):
        arrays = [np.asarray(a) for a in arrays]
        if dtype is not None:
            kind = core.dtypes.as_dtype(dtype)
            arrays = [
                (a * 8).astype("int64").astype(kind) if a.dtype == np.float64 else a
                for a in arrays
            ]  # fmt: skip
        yield arrays, attrs


@pytest.mark.parametrize("name", (*MOVES, *ORDERS, *SUMS))
def test_samples(native, instruction_sets, name):
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for arrays, attrs in samples(name):
            check(native, name, arrays, attrs, ulps=2 if name in SUMS else 0)


@pytest.mark.parametrize("dtype", (*FLOATS, *INTEGERS))
def test_dtypes(native, dtype):
    for name in (*MOVES, *ORDERS, *SUMS):
        for arrays, attrs in samples(name, dtype):
            check(native, name, arrays, attrs)


def test_booleans_and_complex_numbers_move(native):
    rng = np.random.default_rng(0)
    for x in (rng.random((3, 4)) < 0.5, rng.normal(size=(3, 4)) * 1j):
        check(native, "concatenate", [x, x], {"axis": 1})
        check(native, "gather", [x, np.array([2, 5])], {"key": (("tensor", 0),), "fill": "nan"})
        check(native, "index_set", [x, x[:2], np.array([2, 0])], {"key": (("tensor", 0),)})
    check(native, "argmax", [rng.random((3, 4)) < 0.5], {"axis": 0, "keepdims": False})
    check(native, "segment_max", [np.array([True, False]), np.array([1, 1])], {"num_segments": 3})


# -- joining, padding, rolling


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge"])
def test_pad(native, mode):
    rng = np.random.default_rng(1)
    for shape, widths in [
        ((5,), ((7, 9),)), ((1, 4), ((3, 2), (0, 0))), ((2, 3, 4), ((0, 0), (2, 2), (0, 1))),
        ((2, 6, 5, 3), ((0, 0), (1, 2), (3, 0), (0, 0))), ((3,), ((0, 0),)),
    ]:  # fmt: skip
        for dtype in ("float32", "uint8", "bfloat16"):
            x = (rng.normal(size=shape) * 40).astype("int64").astype(core.dtypes.as_dtype(dtype))
            check(native, "pad", [x], {"pad_width": widths, "mode": mode, "value": 7})


def test_pad_keeps_the_bits_of_its_value(native):
    x = np.ones(2, "float32")
    for value in (-0.0, np.nan, np.inf, 0.1):
        attrs = {"pad_width": ((1, 2),), "mode": "constant", "value": value}
        assert run_lowered(native, "pad", [x], attrs).tobytes() == (
            expected("pad", [x], attrs).tobytes()
        )


def test_what_a_lowering_declines(native):
    attrs = {"pad_width": ((1, 0),), "mode": "edge"}
    assert run_lowered(native, "pad", [np.zeros(0)], attrs) is None
    attrs = {"pad_width": ((1, 0),), "mode": "constant", "value": 300}
    assert run_lowered(native, "pad", [np.zeros(2, "uint8")], attrs) is None
    assert run_lowered(native, "sort", [np.zeros(2, "complex64")], {"axis": 0}) is None
    attrs = {"key": (("tensor", 0),)}
    arrays = [np.zeros(2, bool), np.ones(1, bool), np.zeros(1, "int32")]
    assert run_lowered(native, "index_add", arrays, attrs) is None


def test_roll(native):
    x = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    for shift, axis in [((1,), (0,)), ((-7, 4), (2, 1)), ((2, 2, 1), (2, 2, 0)), ((0,), (1,))]:
        check(native, "roll", [x], {"shift": shift, "axis": axis})


def test_concatenate(native):
    rng = np.random.default_rng(2)
    for axis in range(3):
        shapes = [tuple(n if a == axis else 4 for a in range(3)) for n in (1, 5, 0, 2)]
        check(native, "concatenate", [rng.normal(size=s) for s in shapes], {"axis": axis})
    many = [rng.normal(size=(3, 1)) for _ in range(200)]
    check(native, "concatenate", many, {"axis": 1})


# -- copies between layouts


def strided_copy(native, x):
    out = np.full(x.shape, 77).astype(x.dtype)
    steps = [s // x.itemsize for s in x.strides]
    native.call("strided_copy", [x, out], [x.itemsize, x.ndim, *x.shape, *steps])
    return out


def test_copies_between_layouts(native, instruction_sets):
    rng = np.random.default_rng(3)
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for dtype in ("int8", "int16", "float32", "float64", "complex128"):
            for trial in range(60):
                rank = int(rng.integers(0, 5))
                shape = tuple(rng.integers(1, [70, 12, 150][trial % 3] if rank < 3 else 9, rank))
                x = np.resize(np.arange(1, 20000), shape).astype(dtype)
                x = x.transpose(rng.permutation(rank))
                steps = rng.choice([1, 1, 2, -1], rank).tolist()
                x = x[(..., *(slice(None, None, step) for step in steps))]
                np.testing.assert_array_equal(strided_copy(native, x), x)


def test_large_copies_are_equal_for_any_number_of_threads(native):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(700, 900)).astype("float32")
    for view in (x, x.T, x[::-1, ::2], np.broadcast_to(x[:1], x.shape), x.reshape(70, 10, 9, 100)
                 .transpose(0, 2, 1, 3)):  # fmt: skip
        for threads in (1, 2, 3):
            native.set_threads(threads)
            np.testing.assert_array_equal(strided_copy(native, view), view)


# -- indexing

KEYS = [
    (("tensor", 0),),
    (SLICE, ("tensor", 0)),
    (SLICE, SLICE, ("tensor", 0)),
    (("tensor", 0), ("tensor", 1)),
    (("tensor", 0), SLICE, ("tensor", 1)),
    (SLICE, ("tensor", 1), ("tensor", 0)),
    (1, SLICE, ("tensor", 0)),
    (SLICE, ("tensor", 0), -2),
    (None, ("tensor", 0), ("ellipsis",)),
    (("slice", 3, 0, -1), ("tensor", 0), ("slice", 1, None, 2)),
    (("slice", None, None, 2), ("ellipsis",), ("tensor", 0)),
]  # fmt: skip


def index_arrays(rng, key, shape, low, high):
    count = max(p[1] for p in key if isinstance(p, tuple) and p[0] == "tensor") + 1
    shapes = [(), (7,), (3, 1), (2, 3, 7)] if count == 1 else [(3, 1), (7,)]
    if count == 1:
        return [[rng.integers(low, high, s)] for s in shapes]
    return [[rng.integers(low, high, s) for s in shapes], [rng.integers(low, high, (4,))] * 2]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("dtype", ["int32", "int64", "int8"])
def test_index_forms(native, key, dtype):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(5, 6, 4)).astype("float32")
    for low, high, options in ((-4, 4, {}), (-9, 9, {"fill": "nan"})):
        for arrays in index_arrays(rng, key, x.shape, low, high):
            arrays = [a.astype(dtype) for a in arrays]
            attrs = {"key": key, **options}
            check(native, "gather", [x, *arrays], attrs)
            part = np.shape(x[thaw(key, [a % 4 for a in arrays])])
            attrs = {"key": key, **({"drop": True} if options else {})}
            values = rng.integers(-9, 9, part).astype("float32")
            check(native, "index_add", [np.round(x), values, *arrays], attrs)
            check(native, "index_set", [x, values, *arrays], attrs)


def test_static_keys(native):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(5, 6, 4))
    for key in ((2,), (("slice", 4, 1, -2), ("ellipsis",), 1), (SLICE, None, ("slice", 0, 0, None)),
                ()):  # fmt: skip
        part = x[thaw(key, ())].shape
        check(native, "index_add", [x, rng.normal(size=part)], {"key": key}, ulps=1)
        check(native, "index_set", [x, rng.normal(size=part)], {"key": key})


def test_fill_values(native):
    for dtype in (*FLOATS, *INTEGERS, "bool"):
        x = np.ones(3, core.dtypes.as_dtype(dtype))
        for fill in ("nan", "zero"):
            attrs = {"key": (("tensor", 0),), "fill": fill}
            check(native, "gather", [x, np.array([3, -3, -4])], attrs)


def test_an_index_out_of_range_is_an_error(native):
    x = np.zeros((4, 3), "float32")
    for index in (4, -5):
        at = np.array([0, index])
        with pytest.raises(IndexError, match="out of range"):
            run_lowered(native, "gather", [x, at], {"key": (("tensor", 0),)})
        for name in ("index_add", "index_set"):
            with pytest.raises(IndexError, match="out of range"):
                run_lowered(native, name, [x, np.zeros((2, 3), "float32"), at],
                            {"key": (("tensor", 0),)})  # fmt: skip
    check(native, "gather", [x, np.array([3])], {"key": (("tensor", 0),)})


def test_empty_arrays(native):
    rows = {"key": (("tensor", 0),), "fill": "nan"}
    none, x = np.zeros((0, 3)), np.zeros((4, 3))
    check(native, "gather", [none, np.array([0, 1])], rows)
    check(native, "gather", [x, np.zeros(0, "int32")], rows)
    check(native, "gather", [x[:, :0], np.array([1, 9])], rows)
    for name in ("index_add", "index_set"):
        attrs = {"key": (("tensor", 0),), "drop": True}
        check(native, name, [x, none, np.zeros(0, "int32")], attrs)
        check(native, name, [none, np.zeros((2, 3)), np.array([0, 1])], attrs)
    check(native, "segment_max", [none, np.zeros(0, "int32")], {"num_segments": 2})
    check(native, "concatenate", [none, none], {"axis": 0})
    check(native, "roll", [none], {"shift": (1,), "axis": (0,)})
    check(native, "pad", [none], {"pad_width": ((1, 1), (0, 0)), "mode": "constant", "value": 1})
    for name in ("sort", "argsort"):
        check(native, name, [none], {"axis": 0})
        check(native, name, [none], {"axis": 1})
    check(native, "argmax", [none], {"axis": 1, "keepdims": False})
    check(native, "cumsum", [none], {"axis": 0, "reverse": True})
    check(native, "top_k_indices", [x], {"k": 0})
    check(native, "top_k_indices", [x[:0]], {"k": 2})
    check(native, "searchsorted", [none[:, 0], x], {"side": "left"})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bfloat16"])
def test_gradient_of_an_embedding(native, instruction_sets, dtype):
    """Rows added to zeros that a program broadcasts: large enough to be cut among threads."""
    rng = np.random.default_rng(8)
    shape, count = (3000, 128), 2000
    zeros = np.broadcast_to(np.zeros((), core.dtypes.as_dtype(dtype)), shape)
    at = rng.integers(-shape[0], shape[0] + 20, (40, count // 40)).astype("int32")
    at[:, :5] = 7  # a row that many share
    values = rng.integers(-3, 4, (*at.shape, shape[1])).astype(zeros.dtype)
    wanted = expected("index_add", [zeros, values, at], {"key": (("tensor", 0),), "drop": True})
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for threads in (1, 2):
            native.set_threads(threads)
            got = run_lowered(native, "index_add", [zeros, values, at],
                              {"key": (("tensor", 0),), "drop": True})  # fmt: skip
            np.testing.assert_array_equal(got, wanted)


def test_duplicates_add_up_in_the_order_of_the_index(native):
    values = np.array([1e8, 1.0, -1e8, 1.0], "float32")
    at = np.zeros(4, "int32")
    got = run_lowered(native, "index_add", [np.zeros(3, "float32"), values, at],
                      {"key": (("tensor", 0),)})  # fmt: skip
    one = np.float32
    assert got[0] == ((one(1e8) + one(1)) + one(-1e8)) + one(1)


# -- order


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "uint8"])
def test_extremes(native, instruction_sets, dtype):
    rng = np.random.default_rng(9)
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for shape in ((3, 5), (2, 300, 3), (4, 1), (1000,), (2, 70, 600)):
            x = rng.integers(0, 60, shape).astype(core.dtypes.as_dtype(dtype))
            for axis in range(len(shape)):
                for name in ("argmax", "argmin"):
                    check(native, name, [x], {"axis": axis, "keepdims": axis == 0})


@pytest.mark.parametrize("dtype", FLOATS)
def test_zeros_and_nan_in_extremes(native, dtype):
    tiny = float(core.dtypes.limits(dtype).smallest_normal)
    rows = [[0.0, -0.0], [-0.0, 0.0], [1, np.nan, np.nan], [-np.inf, np.inf, -np.inf],
            [-0.0, -tiny, 0.0], [-tiny, -0.0], [np.nan] * 100 + [1.0], [1.0] * 99 + [np.nan],
            [-0.0] * 90]  # fmt: skip
    for row in rows:
        x = np.array(row, core.dtypes.as_dtype(dtype))
        for name in ("argmax", "argmin"):
            check(native, name, [x], {"axis": 0, "keepdims": False})
            check(native, name, [np.stack([x, x], 1)], {"axis": 0, "keepdims": False})


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_sorting(native, dtype):
    rng = np.random.default_rng(10)
    kind = core.dtypes.as_dtype(dtype)
    for n in (1, 2, 15, 16, 33, 400, 511, 513, 3000):
        x = rng.integers(-50 if kind.kind != "u" else 0, 50, (2, n, 2)).astype(kind)
        if core.dtypes.is_float(kind):
            x.reshape(-1)[rng.integers(0, x.size, n // 4)] = np.nan
            x.reshape(-1)[rng.integers(0, x.size, n // 4)] = -0.0
            x.reshape(-1)[rng.integers(0, x.size, 2)] = [np.inf, -np.inf]
        check(native, "argsort", [x], {"axis": 1})
        check(native, "sort", [x], {"axis": 1})
        last = np.ascontiguousarray(x.swapaxes(1, 2))
        for k in {1, min(5, n), n}:
            check(native, "top_k_indices", [last], {"k": k})


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
def test_searching(native, side, dtype):
    rng = np.random.default_rng(11)
    rows = np.sort(rng.integers(0, 40, 30)).astype(dtype)
    values = rng.integers(0, 45, (7, 9)).astype(dtype)
    if dtype.startswith("f"):
        rows[-2:], values[0, :2] = np.nan, [np.nan, -0.0]
    check(native, "searchsorted", [rows, values], {"side": side})


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums_and_products(native, instruction_sets, name):
    rng = np.random.default_rng(12)
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for dtype in ("float32", "float64", "float16", "bfloat16", "int8", "uint32"):
            x = rng.normal(size=(3, 40, 5)) * 3
            x = x.astype("int64").astype(core.dtypes.as_dtype(dtype))
            for axis in range(3):
                for reverse in (False, True):
                    check(native, name, [x], {"axis": axis, "reverse": reverse})


@pytest.mark.parametrize("dtype", FLOATS)
def test_logsumexp(native, instruction_sets, dtype):
    rng = np.random.default_rng(13)
    kind = core.dtypes.as_dtype(dtype)
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for shape in ((3, 5), (2, 700, 3), (2, 3, 700), (), (4, 0), (0, 4)):
            x = (rng.normal(size=shape) * 20).astype(kind)
            for axes in {(), *((a,) for a in range(len(shape))), tuple(range(len(shape)))}:
                for keepdims in (False, True):
                    attrs = {"axes": axes, "keepdims": keepdims}
                    check(native, "logsumexp", [x], attrs, ulps=2)


def test_logsumexp_of_special_numbers(native):
    rows = [[-np.inf, -np.inf], [np.inf, 1], [np.nan, 1], [1, np.nan], [-np.inf, 3], [1e4, 1e4]]
    for x in (np.array(rows, "float32"), np.array(rows).T.copy()):
        axis = int(x.shape[0] == 2)
        attrs = {"axes": (1 - axis,), "keepdims": False}
        got = run_lowered(native, "logsumexp", [x], attrs)
        wanted = expected("logsumexp", [x], attrs)
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_logsumexp_of_axes_that_are_no_neighbours_is_declined(native):
    attrs = {"axes": (0, 2), "keepdims": False}
    assert run_lowered(native, "logsumexp", [np.zeros((2, 3, 4))], attrs) is None
