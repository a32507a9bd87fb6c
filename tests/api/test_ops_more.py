"""Ops whose rules the parity table does not cover: errors, gradients, loops, odd arguments."""

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import backend, ops

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def test_sparsemax_is_a_distribution_with_zeros():
    y = np.asarray(ops.sparsemax(X))
    np.testing.assert_allclose(y.sum(-1), [1.0, 1.0], rtol=1e-6)
    np.testing.assert_allclose(y[0], [0.0, 0.0, 1.0])
    # Near ones share: the solution of the projection for (0.5, 0, -1) is (0.75, 0.25, 0).
    np.testing.assert_allclose(y[1], [0.75, 0.25, 0.0], rtol=1e-6)


def test_crossentropies_refuse_other_shapes():
    with pytest.raises(ValueError, match="must have the same shape"):
        ops.categorical_crossentropy(np.ones((2, 3), "float32"), np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match="must have the same shape"):
        ops.binary_crossentropy(np.ones((2, 3), "float32"), np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"last\s+dimension"):
        ops.sparse_categorical_crossentropy(np.ones((3,), "int32"), np.ones((2, 4), "float32"))


def test_crossentropy_from_logits_is_stable():
    logits = np.array([[1000.0, 0.0], [-1000.0, 0.0]], "float32")
    found = ops.sparse_categorical_crossentropy([0, 0], logits, from_logits=True)
    np.testing.assert_allclose(found, [0.0, 1000.0])
    found = ops.binary_crossentropy(np.ones((2, 2), "float32"), logits, from_logits=True)
    np.testing.assert_allclose(np.asarray(found)[:, 0], [0.0, 1000.0])


@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan_equals_cumsum(reverse):
    x = np.arange(7.0, dtype="float32")
    found = np.asarray(ops.associative_scan(ops.add, x, reverse=reverse))
    wanted = x[::-1].cumsum()[::-1] if reverse else x.cumsum()
    np.testing.assert_allclose(found, wanted)


def test_jvp_and_aux():
    value, tangent = ops.jvp(ops.square, (X,), (np.ones_like(X),))
    np.testing.assert_allclose(tangent, 2 * X)
    value, tangent, aux = ops.jvp(lambda x: (ops.sin(x), "aux"), (X,), (X,), has_aux=True)
    np.testing.assert_allclose(value, np.sin(X), rtol=1e-6)
    np.testing.assert_allclose(tangent, np.cos(X) * X, rtol=1e-5)
    assert aux == "aux"


def test_control_flow():
    assert float(ops.cond(X[0, 0] > 0, lambda: 1.0, lambda: 2.0)) == 1.0
    assert int(ops.fori_loop(0, 5, lambda i, v: v + i, 0)) == 10
    assert int(ops.while_loop(lambda i: i < 7, lambda i: (i + 1,), (0,))[0]) == 7
    carry, ys = ops.scan(lambda c, x: (c + x, c), np.float32(0), np.arange(3, dtype="float32"))
    assert float(carry) == 3.0
    np.testing.assert_allclose(ys, [0.0, 0.0, 1.0])
    np.testing.assert_allclose(ops.vectorized_map(lambda r: ops.sum(r), X), X.sum(1))
    assert float(ops.switch(1, [lambda x: x, lambda x: x * 2], np.float32(3))) == 6.0


def test_fold_undoes_unfold_up_to_counts():
    image = np.arange(2 * 1 * 4 * 4, dtype="float32").reshape(2, 1, 4, 4)
    patches = ops.unfold(image, 2, stride=2)
    np.testing.assert_allclose(ops.fold(patches, 4, 2, stride=2), image)


def test_rearrange_says_what_does_not_fit():
    with pytest.raises(ValueError, match="same axes"):
        ops.rearrange(X, "a b -> a")
    with pytest.raises(ValueError, match="not"):
        ops.rearrange(X, "a (b c) -> a b c", b=2)
    with pytest.raises(ValueError, match="all but one"):
        ops.rearrange(X, "a (b c) -> a b c")


