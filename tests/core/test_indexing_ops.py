"""Reading and writing parts of tensors: NumPy is the oracle."""

import numpy as np
import pytest
from finite_difference import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.ir import to_text
from kerasish_core.tracing import trace

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3, 5))
ROWS = np.array([0, 3, 3, -1])

KEYS = [
    0,
    -1,
    (1, 2),
    (1, 2, 3),
    slice(1, 3),
    slice(None, None, -2),
    slice(10, -10, -1),
    slice(2, 2),
    (slice(None), -1),
    Ellipsis,
    (Ellipsis, 0),
    (0, Ellipsis, 1),
    None,
    (None, 0, None, slice(1, None, 3), None),
    (Ellipsis, None),
    (),
    ROWS,
    [0, 2],
    [[0, 1], [2, 3]],
    [],
    (slice(None), np.array([2, 0])),
    (ROWS[:, None], np.array([2, 0])),
    (np.array([1, 2]), slice(None), np.array([0, 4])),  # the new axis goes in front
    (slice(None), np.array([1, 2]), np.array([0, 4])),  # it stays in place
    (0, slice(None), np.array([0, 4])),
    (slice(None), 0, np.array([0, 4])),
    (np.array([1, 2]), None, 0),
    (None, np.array([1, 2]), 0),
    (Ellipsis, np.array([1, 2])),
    (np.array([[1], [2]]), Ellipsis, np.array([0, 4, 4])),
    np.array(2),
    (slice(None), np.array(1)),
    (np.array(1), slice(None), np.array(2)),
    (np.array(1), slice(None), np.array([2])),
    X[:, 0, 0] > 0,
    X > 0,
    (X[..., 0] > 0, 0),
    (slice(None), np.array([True, False, True])),
    (Ellipsis, np.array([True, False, True, False, True])),
    [True, False, False, True],
    (np.array([True, False, True, True]), slice(None), [0, 1, 2]),
    np.zeros(4, bool),
]


def same(found, expected):
    assert isinstance(found, core.Tensor)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(found), expected)


def static(key):
    """Whether no index of the key is an array."""
    parts = key if isinstance(key, tuple) else (key,)
    return not any(isinstance(p, list | np.ndarray) for p in parts)


