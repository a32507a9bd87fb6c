"""What the short ways of eager running must not change."""

import threading

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core.ops import _define

X = core.convert(np.array([1.0, -2.0], "float32"))


def test_zeros_of_either_sign_stay_apart():
    for _ in range(2):
        np.testing.assert_array_equal(np.signbit(X * 0.0), [False, True])
        np.testing.assert_array_equal(np.signbit(X * -0.0), [True, False])
        np.testing.assert_array_equal(np.signbit(X * 0), [False, True])


def test_a_number_takes_each_tensors_dtype():
    for dtype in ("float32", "float64", "float16", "float32"):
        x = core.convert(np.ones(3, dtype))
        for y in (x + 0.1, 0.1 + x, core.ops.add(x, 0.1)):
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, x.numpy() + np.asarray(0.1, dtype))


def test_kept_numbers_are_bounded():
    for i in range(2000):
        np.testing.assert_array_equal(X + i, X.numpy() + np.float32(i))
    assert len(_define._KEPT) <= 512


def test_a_kept_number_is_no_part_of_any_tape():
    """The same constant in two tapes, one after the other and nested."""
    for _ in range(2):
        with core.GradientTape() as outer:
            outer.watch(X)
            with core.GradientTape() as inner:
                inner.watch(X)
                y = 3.5 * X * X + 3.5
            g = inner.gradient(y, X)
        np.testing.assert_array_equal(g, 7 * X.numpy())
        np.testing.assert_array_equal(outer.gradient(g, X), [7, 7])


def test_a_traced_tensor_kept_beyond_its_trace_is_explained():
    kept = []

    @core.function
    def leak(x):
        kept.append(x)
        return x + 1.0

    leak(X)
    with pytest.raises(core.TraceError):
        core.ops.exp(kept[0])
    with pytest.raises(core.TraceError):
        core.ops.add(kept[0], X)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), [1], np.int64(1)])
@pytest.mark.parametrize("keepdims", [False, True, 0, 1])
def test_sum_is_an_array_of_the_right_shape(axis, keepdims):
    array = np.arange(6, dtype="float32").reshape(2, 3)
    for dtype in ("float32", "float64", "int32", "float16"):
        found = core.ops.sum(core.convert(array.astype(dtype)), axis, keepdims)
        numpy_axis = tuple(axis) if isinstance(axis, list) else axis
        expected = array.sum(axis=numpy_axis, keepdims=bool(keepdims))
        assert type(found.value) is np.ndarray and found.dtype == dtype
        assert found.shape == np.shape(expected)
        np.testing.assert_array_equal(found, expected)


def test_axes_out_of_range_are_refused():
    for axis in (2, -3, (0, 2)):
        with pytest.raises(core.ShapeError, match="out of range"):
            core.ops.sum(core.convert(np.ones((2, 3))), axis)
    with pytest.raises(core.ShapeError, match="out of range"):
        core.ops.sum(core.convert(1.0), 0)


def test_no_warning_and_the_users_own_numpy_is_left_alone():
    before = np.geterr()
    assert np.isneginf(core.ops.log(core.convert(0.0)).item())
    assert np.geterr() == before
    found = []
    thread = threading.Thread(target=lambda: found.append(core.ops.log(core.convert(0.0)).item()))
    thread.start()
    thread.join()
    assert np.isneginf(found[0])


def test_a_kernel_may_run_ops_itself():
    """Control flow does: its body runs inside the kernel, in the quiet context already."""
    ones = core.convert(np.zeros(2, "float32"))
    found = core.scan(lambda c, r: (c, core.ops.log(r)), X, ones, length=2)[1]
    assert np.isneginf(found.numpy()).all()


def test_what_arrays_have_as_methods():
    x = np.arange(6, dtype="float32").reshape(2, 3) - 2
    t = core.constant(x)
    for call in (
        lambda a: a.sum(), lambda a: a.sum(axis=1, keepdims=True), lambda a: a.mean(0),
        lambda a: a.max(-1), lambda a: a.min(), lambda a: a.prod(), lambda a: a.std(),
        lambda a: a.var(axis=0), lambda a: a.argmax(), lambda a: a.argmin(1), lambda a: a.argsort(),
        lambda a: (a > 0).any(), lambda a: (a > -9).all(axis=0), lambda a: a.clip(-1, 1),
        lambda a: a.cumsum(axis=1), lambda a: a.cumprod(0), lambda a: a.diagonal(),
        lambda a: a.dot(a.T), lambda a: a.ravel(), lambda a: a.flatten(), lambda a: a.repeat(2, 0),
        lambda a: a.round(), lambda a: a[:1].squeeze(0), lambda a: a.swapaxes(0, 1),
        lambda a: a.take(np.array([0, 2]), axis=1), lambda a: a.trace(), lambda a: a.transpose(),
        lambda a: a.transpose(1, 0), lambda a: a.transpose((1, 0)), lambda a: a.copy(),
    ):  # fmt: skip
        np.testing.assert_allclose(call(t), call(x), rtol=1e-6)
    assert t.nbytes == x.nbytes
    assert [i.tolist() for i in t.nonzero()] == [i.tolist() for i in x.nonzero()]


def test_methods_are_recorded_and_traced():
    x = core.constant(np.arange(3, dtype="float32"))
    with core.GradientTape() as tape:
        tape.watch(x)
        y = (x * x).sum()
    assert tape.gradient(y, x).tolist() == [0, 2, 4]
    step = core.compile_step(lambda v: v.transpose().mean() + v.max())
    assert float(step(x)) == 3.0


def test_float64_arrays_beside_tensors_of_fewer_bits():
    """NumPy's default, not a wish: as TensorFlow and JAX have it."""
    array = np.ones(2)
    for dtype in ("float32", "float16", "bfloat16", "int32", "bool"):
        x = core.convert([1, 0], dtype)
        for found in (x + array, array + x, x < array, np.add(array, x)):
            assert found.dtype.name in ("float32", "bool"), dtype
    for wide in (core.convert([1.0, 2.0], "float64"), core.convert([1, 2], "int64")):
        assert (wide * array).dtype == (array * wide).dtype == "float64"
    assert (core.Variable([1.0, 2.0]) * array).dtype == "float32"
    assert core.ops.add(core.convert([1.0, 2.0]), array).dtype == "float64"  # by name: as it is
