"""Every tile function against its op, on awkward numbers, for each instruction set."""

import re

import ml_dtypes
import numpy as np
import pytest

import kerasish_core as core
from kerasish_core.codegen import tiles

# Their results may be near 0 though their terms are not.
CANCELLING = {"logaddexp", "logaddexp2", "lgamma"}
# Allowed difference in units in the last place, of which the kernels' own errors are a part.
ULPS = {"erfc": 8, "erfinv": 8, "normal_cdf": 8}
ATTRIBUTES = {
    "power_static": [{"exponent": e} for e in (2.5, 3.0, -1.0, 0.5)],
    "elu": [{"alpha": 1.3}],
    "normal_cdf": [{"half": 0.5, "root": -(0.5**0.5)}],
}
HALVES = {"float16": np.dtype("float16"), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, at the edges
N = 1003  # no multiple of any vector's length


def dtype_of(name):
    return HALVES.get(name) or np.dtype(name)


def run(native, key, inputs, result, attrs=()):
    """Fill `result` by the tile function of that key."""
    params = [tiles.INDEX[key], result.size, len(inputs)]
    native.call("tile", [*inputs, result], [*params, *np.array(attrs, "f8").view("i8").tolist()])
    return result


def numbers(dtype, rng, n=N):
    """Random and special numbers of a dtype, in random order."""
    if dtype == np.bool_:
        return rng.random(n) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        edges = [0, 1, 2, 3, 7, info.min, info.max, info.max - 1, info.max // 2, info.min // 2]
        edges = [*edges, *([-1, -2, -7] if dtype.kind == "i" else [])]
        small = rng.integers(max(info.min, -20), 21, n)
        wide = rng.integers(info.min, info.max, n, endpoint=True, dtype=dtype)
        return np.where(rng.random(n) < 0.5, rng.choice(np.array(edges, dtype), n),
                        np.where(rng.random(n) < 0.5, small.astype(dtype), wide))  # fmt: skip
    info = ml_dtypes.finfo(dtype)
    edges = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, 2, 3, np.inf, -np.inf, np.nan]
    edges += [float(info.max), float(info.min), float(info.tiny), float(info.smallest_subnormal)]
    edges += [-float(info.tiny) / 2, float(info.eps), 1 + float(info.eps), 1 - float(info.eps)]
    scale = 2.0 ** rng.integers(-12, 8, n)
    pick = rng.choice(np.array(edges, dtype), n)
    return np.where(rng.random(n) < 0.2, pick, (rng.normal(size=n) * scale).astype(dtype))


def same(got, expected, ulps, scale=0.0):
    """Equal, NaN where expected, or within some units in the last place, of `scale` if larger."""
    assert got.dtype == expected.dtype
    if got.dtype.kind in "iub":
        return np.testing.assert_array_equal(got, expected)
    wide_got, wide = got.astype("f8"), expected.astype("f8")
    np.testing.assert_array_equal(np.isnan(wide_got), np.isnan(wide))
    info = ml_dtypes.finfo(got.dtype)
    finite = np.isfinite(wide) & np.isfinite(wide_got)
    equal = (wide_got == wide) | np.isnan(wide)
    size = np.maximum(np.where(finite, np.maximum(np.abs(wide), scale), 1), float(info.tiny))
    unit = float(info.eps) * np.exp2(np.floor(np.log2(size)))
    near = finite & (np.abs(np.where(finite, wide_got - wide, 0)) <= ulps * unit)
    bad = ~(equal | near)
    assert not bad.any(), (got[bad][:5], expected[bad][:5], np.flatnonzero(bad)[:5])


def expected_of(op, inputs, attrs):
    """What the kernel gives; of half types by way of float32, as the tile functions do."""
    dtype = inputs[-1].dtype
    if dtype not in HALVES.values():
        return np.asarray(op.kernel(np, *inputs, **attrs))
    wide = [x if x.dtype == np.bool_ else x.astype("f4") for x in inputs]
    result = np.asarray(op.kernel(np, *wide, **attrs))
    return result if result.dtype == np.bool_ else result.astype(dtype)


def inputs_of(op, dtype, rng):
    inputs = [numbers(np.dtype(bool) if n == "condition" else dtype, rng) for n in op.inputs]
    if op.name == "power" and dtype.kind in "iu":
        inputs[1] = rng.integers(-3 if dtype.kind == "i" else 0, 9, N).astype(dtype)
    return inputs


def scale_of(op, inputs, attrs):
    """Where terms of a sum may cancel, what relative changes of the operands do to the result."""
    summed = re.search(r"[+-].*[*/]|[*/].*[+-]", op.scalar) and "?" not in op.scalar
    if (not summed and op.name not in CANCELLING) or inputs[-1].dtype.kind in "iub":
        return 0.0
    wide = [x.astype("f8") for x in inputs]
    result, change = expected_of(op, wide, attrs), 0.0
    for i, x in enumerate(wide):
        moved = expected_of(op, [*wide[:i], x * (1 + 2.0**-26), *wide[i + 1 :]], attrs)
        change = change + np.nan_to_num(np.abs(moved - result) * 2.0**26)
    return change


KEYS = [key for key in tiles.INDEX if not key.startswith(("cast:", "chain_"))]


def test_the_library_was_built_from_these_expressions(native):
    assert native.has(tiles.FINGERPRINT), "run `python setup.py build_ext --inplace` again"


@pytest.mark.parametrize("name", sorted({key.split(":")[0] for key in KEYS}))
def test_op(native, instruction_sets, name):
    op = core.REGISTRY[name]
    for key in (k for k in KEYS if k.split(":")[0] == name):
        dtype = dtype_of(key.split(":")[1])
        rng = np.random.default_rng(len(key))
        for attrs in ATTRIBUTES.get(name, [{}]):
            inputs = inputs_of(op, dtype, rng)
            expected = expected_of(op, inputs, attrs)
            for chosen in instruction_sets:
                native.set_instruction_set(chosen)
                result = np.full_like(expected, 1)
                run(native, key, inputs, result, [attrs[k] for k in sorted(attrs)])
                same(result, expected, ULPS.get(name, 4), scale_of(op, inputs, attrs))
                if expected.dtype == dtype:
                    place = inputs[-1].copy()
                    run(
                        native, key, [*inputs[:-1], place], place, [attrs[k] for k in sorted(attrs)]
                    )
                    np.testing.assert_array_equal(place.view("u1"), result.view("u1"))


@pytest.mark.parametrize("name", sorted({key.split(":")[0] for key in KEYS}))
def test_bits_do_not_depend_on_the_neighbours(native, instruction_sets, name):
    """A number gives the same bits in a vector, in what is left over, and beside any other."""
    op = core.REGISTRY[name]
    for key in (f"{name}:{dtype}" for dtype in ("float32", "float64")):
        if key not in KEYS:
            continue
        attrs = ATTRIBUTES.get(name, [{}])[0]
        given = [attrs[k] for k in sorted(attrs)]
        inputs = inputs_of(op, dtype_of(key.split(":")[1]), np.random.default_rng(5))
        result = expected_of(op, inputs, attrs)
        for chosen in instruction_sets:
            native.set_instruction_set(chosen)
            run(native, key, inputs, result, given)
            for part in (slice(3, N), slice(7, 8), slice(5, 10)):
                cut = [x[part].copy() for x in inputs]
                np.testing.assert_array_equal(
                    run(native, key, cut, result[part].copy(), given), result[part]
                )


DTYPES = sorted({key.split(":")[1] for key in tiles.INDEX if key.startswith("cast:")})


@pytest.mark.parametrize("source", DTYPES)
def test_cast(native, instruction_sets, source):
    rng = np.random.default_rng(0)
    a = dtype_of(source)
    for target in DTYPES:
        if source == target:
            continue
        b = dtype_of(target)
        x = numbers(a, rng)
        if b.kind in "iu" and a.kind not in "iub":
            info = np.iinfo(b)
            x = np.clip(
                np.nan_to_num(x.astype("f8")), max(-1e9, info.min / 2), min(info.max / 2, 6e4)
            ).astype(a)
        expected = x.astype(b)
        for chosen in instruction_sets:
            native.set_instruction_set(chosen)
            same(run(native, f"cast:{source}:{target}", [x], np.ones(N, b)), expected, 0)
