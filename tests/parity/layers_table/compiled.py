"""Compare our layers with themselves: compiled, copied and in a model."""

from __future__ import annotations

from typing import Any

from ops_table.judging import difference

import kerasish

from .entries import Case
from .judging import Found, built, collect, label, put, state, training_modes
from .values import our_outcome, our_run


def compare_compiled(case: Case) -> Found:
    """Ours compiled, gradients and all, against ours eager; a copy and a model likewise."""
    _, ours = built(case)
    before = state(ours)
    found: Found = {}
    for training in training_modes(ours):
        put(ours, before)
        eager = our_outcome(case, ours, training)
        eager["state"] = state(ours)
        put(ours, before)
        step = kerasish.function(lambda *values, t=training: our_run(case, ours, t, values))
        compiled = step(*case.moving_values())
        compiled["state"] = state(ours)
        for what, wanted in eager.items():
            tolerance = 1e-4 if what == "gradients" else 1e-5
            found[label(what, training)] = difference(compiled[what], wanted, tolerance)
    found["copy"] = _copy_difference(case, ours, before)
    if case.symbolic:
        found["model"] = _model_difference(case, ours, before)
    return collect(**found)


def _plainly(layer: Any, case: Case) -> Any:
    args, kwargs = case.arguments()
    return layer(*args, **kwargs, **({"training": False} if case.random else {}))


def _copy_difference(case: Case, ours: Any, before: Any) -> str:
    put(ours, before)
    wanted = _plainly(ours, case)
    copy = type(ours).from_config(ours.get_config())
    _plainly(copy, case)
    put(copy, before)
    return difference(_plainly(copy, case), wanted, 1e-6)


def _model_difference(case: Case, ours: Any, before: Any) -> str:
    put(ours, before)
    wanted = _plainly(ours, case)
    put(ours, before)
    inputs = [kerasish.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in case.tensors()]
    args, kwargs = case.arguments(inputs)
    model = kerasish.Model(inputs, ours(*args, **kwargs))
    more = {"training": False} if case.random else {}
    return difference(model(case.tensors(), **more), wanted, 1e-5)
