"""Functions that reduce or accumulate over axes."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import call, entry, mark, spec
from .inputs import DTYPES, FLOATS, HOLED, NOTHING, SHAPES, A, B, C, I, V, draw, typed, whole

PLAIN = "sum mean max min prod std var all any logsumexp amax amin median ptp"
NANS = "nansum nanmean nanmax nanmin nanprod nanstd nanvar nanmedian"
PLACES = "argmax argmin"
NAN_PLACES = "nanargmax nanargmin"
EVERY = f"ops: {PLAIN} {NANS} {PLACES} {NAN_PLACES}"
MANY_AXES = f"ops: {PLAIN} {NANS}"

for _axis, _keep in itertools.product((None, 0, -1), (False, True)):
    call(EVERY, A, axis=_axis, keepdims=_keep)
call(EVERY, HOLED)
call(EVERY, HOLED, axis=0)
call(EVERY, HOLED, axis=-1, keepdims=True)
call(EVERY, np.array([[1, 0, 3, 3], [3, 0, 0, 3]], "float32"), axis=1)
call(EVERY, np.array([[-np.inf, 0, 1], [-np.inf, np.inf, np.nan]], "float32"), axis=1)
for _axis in ((0, 2), (-1, 0), (1,), ()):
    call(MANY_AXES, C, axis=_axis)
    spec(MANY_AXES, C, axis=_axis, keepdims=True)
spec(f"ops: {PLACES}", C, axis=(0, 1))
for _shape in SHAPES:
    spec(EVERY, draw(*_shape))
    spec(EVERY, draw(*_shape), axis=-1)
    spec(EVERY, draw(*_shape), axis=2, keepdims=True)
for _dtype in DTYPES:
    call(EVERY, typed(_dtype, 3, 4), axis=1)
    spec(EVERY, typed(_dtype, 3, 4))
spec(EVERY, NOTHING)
spec(EVERY, NOTHING, axis=0)
spec(EVERY, NOTHING, axis=1)
spec(EVERY, NOTHING, axis=1, keepdims=True)
spec(EVERY, [[1.0, 2.0]], axis=1)
spec(EVERY, 2.5)
spec(EVERY, 3)
spec(EVERY, True)
spec(EVERY, A, axis=5)
spec(MANY_AXES, A, axis=(0, 0))
spec(EVERY, A, axis=1.5)
mark("ops: std nanstd var nanvar", tolerance=1e-4)

call("ops: max min", A, initial=1.0)
call("ops: max min", A, axis=0, initial=0.0)
call("ops: max min", NOTHING, axis=0, initial=0.0)
call("ops: prod", A, dtype="int32")
call("ops: prod", I, axis=1, dtype="float32")
spec("ops: prod", whole(3, 4, dtype="uint8"), dtype="int8")
for _axis in (None, 0, -1, (0, 1)):
    call("ops: count_nonzero", np.asarray(I - 3), axis=_axis)
for _dtype in DTYPES:
    call("ops: count_nonzero", typed(_dtype, 3, 4), axis=0)
for _shape in SHAPES:
    spec("ops: count_nonzero", draw(*_shape))
spec("ops: count_nonzero", A, axis=4)

CUMULATIVE = "ops: cumsum cumprod nancumsum nancumprod"
for _axis in (None, 0, -1):
    call(CUMULATIVE, A, axis=_axis)
    call(CUMULATIVE, HOLED, axis=_axis)
for _dtype in DTYPES:
    call(CUMULATIVE, typed(_dtype, 3, 4), axis=1)
    spec(CUMULATIVE, typed(_dtype, 3, 4), axis=1, dtype="float32")
for _shape in SHAPES:
    spec(CUMULATIVE, draw(*_shape))
    spec(CUMULATIVE, draw(*_shape), axis=-1)
call(CUMULATIVE, A, axis=0, dtype="float16")
call(CUMULATIVE, np.array([2.0, 0.0, 3.0, 0.0], "float32"), axis=0)
spec(CUMULATIVE, NOTHING, axis=1)
spec(CUMULATIVE, A, axis=2)

call("ops: average", A)
for _axis in (None, 0, -1, (0, 1)):
    call("ops: average", A, axis=_axis)
call("ops: average", A, axis=1, weights=draw(3, 4, low=0.1, high=1))
call("ops: average", A, weights=draw(3, 4, low=0.1, high=1))
call("ops: average", A, axis=1, weights=draw(4, low=0.1, high=1))
call("ops: average", A, axis=0, weights=whole(3))
call("ops: average", C, axis=(0, 2), weights=draw(2, 4, low=0.1, high=1))
spec("ops: average", A, axis=0, weights=draw(4))
spec("ops: average", A, weights=draw(4))
for _dtype in DTYPES:
    spec("ops: average", typed(_dtype, 3, 4), axis=0)
    spec("ops: average", typed(_dtype, 3, 4), axis=0, weights=draw(3))

QUANTILES = "ops: quantile nanquantile"
HUNDREDTHS = "ops: percentile nanpercentile"
for _names, _q, _qs in [
    (QUANTILES, 0.3, np.array([0.1, 0.7], "float32")),
    (HUNDREDTHS, 30.0, np.array([10.0, 70.0], "float32")),
]:
    for _axis, _keep in itertools.product((None, 0, -1), (False, True)):
        call(_names, A, _q, axis=_axis, keepdims=_keep)
    call(_names, A, _qs, axis=1)
    call(_names, A, _qs)
    call(_names, A, _qs, axis=0, keepdims=True)
    call(_names, C, _q, axis=(0, 2))
    call(_names, C, _qs, axis=(-1, 1), keepdims=True)
    call(_names, HOLED, _q, axis=0)
    call(_names, HOLED, _qs, axis=1)
    for _method in ("linear", "lower", "higher", "midpoint", "nearest"):
        call(_names, draw(5), 100 * 0.4 if _q > 1 else 0.4, method=_method)
    spec(_names, A, _q, method="other")
    spec(_names, A, [_q, _q])
    spec(_names, A, 1)
    for _dtype in DTYPES:
        spec(_names, typed(_dtype, 3, 4), _q, axis=0)
    for _shape in SHAPES:
        spec(_names, draw(*_shape), _q)
    spec(_names, A, _q, axis=3)

call("ops: norm", A)
for _order, _axis in [
    (None, 1), (None, (0, 2)), (1, 1), (2, -1), (3, 1), (0, 1), (np.inf, 2), (-np.inf, 0),
    ("fro", (1, 2)), ("nuc", (1, 2)), (1, (1, 2)), (-1, (1, 2)), (2, (0, 2)), (-2, (1, 2)),
    (np.inf, (1, 2)), (-np.inf, (0, 1)),
]:  # fmt: skip
    call("ops: norm", C, ord=_order, axis=_axis)
    spec("ops: norm", C, ord=_order, axis=_axis, keepdims=True)
for _order, _axis in [
    ("fro", 1),
    (3, (1, 2)),
    (1, None),
    ("other", (0, 1)),
    (2, (0, 1, 2)),
    (None, 5),
]:
    spec("ops: norm", C, ord=_order, axis=_axis)
for _dtype in DTYPES:
    spec("ops: norm", typed(_dtype, 3, 4))
    spec("ops: norm", typed(_dtype, 3, 4), ord=1, axis=1)
for _shape in SHAPES:
    spec("ops: norm", draw(*_shape))
mark("ops: norm", tolerance=2e-4)

call("ops: normalize", A)
for _axis, _order in itertools.product((0, -1, 1), (2, 1, 3, 0.5)):
    call("ops: normalize", A, axis=_axis, order=_order)
call("ops: normalize", A, epsilon=5.0)
call("ops: normalize", np.zeros((2, 3), "float32"))
call("ops: normalize", C, axis=(0, 1))
call("ops: normalize", V)
for _order in (0, -1, np.inf, "2"):
    call("ops: normalize", A, order=_order)
for _dtype in DTYPES:
    spec("ops: normalize", typed(_dtype, 3, 4))
for _shape in SHAPES:
    spec("ops: normalize", draw(*_shape))

call("ops: moments", A, 0)
for _axes in ([0], [0, 1], (1,), [-1], (0, 2)):
    for _keep in (False, True):
        call("ops: moments", C, _axes, keepdims=_keep)
for _dtype in FLOATS + ["int32"]:
    call("ops: moments", typed(_dtype, 3, 4), [0])
spec("ops: moments", A, [2])
spec("ops: moments", A, None)

call("ops: trapezoid", A)
call("ops: trapezoid", A, dx=0.5, axis=0)
call("ops: trapezoid", A, x=np.sort(V))
call("ops: trapezoid", A, x=np.sort(B, 0), axis=0)
call("ops: trapezoid", I)
for _dtype in DTYPES:
    spec("ops: trapezoid", typed(_dtype, 3, 4))
for _shape in SHAPES:
    spec("ops: trapezoid", draw(*_shape))
call("ops: corrcoef", A)
call("ops: corrcoef", V)
call("ops: corrcoef", I)
spec("ops: corrcoef", C)
spec("ops: corrcoef", 2.0)
for _dtype in DTYPES:
    spec("ops: corrcoef", typed(_dtype, 3, 4))
mark("ops: corrcoef", tolerance=2e-4)
call("ops: histogram", draw(20))
call("ops: histogram", draw(20), bins=5)
call("ops: histogram", draw(3, 4), bins=4, range=(-1, 1))
call("ops: histogram", whole(20), bins=3)
call("ops: histogram", np.zeros(0, "float32"), bins=3)
call("ops: histogram", draw(20), bins=[1, 2])
call("ops: histogram", draw(20), range=(2, 1))
call("ops: histogram", draw(20), range=(1, 1))
for _dtype in DTYPES:
    call("ops: histogram", typed(_dtype, 20), bins=3)
entry("ops.nanmedian").differs = {
    "float32[0,4]": "the median of nothing is NaN, as `median` gives it; JAX fails inside",
}