def masked(key):
    """Whether the key has a boolean mask."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(np.asarray(p).dtype == bool for p in parts if isinstance(p, list | np.ndarray))


def key_id(key):
    return repr(key)[:50]


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_getitem(key):
    x = core.convert(X)
    same(x[key], X[key])
    check_gradients(lambda x: x[key], X)


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_getitem_without_values(key):
    spec = core.eval_spec(lambda x: x[key], core.Spec(X.shape, X.dtype))
    assert spec == core.Spec(X[key].shape, X.dtype)


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_set_and_add(key):
    values = RNG.normal(size=X[key].shape)
    expected = X.copy()
    np.add.at(expected, key, values)
    found = ops.index_add(X, key, values)
    assert found.dtype == X.dtype
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)
    check_gradients(lambda x, v: ops.index_add(x, key, v), X, values)
    expected = X.copy()
    expected[key] = 7
    same(ops.setitem(X, key, 7), expected)


@pytest.mark.parametrize("key", [k for k in KEYS if not static(k) and not masked(k)], ids=key_id)
def test_traced_index_tensors(key):
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [np.asarray(p, int) for p in parts if isinstance(p, list | np.ndarray)]

    def step(x, *indices):
        remaining = list(indices)
        full = [remaining.pop(0) if isinstance(p, list | np.ndarray) else p for p in parts]
        return x[tuple(full)]

    same(core.compile_step(step)(X, *arrays), X[key])


def test_traced_mask():
    with pytest.raises(core.TraceError):
        core.eval_spec(
            lambda x, mask: x[mask], core.Spec((3,), np.dtype("f4")), core.Spec((3,), np.dtype("?"))
        )


def test_dynamic_scalar_index():
    step = core.compile_step(lambda x, i: x[i, :, i + 1])
    for i in (0, 2):
        same(step(X, np.int32(i)), X[i, :, i + 1])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (4, IndexError, "index 4 is out of range for axis 0 of size 4"),
        ((0, 0, -6), core.ShapeError, "index -6 is out of range for axis 2"),
        ((Ellipsis, 5), core.ShapeError, "out of bounds|out of range"),
        ((0, 0, 0, 0), core.ShapeError, "4 indices for a tensor of rank 3|too many indices"),
        ((Ellipsis, 0, Ellipsis), core.ShapeError, "Ellipsis"),
        (np.array([0, 4]), core.ShapeError, "index 4 is out of bounds"),
        ((np.array([0, 1]), np.array([0, 1, 2])), core.ShapeError, "broadcast"),
        (np.array([0.5]), core.DTypeError, "must be integers"),
        (np.array([True, False]), core.ShapeError, r"mask of shape \(2,\)"),
        (np.bool_(True), core.DTypeError, "single boolean"),
    ],
)
def test_bad_keys(key, error, message):
    with pytest.raises(error, match=message):
        core.convert(X)[key]


def test_iteration_ends():
    assert [float(v) for v in core.convert(np.arange(3.0))] == [0, 1, 2]


def test_writing_to_a_tensor_is_refused():
    x = core.convert(X)
    with pytest.raises(TypeError, match="slice_update"):
        x[0] = 1


# -- hypothesis: any basic or advanced key


@st.composite
def arrays_and_keys(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    key = list(draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True).map(
        lambda k: k if isinstance(k, tuple) else (k,)
    )))  # fmt: skip
    x = np.arange(np.prod(shape), dtype="float64").reshape(shape)
    block = draw(st.sampled_from([(), (2,), (3, 1), (1, 2)]))
    # Put index tensors in place of some of the ints and slices.
    axis = 0
    rank = len(shape)
    consuming = [p for p in key if p is not None and p is not Ellipsis]
    for i, part in enumerate(key):
        if part is None:
            continue
        if part is Ellipsis:
            axis = rank - len([p for p in key[i + 1 :] if p is not None])
            continue
        if draw(st.booleans()) and consuming:
            size = shape[axis]
            part_shape = draw(st.sampled_from([block, block[-1:], ()]))
            key[i] = draw(hnp.arrays(np.int64, part_shape, elements=st.integers(-size, size - 1)))
        axis += 1
    return x, tuple(key)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(arrays_and_keys())
def test_any_key(case):
    x, key = case
    expected = np.asarray(x[key])
    t = core.convert(x)
    same(t[key], expected)
    assert core.eval_spec(lambda t: t[key], t).shape == expected.shape
    weights = np.arange(1.0, 1 + expected.size).reshape(expected.shape)
    gradient = core.grad(lambda t: ops.sum(t[key] * core.convert(weights)))(t)
    by_hand = np.zeros_like(x)
    np.add.at(by_hand, key, weights)
    np.testing.assert_allclose(np.asarray(gradient), by_hand)


# -- take and along an axis


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("shape", [(), (4,), (2, 2), (0,)])
def test_take(axis, shape):
    size = X.size if axis is None else X.shape[axis]
    indices = RNG.integers(-size, size, shape)
    same(ops.take(X, indices, axis), np.take(X, indices, axis))
    check_gradients(lambda x: ops.take(x, indices, axis), X)


@pytest.mark.parametrize("axis", [0, 1])
def test_take_out_of_range_is_nan_without_gradient(axis):
    x = np.arange(6.0).reshape(2, 3)
    found = ops.take(x, [0, 7, -9, -1], axis)
    expected = np.take(x, [0, 0, 0, -1], axis)
    expected[(slice(None),) * axis + (slice(1, 3),)] = np.nan
    same(found, expected)
    whole = ops.take(x.astype("int32"), [9], axis)
    assert int(np.max(np.asarray(whole))) == np.iinfo("int32").min
    gradient = core.grad(lambda x: ops.sum(ops.take(x, [0, 7, -9, 0], axis)))(core.convert(x))
    by_hand = np.zeros_like(x)
    by_hand[(slice(None),) * axis + (0,)] = 2
    same(gradient, by_hand)
    assert ops.take(np.zeros((0, 3)), [0, 1], 0).shape == (2, 3)


def test_take_converts_indices():
    same(ops.take(X, np.array([0.0, 2.0]), 0), X[[0, 2]])
    same(ops.take(X, [], 0), X[:0])
    same(ops.take(X, np.array([3], "uint8"), 0), X[[3]])


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_along_axis(axis):
    order = np.argsort(X, axis)
    same(ops.take_along_axis(X, order, axis), np.take_along_axis(X, order, axis))
    check_gradients(lambda x: ops.take_along_axis(x, order, axis), X)
    if axis is not None:
        expected = X.copy()
        np.put_along_axis(expected, order, 2 * X, axis)
        same(ops.put_along_axis(X, order, 2 * X, axis), expected)


def test_along_axis_broadcasts():
    index = np.array([[[2, 0]]])
    same(ops.take_along_axis(X, index, -1), np.take_along_axis(X, index, -1))
    thin = X[:, :1]
    wide = RNG.integers(0, 5, X.shape)
    same(ops.take_along_axis(thin, wide, -1), np.take_along_axis(thin, wide, -1))
    check_gradients(lambda x: ops.take_along_axis(x, wide, -1), thin)
    np.testing.assert_array_equal(
        ops.take_along_axis(np.array([[1.0, 2.0]]), [[5, -1]], 1), [[np.nan, 2.0]]
    )
    with pytest.raises(core.ShapeError, match="ranks must be equal"):
        ops.take_along_axis(X, wide[0], -1)
    with pytest.raises(core.ShapeError, match="equal sizes"):
        ops.take_along_axis(X, wide[:2], -1)


# -- scatter, slices, segments

PLACES = np.array([[0], [3], [0]])
PAIRS = np.array([[[0, 1], [3, 2]], [[0, 1], [1, 0]]])


@pytest.mark.parametrize("places", [PLACES, PAIRS, PAIRS[..., :1]], ids=["rows", "pairs", "nested"])
def test_scatter(places):
    shape = (4, 3, 5)
    values = RNG.normal(size=places.shape[:-1] + shape[places.shape[-1] :])
    key = tuple(np.moveaxis(places, -1, 0))
    expected = np.zeros(shape)
    np.add.at(expected, key, values)
    np.testing.assert_allclose(ops.scatter(places, values, shape), expected)
    np.testing.assert_allclose(ops.scatter_add(X, places, values), X + expected)
    same(ops.gather_nd(X, places), X[key])
    check_gradients(lambda v: ops.scatter(places, v, shape), values)
    check_gradients(lambda x, v: ops.scatter_add(x, places, v), X, values)
    check_gradients(lambda x: ops.gather_nd(x, places), X)


def test_scatter_update():
    places = np.array([[0, 2], [3, 1]])
    values = RNG.normal(size=(2, 5))
    expected = X.copy()
    expected[[0, 3], [2, 1]] = values
    same(ops.scatter_update(X, places, values), expected)
    check_gradients(lambda x, v: ops.scatter_update(x, places, v), X, values)
    same(ops.scatter_update(np.zeros(3), [[0], [0]], [1.0, 2.0]), np.array([2.0, 0, 0]))


@pytest.mark.parametrize("places", [PLACES, PAIRS, PAIRS[..., :1]], ids=["rows", "pairs", "nested"])
def test_overwritten_values_have_no_gradient(places):
    values = RNG.normal(size=places.shape[:-1] + X.shape[places.shape[-1] :])
    check_gradients(lambda x, v: ops.scatter_update(x, places, v), X, values)
    check_gradients(lambda x, v: ops.scatter_update(x, places - 4, v), X, values)


@pytest.mark.parametrize(
    "key",
    [
        ROWS, (slice(1, 4), np.array([0, 2, -1, 0])), (ROWS, slice(None, None, 2), 1),
        (None, slice(1, 3), slice(None), np.array([[0, -5], [0, 1]])), (1, ..., np.array([2, 2])),
        (ROWS, slice(None), ROWS), (slice(1, 1), np.array([1, 1])), np.zeros((0,), int),
    ],
    ids=str,
)  # fmt: skip
def test_overwritten_items_have_no_gradient(key):
    values = RNG.normal(size=X[key].shape)
    expected = X.copy()
    expected[key] = values
    same(ops.setitem(X, key, values), expected)
    check_gradients(lambda x, v: ops.setitem(x, key, v), X, values)


def test_overwritten_values_have_no_gradient_in_programs():
    places = np.array([[[0, 1], [3, 2]], [[-4, 1], [3, 2]]])
    values = RNG.normal(size=(2, 2, 5))

    def slope(x, places, v):
        loss = lambda x, v: ops.sum(ops.sin(ops.scatter_update(x, places, v)))
        return core.grad(loss, argnums=(0, 1))(x, v)

    given = [core.convert(a) for a in (X, places, values)]
    expected = slope(*given)
    assert not np.asarray(expected[1])[0].any()
    for found, e in zip(core.function(slope)(*given), expected, strict=True):
        np.testing.assert_allclose(found, e, rtol=1e-14)


def test_overwritten_values_along_an_axis_have_no_gradient():
    indices, values = np.array([[[0, 2, 1, 2, 0]], [[1, 1, 0, 0, 2]]]), RNG.normal(size=(4, 2, 5))
    indices = np.tile(np.swapaxes(indices, 0, 1), (4, 1, 1))
    check_gradients(lambda x, v: ops.put_along_axis(x, indices, v, 1), X, values)


@pytest.mark.parametrize(
    "write", [lambda v, i: ops.slice_update(X, [i, 0, 0], v), lambda v, i: ops.setitem(X, i, v[0])]
)
def test_gradients_at_distinct_places_need_no_numbers(write):
    def slope(v, i):
        return core.grad(lambda v: ops.sum(write(v, i) ** 2))(v)

    traced = trace(slope, [core.Spec((1, 3, 5), X.dtype), core.Spec((), ROWS.dtype)])
    assert "equal" not in to_text(traced.graph)


def test_scatter_drops_what_is_out_of_range():
    places, values = [[0], [5], [-1], [-4]], np.array([1.0, 2.0, 3.0, 4.0])
    same(ops.scatter(places, values, (3,)), np.array([1.0, 0, 3.0]))
    same(ops.scatter_update(np.zeros(3), places, values), np.array([1.0, 0, 3.0]))
    for function in (
        lambda x, v: ops.scatter_add(x, places, v), lambda x, v: ops.scatter_update(x, places, v),
    ):  # fmt: skip
        check_gradients(function, np.ones(3), values)


def test_scatter_errors():
    with pytest.raises(core.ShapeError, match="names 4 axes of a tensor of rank 3"):
        ops.scatter_add(X, np.zeros((2, 4), int), np.zeros(2))
    with pytest.raises(core.ShapeError, match="broadcast"):
        ops.scatter_add(X, PLACES, np.zeros((2, 3, 5)))


def test_index_add_is_exact_in_half_precision():
    x = core.convert(np.zeros((2, 3)), "float16")
    found = ops.index_add(x, np.zeros(5000, int), np.ones((5000, 3), "float16"))
    assert found.dtype == np.float16
    np.testing.assert_array_equal(np.asarray(found)[0], 5000)


def test_sums_of_booleans_are_booleans():
    for values in (np.ones(3, bool), np.ones((3, 2), bool)):
        found = ops.index_add(np.zeros((4, *values.shape[1:]), bool), np.array([0, 0, 2]), values)
        assert found.dtype == bool
        np.testing.assert_array_equal(np.asarray(found).reshape(4, -1).any(1), [1, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["int32", "float32", "bfloat16"])
def test_index_add_by_rows(dtype):
    rows = RNG.integers(0, 4, 50)
    values = RNG.integers(0, 3, (50, 15)).astype("int32")
    expected = np.zeros((4, 15), "int32")
    np.add.at(expected, rows, values)
    found = ops.index_add(core.convert(np.zeros((4, 15)), dtype), rows, core.convert(values, dtype))
    assert found.dtype.name == dtype
    np.testing.assert_array_equal(np.asarray(found).astype("int32"), expected)


@pytest.mark.parametrize("start", [(1, 0, 2), (0, 0, 0), (9, -1, 1)])
def test_slices_static_and_dynamic(start):
    sizes = (2, 2, 3)
    at = [min(max(s + n if s < 0 else s, 0), n - m) for s, n, m in zip(start, X.shape, sizes)]
    block = tuple(slice(a, a + m) for a, m in zip(at, sizes))
    updated = X.copy()
    updated[block] = 1.5
    ones = np.full(sizes, 1.5)
    for given_start in (start, np.array(start), core.convert(np.array(start))):
        same(ops.slice_at(X, given_start, sizes), X[block])
        same(ops.slice_update(X, given_start, ones), updated)
    mixed = (start[0], core.convert(start[1]), start[2])
    same(ops.slice_at(X, mixed, sizes), X[block])
    same(core.compile_step(lambda x, s: ops.slice_at(x, s, sizes))(X, np.array(start)), X[block])
    check_gradients(lambda x: ops.slice_at(x, core.convert(np.array(start)), sizes), X)
    check_gradients(lambda x, u: ops.slice_update(x, start, u), X, ones)


def test_slice_to_the_end_and_errors():
    same(ops.slice_at(X, (1, 1, 1), (-1, 2, -1)), X[1:, 1:3, 1:])
    with pytest.raises(core.ShapeError, match="one for each axis"):
        ops.slice_at(X, (0, 0), (1, 1))
    with pytest.raises(core.ShapeError, match="does not fit axis 1"):
        ops.slice_at(X, (0, 0, 0), (1, 4, 1))


def test_segments():
    ids = np.array([2, 0, 2, 9, -1])
    data = RNG.normal(size=(5, 2))
    kept = np.zeros((3, 2))
    kept[0], kept[2] = data[1], data[0] + data[2]
    np.testing.assert_allclose(ops.segment_sum(data, ids, 3), kept)
    most = np.full((3, 2), -np.inf)
    most[0], most[2] = data[1], np.maximum(data[0], data[2])
    same(ops.segment_max(data, ids, 3), most)
    least = np.full((3, 2), np.inf)
    least[0], least[2] = data[1], np.minimum(data[0], data[2])
    same(ops.segment_min(data, ids, 3), least)
    assert ops.segment_sum(data, np.array([0, 4, 1, 1, 0])).shape == (5, 2)
    check_gradients(lambda d: ops.segment_sum(d, ids, 3), data)
    check_gradients(lambda d: ops.segment_max(d, np.array([1, 0, 1, 9, -1]), 2), data)
    tie = core.grad(lambda d: ops.sum(ops.segment_max(d, np.array([0, 0]), 1)))
    np.testing.assert_array_equal(tie(core.convert(np.ones((2, 3)))), np.full((2, 3), 0.5))
    with pytest.raises(core.ShapeError, match="one id is needed"):
        ops.segment_sum(data, ids[:3], 3)


def test_nonzero():
    x = np.array([[1, 0], [0, 2]])
    for found, expected in zip(ops.nonzero(x), np.nonzero(x), strict=True):
        same(found, expected.astype("int32"))


def test_views_of_inputs_are_never_written():
    x = X.copy()
    ops.index_add(core.Tensor(x), 0, 1.0)
    ops.setitem(core.Tensor(x), ROWS, 1.0)
    ops.scatter_add(core.Tensor(x), PLACES, 1.0)
    np.testing.assert_array_equal(x, X)
