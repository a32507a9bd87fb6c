"""Gradients of order 1 and 2 against finite differences, in float64."""

import numpy as np

import kerasish_core as core

# Central differences of fourth order: f'(0) is close to sum(w * f(k h)) / h.
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
STEP = 1e-3


class WrongGradientError(AssertionError):
    """A gradient rule disagrees with finite differences."""


def _several(result):
    return result if isinstance(result, tuple) else (result,)


def _derivative(function, step=STEP):
    """d function(t) / dt at 0."""
    return sum(weight * function(k * step) for k, weight in STENCIL) / step


class _Checker:
    def __init__(self, fn, arrays, rng):
        self.fn, self.arrays, self.rng = fn, [np.array(a) for a in arrays], rng
        self.sources = [i for i, a in enumerate(self.arrays) if a.dtype == np.float64]
        outputs = _several(fn(*map(core.convert, self.arrays)))
        self.outputs = [i for i, y in enumerate(outputs) if y.dtype == np.float64]
        self.cotangents = [rng.normal(size=outputs[i].shape) for i in self.outputs]

    def tensors(self, values):
        found = [core.convert(a) for a in self.arrays]
        for i, value in zip(self.sources, values):
            found[i] = core.convert(value)
        return found

    def forward(self, xs):
        outputs = _several(self.fn(*xs))
        return [outputs[i] for i in self.outputs]

    def values(self):
        return [self.arrays[i] for i in self.sources]

    def pull(self, values, cotangents):
        """The gradients by the rules, as arrays; zeros where a rule says that none flows."""
        xs = self.tensors(values)
        watched = [xs[i] for i in self.sources]
        with core.GradientTape() as tape:
            tape.watch(watched)
            ys = self.forward(xs)
        gs = tape.gradient(ys, watched, output_gradients=[core.convert(u) for u in cotangents])
        return [np.zeros(x.shape) if g is None else np.asarray(g) for g, x in zip(gs, watched)]

    def loss(self, values):
        ys = self.forward(self.tensors(values))
        return sum(float(np.sum(np.asarray(y) * u)) for y, u in zip(ys, self.cotangents))

    def first(self, rtol):
        values = self.values()
        found = self.pull(values, self.cotangents)
        for i, (array, g) in enumerate(zip(values, found)):
            expected = np.zeros(array.shape)
            for place in np.ndindex(array.shape):

                def along(t, i=i, place=place):
                    moved = [v.copy() for v in values]
                    moved[i][place] += t
                    return self.loss(moved)

                expected[place] = _derivative(along)
            _compare(f"gradient of input {self.sources[i]}", g, expected, rtol)

    def second(self, rtol):
        """The gradient of <v, gradient> by inputs and cotangents, along random directions."""
        values, us = self.values(), self.cotangents
        vs = [self.rng.normal(size=v.shape) for v in values]
        xs = self.tensors(values)
        watched = [xs[i] for i in self.sources]
        cotangents = [core.convert(u) for u in us]
        with core.GradientTape() as outer:
            outer.watch(watched + cotangents)
            with core.GradientTape() as inner:
                inner.watch(watched)
                ys = self.forward(xs)
            gs = inner.gradient(ys, watched, output_gradients=cotangents)
            parts = [core.ops.sum(g * core.convert(v)) for g, v in zip(gs, vs) if g is not None]
            total = sum(parts[1:], parts[0]) if parts else None
        found = [None] * (len(watched) + len(us))
        if total is not None:
            found = outer.gradient(total, watched + cotangents)
        starts = values + us
        for i, (start, g) in enumerate(zip(starts, found)):
            direction = self.rng.normal(size=start.shape)

            def along(t, i=i, direction=direction):
                moved = [s + t * direction if k == i else s for k, s in enumerate(starts)]
                pulled = self.pull(moved[: len(values)], moved[len(values) :])
                return sum(float(np.sum(p * v)) for p, v in zip(pulled, vs))

            got = 0.0 if g is None else float(np.sum(np.asarray(g) * direction))
            _compare(f"second-order gradient {i}", got, _derivative(along), rtol)


def _compare(what, found, expected, rtol):
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if not np.allclose(found, expected, rtol=rtol, atol=rtol * scale):
        raise WrongGradientError(f"{what}: the rule gives\n{found}\ndifferences give\n{expected}")


def check_gradients(fn, arrays, rng=None, order=2, rtol=1e-7):
    """Check the gradient rules that `fn` runs through.

    Args:
        fn: Function of tensors to a tensor or a tuple of them.
        arrays: Its arguments; those of float64 are differentiated by.
        rng: Draws the cotangents.
        order: 1 or 2.
        rtol: Allowed relative error.

    Raises:
        WrongGradientError: A rule disagrees with finite differences.
    """
    checker = _Checker(fn, arrays, rng or np.random.default_rng(0))
    if not checker.sources or not checker.outputs:
        return
    checker.first(rtol)
    if order > 1:
        checker.second(rtol)
