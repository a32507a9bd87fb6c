"""Compare what layers compute: results, losses, states, gradients, masks, half precision, draws."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend import get_keras_mask, set_keras_mask
from ops_table.judging import Raised, attempt, difference, leaves

import kerasish
import kerasish_core as core

from .entries import SEEDED, Case, replace
from .judging import Found, built, collect, is_stateful, label, reset, scramble, training_modes

HALVES = ("mixed_float16", "mixed_bfloat16")
DRAWS = 200


def probe(shape: Any) -> np.ndarray:
    """Weights of a sum, without symmetry."""
    return np.cos(np.arange(int(np.prod(shape))) + 0.5).reshape(shape).astype("float32")


def floating(y: Any) -> list[Any]:
    return [v for v in leaves(y) if hasattr(v, "dtype") and "float" in str(v.dtype)]


def mode(training: bool | None) -> dict[str, Any]:
    return {} if training is None else {"training": training}


def times(layer: Any) -> int:
    """Stateful layers are called twice."""
    return 2 if is_stateful(layer) else 1


# -- results, losses, states, gradients


def their_outcome(case: Case, layer: Any, training: bool | None) -> dict[str, Any]:
    """One program for all. Not by `stateless_call`, which runs `call` only: no penalties."""

    def run(weights: Any, values: Any) -> Any:
        mapping = list(zip(layer.trainable_variables, weights, strict=True))
        args, kwargs = case.arguments_moving(values)
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
            y = [layer(*args, **kwargs, **mode(training)) for _ in range(times(layer))]
            losses = list(layer.losses)
        after = [
            v.value if (new := scope.get_current_value(v)) is None else new
            for v in layer.non_trainable_variables
        ]
        # An assigned state is a function of what it was on JAX, and starts anew for a tape.
        total = sum((v * probe(v.shape)).sum() for v in floating(y[0])) + sum(losses)
        return total, {"outputs": y, "losses": losses, "state": after}

    weights = [v.value for v in layer.trainable_variables]
    values = [jnp.asarray(x) for x in case.moving_values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not case.gradients:
            return jax.jit(run)(weights, values)[1]
        step = jax.jit(jax.value_and_grad(run, (0, 1), has_aux=True))
        (_, outcome), (of_weights, of_values) = step(weights, values)
    return {**outcome, "gradients": [*of_weights, *of_values]}


def our_outcome(case: Case, layer: Any, training: bool | None) -> dict[str, Any]:
    values = [core.constant(x) for x in case.moving_values()]
    reset(layer)
    return our_run(case, layer, training, values)


def our_run(case: Case, layer: Any, training: bool | None, values: Any) -> dict[str, Any]:
    with core.GradientTape() as tape:
        tape.watch(list(values))
        args, kwargs = case.arguments_moving(values)
        y = [layer(*args, **kwargs, **mode(training)) for _ in range(times(layer))]
        losses = list(layer.losses)
        total = sum(core.ops.sum(v * probe(v.shape)) for v in floating(y[0])) + sum(losses)
    after = [v.value for v in layer.non_trainable_variables]
    outcome = {"outputs": y, "losses": losses, "state": after}
    if not case.gradients:
        return outcome
    sources = [*layer.trainable_variables, *values]
    found = tape.gradient(total, sources, unconnected_gradients="zero")
    return {**outcome, "gradients": found}


def compare_values(case: Case) -> Found:
    """Results, losses, state afterwards and gradients, at inference and in training."""
    theirs, ours = built(case)
    kept = [SEEDED not in v.path for v in theirs.non_trainable_variables]
    found: Found = {}
    for training in [False] if case.random else training_modes(theirs):
        scramble(theirs, ours)
        wanted = attempt(lambda t=training: their_outcome(case, theirs, t))
        mine = attempt(lambda t=training: our_outcome(case, ours, t))
        if isinstance(wanted, Raised) or isinstance(mine, Raised):
            found[label("raised", training)] = f"ours {mine}, Keras {wanted}"[:400]
            continue
        for outcome in (wanted, mine):
            outcome["state"] = [x for x, k in zip(outcome["state"], kept, strict=True) if k]
        for what, expected in wanted.items():
            tolerance = case.tolerance * (10 if what == "gradients" else 1)
            found[label(what, training)] = difference(mine[what], expected, tolerance)
    return collect(**found)


# -- half precision


def compare_half(case: Case) -> Found:
    """Results in half precision, to a part of the largest."""
    found: Found = {}
    for policy in HALVES:
        theirs, ours = built(case, policy)
        wanted = attempt(functools.partial(_their_results, theirs, case))
        mine = attempt(functools.partial(_results, ours, case))
        if isinstance(mine, Raised):
            found[policy] = str(mine)
            continue
        if isinstance(wanted, Raised) and wanted.by_the_judges_kernels():
            continue  # JAX lacks it for this type
        found[policy] = difference(mine, wanted, 0, values=False)
        if not found[policy]:
            limit = case.half * (4 if policy == "mixed_bfloat16" else 1)
            found[policy] = _far(mine, wanted, limit)
    return collect(**found)


def _results(layer: Any, case: Case) -> Any:
    args, kwargs = case.arguments()
    return layer(*args, **kwargs, **mode(False))


def _their_results(layer: Any, case: Case) -> Any:
    def run() -> Any:
        with keras.StatelessScope():
            return _results(layer, case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jax.jit(run)()


def _far(ours: Any, theirs: Any, limit: float) -> str:
    for one, other in zip(leaves(ours), leaves(theirs), strict=True):
        a, b = (np.asarray(v, "float64") for v in (one, other))
        off = np.abs(a - b).max(initial=0) / max(1.0, np.abs(b).max(initial=0))
        if not off <= limit:
            return f"off by {off}"
    return ""


# -- masks


def drawn_masks(case: Case) -> list[Any]:
    """A mask of steps for each floating input of rank three and more. Its first row is whole and
    no first step is masked."""
    found: list[Any] = []
    for i, x in enumerate(case.tensors()):
        mask = None
        if x.dtype.kind == "f" and x.ndim > 2:
            mask = np.random.default_rng(i + 1).random(x.shape[:2]) > 0.4
            mask[0] = mask[:, 0] = True
        found.append(mask)
    return found


def their_masked(layer: Any, case: Case, masks: Any) -> Any:
    def run() -> Any:
        tensors = [jnp.asarray(x) for x in case.tensors()]
        for x, mask in zip(tensors, masks, strict=True):
            if mask is not None:
                set_keras_mask(x, jnp.asarray(mask))
        args, kwargs = case.arguments(tensors)
        with keras.StatelessScope():
            y = layer(*args, **kwargs, **mode(False))
        return y, [get_keras_mask(v) for v in leaves(y)]

    return jax.jit(run)()


def our_masked(layer: Any, case: Case, masks: Any) -> Any:
    tensors = [core.constant(x) for x in case.tensors()]
    for x, mask in zip(tensors, masks, strict=True):
        if mask is not None:
            x.mask = core.constant(mask)
    args, kwargs = case.arguments(tensors)
    y = layer(*args, **kwargs, **mode(False))
    return y, [getattr(v, "mask", None) for v in leaves(y)]


def compare_masks(case: Case) -> Found:
    """Masked inputs: results and their masks, whether a mask is said to be lost, `compute_mask`."""
    masks = drawn_masks(case)
    if all(m is None for m in masks):
        return {}
    theirs, ours = built(case)
    outcomes, lost = [], []
    for run, layer in ((their_masked, theirs), (our_masked, ours)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcomes.append(attempt(lambda run=run, layer=layer: run(layer, case, masks)))
        lost.append(any("does not support masking" in str(w.message) for w in caught))
    found = {"results": difference(outcomes[1], outcomes[0], case.tolerance)}
    if lost[0] != lost[1]:
        found["lost"] = f"ours {lost[1]}, Keras {lost[0]}"
    of_inputs, _ = case.arguments(masks)
    if len(of_inputs) == 1:
        found["compute mask"] = _compute_mask_difference(case, theirs, ours, of_inputs[0])
    return collect(**found)


def _compute_mask_difference(case: Case, theirs: Any, ours: Any, mask: Any) -> str:
    found = [
        attempt(
            lambda x=x, make=make: x.compute_mask(
                replace(case.inputs[0], make), replace(mask, make)
            )
        )
        for x, make in ((theirs, jnp.asarray), (ours, core.constant))
    ]
    return difference(found[1], found[0], 0)


# -- layers that draw


def flat(y: Any) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(v, "float64")) for v in leaves(y)])


def compare_draws(case: Case) -> Found:
    """What is drawn in training: mean and spread of each element, and the same by a seed."""
    keras.utils.set_random_seed(3)  # AugMix chooses by Python's generator
    theirs, ours = built(case)
    if "training" not in inspect.signature(ours.call).parameters:
        return {"call": "takes no `training`"}
    args, kwargs = case.arguments()
    mine = np.stack([_draw(ours, args, kwargs) for _ in range(DRAWS)])
    wanted = None if case.fixed else attempt(lambda: _their_draws(theirs, args, kwargs))
    if case.fixed or isinstance(wanted, Raised):  # not to be compiled by JAX
        wanted = attempt(lambda: np.stack([_draw(theirs, args, kwargs) for _ in range(DRAWS)]))
    if isinstance(wanted, Raised):
        return {"raised": str(wanted)}
    if mine.shape != wanted.shape:
        return {"shape": f"ours {mine.shape}, Keras {wanted.shape}"}
    found: Found = {}
    if (mine[0] == mine[1]).all():
        found["draws"] = "two are the same"
    spread = max(wanted.std(0).max(), mine.std(0).max())
    for what in ("mean", "std"):
        # The spread of a mean of 200 is a fourteenth of that of the elements.
        far = np.abs(getattr(mine, what)(0) - getattr(wanted, what)(0)).max() / spread
        found[what] = f"off by {far} of the spread" if far > 0.5 else ""
    found["seed"] = _seed_difference(case)
    return collect(**found)


def _draw(layer: Any, args: Any, kwargs: Any) -> np.ndarray:
    if hasattr(layer, "reset_dropout_mask"):  # a cell, which would keep what it drew
        layer.reset_dropout_mask()
        layer.reset_recurrent_dropout_mask()
    return flat(layer(*args, **kwargs, training=True))


def _their_draws(layer: Any, args: Any, kwargs: Any) -> np.ndarray:
    weights = [v.value for v in layer.trainable_variables]

    if hasattr(layer, "reset_dropout_mask"):
        layer.reset_dropout_mask()
        layer.reset_recurrent_dropout_mask()

    def step(state: Any, _: Any) -> Any:
        y, state = layer.stateless_call(weights, state, *args, **kwargs, training=True)
        return state, jnp.concatenate([v.astype("float32").ravel() for v in leaves(y)])

    start = [v.value for v in layer.non_trainable_variables]
    return np.asarray(jax.jit(lambda s: jax.lax.scan(step, s, None, DRAWS))(start)[1], "float64")


def _seed_difference(case: Case) -> str:
    found = []
    for _ in range(2):
        kerasish.utils.set_random_seed(4)
        layer = case.make(kerasish)
        args, kwargs = case.arguments()
        found.append([flat(layer(*args, **kwargs, training=True)) for _ in range(2)])
    same = all((a == b).all() for a, b in zip(*found, strict=True))
    return "" if same else "does not decide what is drawn"
