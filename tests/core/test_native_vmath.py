"""Errors of the vector math in units in the last place, against 160-bit arithmetic.

The bounds asserted are those that the table in `vmath.h` states.
"""

import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import special

from kerasish_core.codegen import tiles

SOURCES = Path(__file__).resolve().parents[2] / "kerasish_core" / "executors" / "native" / "src"
HEADER = SOURCES / "vmath.h"
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, at the edges

# The function, NumPy's or SciPy's of float64, and the ranges that are sampled evenly.
FUNCTIONS = {
    "exp": (mpmath.exp, np.exp, [(-746, 710), (-104, 89)]),
    "exp2": (lambda x: mpmath.power(2, x), np.exp2, [(-1075, 1024), (-150, 129)]),
    "expm1": (mpmath.expm1, np.expm1, [(-40, 710), (-18, 89), (-1, 1)]),
    "log": (mpmath.log, np.log, [(0.5, 2), (0, 1e4)]),
    "log1p": (mpmath.log1p, np.log1p, [(-1, 1), (0, 1e4)]),
    "log2": (lambda x: mpmath.log(x, 2), np.log2, [(0.5, 2), (0, 1e4)]),
    "log10": (mpmath.log10, np.log10, [(0.5, 2), (0, 1e4)]),
    "sqrt": (mpmath.sqrt, np.sqrt, [(0, 4)]),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), lambda x: 1 / np.sqrt(x), [(0, 4)]),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), np.cbrt, [(-10, 10)]),
    "sin": (mpmath.sin, np.sin, [(-10, 10), (-1e5, 1e5)]),
    "cos": (mpmath.cos, np.cos, [(-10, 10), (-1e5, 1e5)]),
    "tan": (mpmath.tan, np.tan, [(-10, 10), (-1e5, 1e5)]),
    "arcsin": (mpmath.asin, np.arcsin, [(-1, 1)]),
    "arccos": (mpmath.acos, np.arccos, [(-1, 1)]),
    "arctan": (mpmath.atan, np.arctan, [(-5, 5), (-100, 100)]),
    "sinh": (mpmath.sinh, np.sinh, [(-711, 711), (-90, 90), (-2, 2)]),
    "cosh": (mpmath.cosh, np.cosh, [(-711, 711), (-90, 90), (-2, 2)]),
    "tanh": (mpmath.tanh, np.tanh, [(-20, 20), (-2, 2)]),
    "arcsinh": (mpmath.asinh, np.arcsinh, [(-5, 5), (-1e4, 1e4)]),
    "arccosh": (mpmath.acosh, np.arccosh, [(1, 3), (1, 1e4)]),
    "arctanh": (mpmath.atanh, np.arctanh, [(-1, 1)]),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), special.expit, [(-745, 40), (-90, 20)]),
    "softplus": (
        lambda x: mpmath.log1p(mpmath.exp(x)),
        lambda x: np.logaddexp(x, 0),
        [(-745, 40), (-90, 20)],
    ),
    "erf": (mpmath.erf, special.erf, [(-6, 6), (-1.5, 1.5)]),
    "erfc": (mpmath.erfc, special.erfc, [(-6, 27), (-4, 10.5)]),
    "erfinv": (mpmath.erfinv, special.erfinv, [(-1, 1)]),
    "lgamma": (mpmath.loggamma, special.gammaln, [(0, 10), (0, 1000)]),
    "power": (mpmath.power, np.power, [(0, 20), (-20, 20)]),
    "arctan2": (mpmath.atan2, np.arctan2, [(-5, 5), (-5, 5)]),
    "hypot": (mpmath.hypot, np.hypot, [(-5, 5), (-5, 5)]),
}
PAIRS = {"power", "arctan2", "hypot"}


def bounds():
    """The table of the header: by name, the bounds for float32 and float64."""
    rows = re.findall(r"^//   (\w+) +([\d.]+) +([\d.]+)$", HEADER.read_text(), re.M)
    return {name: {"float32": float(a), "float64": float(b)} for name, a, b in rows}