def test_unique_with_everything():
    values, index, inverse, counts = ops.unique(
        np.array([3, 1, 3, 2]), return_index=True, return_inverse=True, return_counts=True
    )
    assert np.asarray(values).tolist() == [1, 2, 3]
    assert np.asarray(index).tolist() == [1, 3, 0]
    assert np.asarray(inverse).tolist() == [2, 0, 2, 1]
    assert np.asarray(counts).tolist() == [1, 1, 2]
    padded = ops.unique(np.array([3, 1, 3, 2]), size=5)
    assert np.asarray(padded).tolist() == [1, 2, 3, 1, 1]


@pytest.mark.parametrize("size", [1, 3, 9])
@pytest.mark.parametrize("dtype", ["int32", "float32", "bool", "bfloat16", "uint8"])
def test_unique_of_a_size_in_a_compiled_step(dtype, size):
    rng = np.random.default_rng(0)
    numbers = [rng.integers(0, 5, shape) for shape in ((7,), (3, 4), (1,), ())]
    for x in [np.asarray(ops.cast(n, dtype)) for n in numbers]:
        if dtype == "float32" and x.shape == (7,):
            x[[2, 4]] = np.nan
        for fill in (None, 2):

            def run(x, fill=fill):
                return ops.unique(
                    x, return_index=True, return_inverse=True, return_counts=True, size=size,
                    fill_value=fill,
                )  # fmt: skip

            for eager, compiled in zip(run(x), core.compile_step(run)(x), strict=True):
                assert eager.dtype == compiled.dtype and eager.shape == compiled.shape
                np.testing.assert_array_equal(np.asarray(eager), np.asarray(compiled))


def test_nextafter_unique_and_others_need_values():
    compiled = core.compile_step(lambda x: ops.unique(x))
    with pytest.raises(core.TraceError):
        compiled(X)


def test_gradients_flow_through_composed_ops():
    x = core.Variable(X)
    for function in (
        lambda v: ops.sum(ops.quantile(v, 0.5, axis=1)),
        lambda v: ops.sum(ops.nanmax(v, axis=1)),
        lambda v: ops.sum(ops.diff(v)),
        lambda v: ops.sum(ops.layer_normalization(v) ** 3),
    ):
        with core.GradientTape() as tape:
            y = function(x)
        gradient = np.asarray(tape.gradient(y, x))
        step = np.zeros_like(X)
        step[1, 2] = 1e-2
        wanted = (float(function(X + step)) - float(function(X - step))) / 2e-2
        np.testing.assert_allclose(gradient[1, 2], wanted, atol=2e-2)


def test_scatter_update_checks_its_reduction():
    with pytest.raises(ValueError, match="Unsupported reduction"):
        ops.scatter_update(X, [[0, 0]], [1.0], reduction="mean")


def test_convert_to_numpy_gives_a_copy():
    t = ops.convert_to_tensor(X)
    array = ops.convert_to_numpy(t)
    array[0, 0] = 9.0
    assert float(t[0, 0]) == 1.0


def test_backend_names():
    assert backend.backend() == "kerasish"
    assert backend.standardize_dtype(None) == backend.floatx() == "float32"
    assert backend.standardize_dtype(np.float16) == "float16"
    with pytest.raises(ValueError, match="Invalid dtype"):
        backend.standardize_dtype("floaty")
    assert backend.is_float_dtype("bfloat16") and not backend.is_float_dtype("int8")
    assert backend.is_int_dtype("uint8") and not backend.is_int_dtype("bool")
    assert backend.result_type("int32", "float16") == "float16"
    assert backend.is_keras_tensor(ops.KerasTensor((2,)))
    first = backend.get_uid("some_prefix")
    assert backend.get_uid("some_prefix") == first + 1


def test_windows_match_numpy():
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        np.testing.assert_allclose(getattr(ops, name)(7), getattr(np, name)(7), atol=1e-6)


def test_vectorize_applies_to_elements():
    clip = ops.vectorize(lambda a, b: ops.where(a > b, a, b))
    np.testing.assert_allclose(clip(X, np.float32(0)), np.maximum(X, 0))


