"""Checks of gradients against finite differences in float64."""

import numpy as np

import kerasish_core as core


def check_gradients(fn, *arrays, seed=0, tolerance=1e-6):
    """Check the first and second derivative of `fn` along random directions.

    Args:
        fn: Function of tensors whose result is a tensor.
        *arrays: Where to differentiate; all are converted to float64.
        seed: Of the directions.
        tolerance: Relative to the greatest value compared.
    """
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a, "float64") for a in arrays]
    ways = [rng.normal(size=a.shape) for a in arrays]
    weights = rng.normal(size=core.eval_spec(fn, *map(core.convert, arrays)).shape)
    everywhere = tuple(range(len(arrays)))

    def loss(*xs):
        return core.ops.sum(core.ops.sin(fn(*xs)) * core.convert(weights))

    def slope(*xs):
        gradients = core.grad(loss, argnums=everywhere)(*xs)
        total = core.convert(np.float64(0))
        for gradient, way in zip(gradients, ways, strict=True):
            total = total + core.ops.sum(gradient * core.convert(way))
        return total

    second = core.grad(slope, argnums=everywhere)(*map(core.convert, arrays))
    along = sum(float(np.sum(np.asarray(s) * w)) for s, w in zip(second, ways, strict=True))
    first = float(slope(*map(core.convert, arrays)))
    for function, exact in ((loss, first), (slope, along)):
        step = 1e-5
        ahead, behind = (
            float(function(*(core.convert(a + t * w) for a, w in zip(arrays, ways, strict=True))))
            for t in (step, -step)
        )
        measured = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(
            exact, measured, rtol=tolerance * 10, atol=tolerance * 10, err_msg=function.__name__
        )