def arguments(name, dtype, rng, n):
    """Evenly drawn numbers of each range, numbers of any exponent, and special ones."""
    info, ranges = np.finfo(dtype), FUNCTIONS[name][2]
    if name in PAIRS:
        wide = [rng.uniform(a, b, n) for a, b in ranges]
        large = [np.exp2(rng.uniform(-9, 9, n)) * rng.choice([-1, 1], n) for _ in ranges]
        if name == "power":
            large[0] = np.abs(large[0])
        return [np.concatenate(p).astype(dtype) for p in zip(wide, large)]
    parts = [rng.uniform(a, b, n) for a, b in ranges]
    exponents = rng.uniform(info.minexp - info.nmant, info.maxexp, n)
    parts += [np.exp2(exponents), np.exp2(rng.uniform(-30, 3, n))]
    parts.append([0.5, 1, 2, 10, info.tiny, info.smallest_subnormal, info.max, info.eps])
    x = np.concatenate(parts).astype(dtype)
    x = np.concatenate([x, -x[-2 * n :]])
    if name == "lgamma":
        x = np.abs(x)
    if name in ("sin", "cos", "tan"):  # near the multiples of pi / 2 too, and beyond all parts
        near = np.round(rng.uniform(-6e4, 6e4, n)) * (np.pi / 2)
        x = np.concatenate([np.clip(x, -1e30, 1e30), near.astype(dtype)])
    return [x]


def run(native, name, inputs):
    """By tiles of small and of large numbers, as the latter may be served by the C library."""
    result = np.empty_like(inputs[0])
    key = f"{name}:{result.dtype.name}"
    small = np.abs(inputs[0]) < 2.0**17
    for chosen in (small, ~small):
        parts = [x[chosen] for x in inputs]
        found = np.empty_like(parts[0])
        native.call("tile", [*parts, found], [tiles.INDEX[key], found.size, len(parts)])
        result[chosen] = found
    return result


def units(got, exact, dtype):
    """Errors in units in the last place of the exact results, which mpmath holds."""
    info = np.finfo(dtype)
    tiny, eps = mpmath.mpf(float(info.tiny)), mpmath.mpf(float(info.eps))
    most = mpmath.mpf(float(info.max)) * (1 + eps / 4)
    found = []
    for y, e in zip(got.tolist(), exact):
        if np.isinf(y):
            found.append(0.0 if abs(e) >= most and (e > 0) == (y > 0) else np.inf)
            continue
        exponent = mpmath.frexp(max(abs(e), tiny))[1] - 1
        found.append(float(abs(mpmath.mpf(y) - e) / mpmath.ldexp(eps, exponent)))
    return np.array(found)


def exact_of(name, inputs):
    """The arguments whose result is neither 0 nor far beyond the largest, and it in 160 bits."""
    function, reference, _ = FUNCTIONS[name]
    rough = reference(*(x.astype("f8") for x in inputs))
    near = np.isfinite(rough) | (np.isinf(rough) & (np.abs(inputs[0]) < 1e4))
    kept = [x[near & (rough != 0)] for x in inputs]
    with mpmath.workprec(160):
        return kept, [function(*map(mpmath.mpf, row)) for row in zip(*(x.tolist() for x in kept))]


def test_the_header_has_a_bound_for_each_function():
    assert set(bounds()) == set(FUNCTIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_many_digits(native, instruction_sets, name, dtype):
    inputs = arguments(name, dtype, np.random.default_rng(0), 60 if name != "erfinv" else 20)
    inputs, exact = exact_of(name, inputs)
    for chosen in instruction_sets:
        native.set_instruction_set(chosen)
        errors = units(run(native, name, inputs), exact, dtype)
        worst = int(np.argmax(errors))
        shown = [x[worst] for x in inputs]
        assert errors[worst] <= bounds()[name][dtype], (chosen, shown, errors[worst])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_against_float64(native, instruction_sets, name):
    """Many more numbers, with the library's float64 as the judge."""
    inputs = arguments(name, "float32", np.random.default_rng(1), 20_000)
    expected = FUNCTIONS[name][1](*(x.astype("f8") for x in inputs))
    rounded = expected.astype("f4")
    info = np.finfo("f4")
    size = np.maximum(np.abs(np.where(np.isfinite(rounded), expected, 1)), info.tiny)
    unit = info.eps * np.exp2(np.floor(np.log2(size)))
    for chosen in instruction_sets:
        native.set_instruction_set(chosen)
        got = run(native, name, inputs)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        same = (got == rounded) | np.isnan(expected)
        errors = np.where(same, 0, np.abs(got - expected) / unit)
        worst = int(np.nanargmax(errors))
        shown = [x[worst] for x in inputs]
        limit = bounds()[name]["float32"]
        assert errors[worst] <= limit + 0.01, (chosen, shown, got[worst], expected[worst])