@pytest.mark.parametrize("text", [["a", "b"], np.array(["a", "b"]), np.array(["a", "b"], object)])
def test_text_passes_through_convert_to_tensor(text):
    found = ops.convert_to_tensor(text)
    assert found.dtype == object and found.tolist() == ["a", "b"]
    with pytest.raises((ValueError, core.DTypeError), match=r"convert|numbers or booleans"):
        ops.convert_to_tensor(text, "float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_ldexp_overflows_nowhere_within(dtype):
    dtype = core.dtypes.as_dtype(dtype)
    rng = np.random.default_rng(0)
    powers = rng.integers(-45, 38, 2000)
    with np.errstate(all="ignore"):
        x = (rng.normal(size=2000) * 10.0**powers).astype(dtype)
    near = rng.integers(-160, 140, 2000) - np.round(powers * np.log2(10)).astype("int64")
    n = np.where(np.arange(2000) % 4 > 0, near, rng.integers(-3000, 3000, 2000)).astype("int32")
    x[:4], n[:4] = [0, -0.0, np.inf, np.nan], [3000, -3000, -3000, 3000]
    with np.errstate(all="ignore"):
        wide = x.astype("float64") if dtype.itemsize < 4 else x
        expected = np.ldexp(wide, n).astype(dtype).astype("float64")
    for function in (ops.ldexp, kerasish.function(ops.ldexp)):
        found = np.asarray(function(core.constant(x), core.constant(n)))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.astype("float64"), expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_ldexp_by_any_integers(dtype):
    n = np.array([np.iinfo(dtype).min, 3, np.iinfo(dtype).max], dtype)
    with np.errstate(all="ignore"):
        expected = np.ldexp(np.float32(1e-30), np.clip(n, -1000, 1000).astype("int32"))
        np.testing.assert_array_equal(ops.ldexp(np.float32(1e-30), n), expected)


def test_the_gradient_of_ldexp():
    x, n = core.constant(np.array([0, 1e-30, 0.5], "float32")), np.array([3, 127, -140], "int32")
    g = core.grad(lambda x: ops.sum(ops.ldexp(x, n)))(x)
    np.testing.assert_array_equal(g, np.ldexp(np.float32(1), n))


def test_of_values_for_one_place_the_last_stays_and_has_the_gradient():
    places = np.array([[[0, 1], [1, 2]], [[0, 1], [1, 0]]])

    def update(x, v):
        return ops.scatter_update(x, core.constant(places), v)

    def slope(x, v):
        return core.grad(lambda x, v: ops.sum(ops.square(update(x, v))), argnums=(0, 1))(x, v)

    given = core.constant(X), core.constant(np.array([[1, 2], [3, 4]], "float32"))
    for decorate in (kerasish.function, lambda f: f):
        expected = [[1, 3, 3], [4, 0, 2]]
        np.testing.assert_array_equal(np.asarray(decorate(update)(*given)), expected)
        of_x, of_v = decorate(slope)(*given)
        np.testing.assert_array_equal(np.asarray(of_x), 2 * X * [[1, 0, 1], [0, 1, 0]])
        np.testing.assert_array_equal(np.asarray(of_v), [[0, 4], [6, 8]])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32"])
@pytest.mark.parametrize("compiled", [False, True])
def test_numbers_that_a_dtype_does_not_hold(dtype, compiled):
    """Comparisons are right; what has the dtype wraps around."""
    limits = np.iinfo(dtype)
    x = np.array([limits.min, 0, 44, limits.max], dtype)
    wide = x.astype("int64")
    for number in (-1, 300, limits.max + 1, limits.min - 1, -(2**40), 2**70):
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
            for turned in (False, True):
                pair = (number, x) if turned else (x, number)

                def run(t, name=name, turned=turned, number=number):
                    return getattr(ops, name)(*((number, t) if turned else (t, number)))

                run = kerasish.function(run) if compiled else run
                expected = getattr(np, name)(*(np.asarray(v, "O") for v in pair)).astype(bool)
                np.testing.assert_array_equal(run(ops.convert_to_tensor(x)), expected)
        if abs(number) > 2**50:
            continue

        def calls(t, number=number):
            first = ops.where(t > 0, t, number)
            return t + number, number - t, first, ops.pad(t, 1, constant_values=number), t * number

        found = (kerasish.function(calls) if compiled else calls)(ops.convert_to_tensor(x))
        expected = [
            wide + number, number - wide, np.where(wide > 0, wide, number),
            np.pad(wide, 1, constant_values=number), wide * number,
        ]  # fmt: skip
        for a, b in zip(found, expected, strict=True):
            assert a.dtype.name == dtype
            np.testing.assert_array_equal(a, b.astype(dtype))
