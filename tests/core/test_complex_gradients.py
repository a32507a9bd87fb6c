"""Gradients through complex numbers, of first and second order, by finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)


def pair(x):
    """Complex numbers of two real rows."""
    return ops.cast(x[0], "complex128") + ops.cast(x[1], "complex128") * core.convert(np.array(1j))


def weigh(z):
    """A real number that depends on both parts in their own ways."""
    a, b = ops.real(z), ops.imag(z)
    shape = tuple(z.shape)
    first, second = (np.cos(np.arange(z.size) * k + 1).reshape(shape) for k in (1.0, 0.7))
    return ops.sum(a * a * first + b * second + a * b)


W = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
CASES = {
    "multiply": lambda z: z * z[::-1] + z * W,
    "divide": lambda z: W / (z + 3.0),
    "exp": lambda z: ops.exp(z * 0.5),
    "square": ops.square,
    "conj": lambda z: ops.conj(z) * ops.exp(z),
    "matmul": lambda z: ops.matmul(z, ops.matmul(core.convert(W), z)),
    "sum": lambda z: ops.sum(z * z, axis=0),
    "where": lambda z: ops.where(ops.real(z) > 0, z * 1j, ops.conj(z)),
    "negative": lambda z: -z + 2.0,
    "reshape": lambda z: ops.transpose(ops.reshape(z, (9, 1)), (1, 0)) * W.reshape(1, 9),
    "solve": lambda z: ops.solve(z + core.convert(4 * np.eye(3)), core.convert(W)),
    "inv": lambda z: ops.inv(z + core.convert(4 * np.eye(3))),
}


def numeric(fn, x, step=1e-6):
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        d = np.zeros_like(x)
        d[i] = step
        found[i] = (float(fn(core.convert(x + d))) - float(fn(core.convert(x - d)))) / (2 * step)
    return found


def slope(fn, x):
    x = core.convert(x)
    with core.GradientTape() as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x)


@pytest.mark.parametrize("name", CASES)
def test_both_orders(name):
    x = RNG.normal(size=(2, 3, 3))

    def loss(t):
        return weigh(CASES[name](pair(t)))

    np.testing.assert_allclose(slope(loss, x), numeric(loss, x), rtol=1e-6, atol=1e-6)
    direction = RNG.normal(size=x.shape)

    def along(t):
        with core.GradientTape() as tape:
            tape.watch(t)
            y = loss(t)
        return ops.sum(tape.gradient(y, t) * direction)

    np.testing.assert_allclose(slope(along, x), numeric(along, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "fn",
    [lambda z: ops.sum(ops.absolute(z) ** 3), lambda z: ops.sum(ops.real(z) * ops.absolute(z)),
     lambda z: ops.sum(ops.arctan2(ops.imag(z), ops.real(z)))],
)  # fmt: skip
def test_size_and_angle(fn):
    x = RNG.normal(size=(2, 4)) + 1.5
    np.testing.assert_allclose(
        slope(lambda t: fn(pair(t)), x), numeric(lambda t: fn(pair(t)), x), rtol=1e-6, atol=1e-7
    )


def test_size_at_zero():
    found = slope(lambda t: ops.sum(ops.absolute(pair(t))), np.zeros((2, 3)))
    np.testing.assert_array_equal(found, np.zeros((2, 3)))


def test_by_a_complex_number():
    """`dL/da + i dL/db`."""
    z = core.convert(np.array([1.0 + 2.0j, -0.5 + 0.3j]))
    with core.GradientTape() as tape:
        tape.watch(z)
        loss = ops.sum(ops.square(ops.absolute(z)))
    np.testing.assert_allclose(tape.gradient(loss, z), 2 * z.numpy(), rtol=1e-12)


@pytest.mark.parametrize("of", ["values", "vectors"])
def test_eigenvalues_and_vectors(of):
    x = RNG.normal(size=(2, 4, 4))

    def loss(t):
        values, vectors = ops.eig(t)
        if of == "values":  # in no order: a symmetric function of them
            return ops.sum(ops.real(ops.exp(values * 0.3)) + ops.square(ops.absolute(values)))
        # Factors of size 1 cancel out.
        return ops.sum(
            ops.absolute(vectors) ** 4 * ops.expand_dims(ops.square(ops.absolute(values)), -2)
        )

    np.testing.assert_allclose(slope(loss, x), numeric(loss, x), rtol=1e-5, atol=1e-6)


def test_compiled():
    x = core.convert(RNG.normal(size=(2, 3, 3)))

    def fn(t):
        with core.GradientTape() as tape:
            tape.watch(t)
            y = weigh(CASES["conj"](pair(t)))
        return tape.gradient(y, t)

    np.testing.assert_allclose(core.function(fn)(x), fn(x), rtol=1e-12)
