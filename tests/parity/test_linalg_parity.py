"""`keras.ops.linalg` beside Keras: values, gradients, shapes, refusals."""

import jax
import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish_core.errors import GradientError

# JAX compiles every op anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [pytest.mark.parity, pytest.mark.slow]
ours = kerasish.ops


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.ops


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


SQUARE = draw(2, 3, 3) + 2 * np.eye(3, dtype="float32")
POSITIVE = (draw(2, 3, 3) @ np.swapaxes(draw(2, 3, 3), 1, 2) + 3 * np.eye(3)).astype("float32")
TALL, WIDE = draw(2, 5, 3), draw(2, 3, 5)


def absolute(k, x):
    """What does not depend on the signs of columns."""
    return tuple(k.absolute(v) for v in x) if isinstance(x, tuple | list) else k.absolute(x)


CASES = {
    "cholesky": (lambda k, x: k.cholesky(x), [POSITIVE]),
    "cholesky upper": (lambda k, x: k.cholesky(x, upper=True), [POSITIVE]),
    "cholesky_inverse": (lambda k, x: k.cholesky_inverse(k.cholesky(x)), [POSITIVE[0]]),
    "cholesky_inverse upper": (lambda k, x: k.cholesky_inverse(x, upper=True), [POSITIVE[0]]),
    "det": (lambda k, x: k.det(x), [SQUARE]),
    "eigh": (lambda k, x: absolute(k, k.eigh(x)), [POSITIVE]),
    "inv": (lambda k, x: k.inv(x), [SQUARE]),
    "logdet": (lambda k, x: k.logdet(x), [-SQUARE]),
    "slogdet": (lambda k, x: k.slogdet(x)[1], [SQUARE]),
    "lstsq": (lambda k, a, b: k.lstsq(a, b), [TALL[0], draw(5, 2)]),
    "lstsq of a vector": (lambda k, a, b: k.lstsq(a, b), [TALL[0], draw(5)]),
    "lstsq of few rows": (lambda k, a, b: k.lstsq(a, b), [WIDE[0], draw(3, 2)]),
    "lu_factor": (lambda k, x: k.lu_factor(x)[0], [SQUARE]),
    "pinv": (lambda k, x: k.pinv(x), [TALL]),
    "pinv wide": (lambda k, x: k.pinv(x, 1e-3), [WIDE]),
    "qr": (lambda k, x: absolute(k, k.qr(x)), [TALL]),
    "qr square complete": (lambda k, x: absolute(k, k.qr(x, mode="complete")), [SQUARE]),
    "solve": (lambda k, a, b: k.solve(a, b), [SQUARE, draw(2, 3, 4)]),
    "solve of a vector": (lambda k, a, b: k.solve(a, b), [SQUARE[0], draw(3)]),
    "solve_triangular": (lambda k, a, b: k.solve_triangular(a, b), [SQUARE, draw(2, 3, 4)]),
    "solve_triangular lower": (
        lambda k, a, b: k.solve_triangular(a, b, lower=True),
        [SQUARE[0], draw(3)],
    ),
    "svd": (lambda k, x: absolute(k, k.svd(x, full_matrices=False)), [TALL]),
    "svd values": (lambda k, x: k.svd(x, compute_uv=False), [WIDE]),
    "norm": (lambda k, x: k.norm(x), [TALL]),
    **{
        f"norm {order} {axis}": (
            lambda k, x, o=order, a=axis: k.norm(x, ord=o, axis=a, keepdims=o == 1),
            [TALL],
        )
        for order, axis in [
            (None, 1), (None, (0, 2)), (1, 1), (2, -1), (3, 1), (np.inf, 2), (-np.inf, 0),
            ("fro", (1, 2)), ("nuc", (1, 2)), (1, (1, 2)), (-1, (1, 2)), (2, (0, 2)), (-2, (1, 2)),
            (np.inf, (1, 2)), (-np.inf, (0, 1)),
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(theirs, case):
    function, inputs = CASES[case]

    def scalar(xs):
        return sum((y * np.cos(np.arange(y.size)).reshape(y.shape)).sum()
                   for y in jax.tree.leaves(function(theirs, *xs)))  # fmt: skip

    expected = jax.tree.leaves(function(theirs, *inputs))
    tensors = [core.constant(x) for x in inputs]
    with core.GradientTape() as tape:
        tape.watch(tensors)
        found = core.tree.flatten(function(ours, *tensors))
        total = sum(
            core.ops.sum(y * np.cos(np.arange(y.size)).reshape(y.shape).astype("float32"))
            for y in found
        )
    for y, z in zip(found, expected, strict=True):
        assert y.shape == z.shape and y.dtype == z.dtype
        np.testing.assert_allclose(y, z, rtol=2e-4, atol=2e-5)
    gradients = jax.grad(scalar)([jax.numpy.asarray(x) for x in inputs])
    for y, z in zip(tape.gradient(total, tensors), gradients, strict=True):
        np.testing.assert_allclose(y, z, rtol=3e-3, atol=3e-4)


def test_without_gradients(theirs):
    np.testing.assert_array_equal(ours.matrix_rank(TALL), theirs.matrix_rank(TALL))
    low = TALL @ np.ones((3, 3), "float32")
    np.testing.assert_array_equal(ours.matrix_rank(low), theirs.matrix_rank(low))
    np.testing.assert_array_equal(ours.matrix_rank(TALL, 2.0), theirs.matrix_rank(TALL, 2.0))
    for x in (SQUARE, TALL[0], WIDE):
        for a, b in zip(ours.lu_factor(x), theirs.lu_factor(x), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.eig(SQUARE), theirs.eig(SQUARE), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(np.abs(a), np.abs(b), rtol=1e-4, atol=1e-5)
    full = [k.svd(TALL) for k in (ours, theirs)]
    for a, b in zip(*full, strict=True):
        assert a.shape == b.shape
    left, values, right = full[0]
    np.testing.assert_allclose((np.asarray(left)[..., :3] * np.asarray(values)[:, None]) @ right,
                               TALL, rtol=1e-4, atol=1e-5)  # fmt: skip
    np.testing.assert_array_equal(ours.slogdet(-SQUARE)[0], theirs.slogdet(-SQUARE)[0])
    assert np.isnan(np.asarray(ours.inv(np.zeros((2, 2), "float32")))).any()
    stacked = np.stack([np.eye(2), np.zeros((2, 2))]).astype("float32")
    np.testing.assert_array_equal(np.asarray(ours.inv(stacked))[0], np.eye(2))
    assert ours.cholesky(np.eye(3, dtype="int32")).dtype.name == "float32"


def test_symbolic(theirs):
    import keras

    names = ("cholesky", "det", "eigh", "inv", "qr", "svd", "pinv", "matrix_rank",
             "logdet", "cholesky_inverse")  # fmt: skip
    for name in names:
        results = [getattr(k.ops, name)(k.Input((3, 3))) for k in (keras, kerasish)]
        a, b = ([(y.shape, y.dtype) for y in core.tree.flatten(r)] for r in results)
        assert a == b, name


def test_refusals(theirs):
    singular = -np.eye(2, dtype="float32")
    for run in [
        lambda k: k.cholesky(singular),
        lambda k: k.cholesky(TALL),
        lambda k: k.cholesky(draw(3)),
        lambda k: k.inv(TALL),
        lambda k: k.qr(TALL, mode="r"),
        lambda k: k.solve(SQUARE, draw(2, 4, 4)),
        lambda k: k.norm(TALL, ord="fro", axis=1),
        lambda k: k.norm(TALL, ord=3, axis=(1, 2)),
        lambda k: k.norm(TALL, ord=1),
    ]:
        for k in (theirs, ours):
            with pytest.raises(ValueError):
                run(k)
    with pytest.raises(ValueError, match="shape"):
        ours.lstsq(TALL, draw(5))


def test_full_factors_have_no_gradient():
    x = core.constant(TALL)
    for function in (lambda: ours.svd(x)[0], lambda: ours.qr(x, mode="complete")[0]):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = function()
        with pytest.raises(GradientError, match="no gradient"):
            tape.gradient(y, x)
