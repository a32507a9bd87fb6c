"""Make the layer of a case with both packages and say where they differ.

Every judgement returns `{label: what differs}`, which is empty if nothing does.
"""

from __future__ import annotations

import contextlib
import inspect
from functools import partial
from typing import Any

import keras
import numpy as np
from layer_pairs import both, plain
from ops_table.judging import (
    Raised,
    attempt,
    difference,
    dtype_name,
    fits,
    leaves,
    may_answer,
    spec_of,
)

import kerasish

from .entries import SEEDED, Case, replace

POLICIES = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")
Found = dict[str, str]


def pair(case: Case, policy: str | None = None) -> tuple[Any, Any]:
    """Both layers, theirs first, not built."""
    packages = both()
    if policy is None:
        theirs, ours = (case.make(k) for k in packages)
    elif case.nested:  # layers within have no policy of their own
        with global_policy(policy, packages):
            theirs, ours = (case.make(k) for k in packages)
    else:
        theirs, ours = (case.make(k, dtype=policy) for k in packages)
    return theirs, ours


@contextlib.contextmanager
def global_policy(policy: str, packages: Any) -> Any:
    for k in packages:
        k.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        for k in packages:
            k.config.set_dtype_policy("float32")


def package_of(layer: Any) -> Any:
    return kerasish if isinstance(layer, kerasish.layers.Layer) else keras


def unknown_shape(x: Any, unknown: int) -> tuple[int | None, ...]:
    """The shape with as many of the first axes being of unknown size; features stay known."""
    count = min(unknown, max(1, x.ndim - 1))
    return (None,) * count + x.shape[count:]


def call_symbolic(layer: Any, case: Case, unknown: int = 0) -> Any:
    make = package_of(layer).KerasTensor
    args, kwargs = case.arguments(
        [make(unknown_shape(x, unknown), x.dtype.name) for x in case.tensors()]
    )
    return layer(*args, **kwargs)


def built(case: Case, policy: str | None = None) -> tuple[Any, Any]:
    """Both layers with the same weights. Building computes nothing but first weights."""
    theirs, ours = pair(case, policy)
    for layer in (theirs, ours):
        call_symbolic(layer, case)
    scramble(theirs, ours)
    return theirs, ours


def scramble(theirs: Any, ours: Any) -> None:
    """The same weights in both: numbers away from zero, positive where they are spreads."""
    rng = np.random.default_rng(0)
    for one, other in zip(theirs.variables, ours.variables, strict=True):
        if SEEDED in one.path:
            other.assign(np.asarray(one.value))
            continue
        if "float" not in dtype_name(other):
            continue
        value = rng.uniform(0.05, 0.6, one.shape)
        if not any(word in one.path for word in ("variance", "stddev")):
            value = value * rng.choice([-1, 1], one.shape)
        one.assign(value.astype("float32"))
        other.assign(value.astype("float32"))


def collect(**texts: str) -> Found:
    return {label.replace("_", " "): text for label, text in texts.items() if text}


# -- what is known without computing


def config(layer: Any) -> Any:
    return plain(layer.get_config())


def variables(layer: Any) -> list[Any]:
    """Paths, shapes, types and whether they are trained, penalised, constrained."""
    found: list[Any] = []
    for v in layer.variables:
        facts = (dtype_name(v), v.trainable, bool(v.regularizer), bool(v.constraint))
        found.append(v.path if SEEDED in v.path else [v.path, list(v.shape), *facts])
    return found


def input_spec(layer: Any) -> Any:
    names = ("ndim", "min_ndim", "max_ndim", "shape", "axes", "dtype", "allow_last_axis_squeeze")
    specs = [spec for spec in leaves(layer.input_spec) if spec is not None]
    return [[getattr(spec, name) for name in names] for spec in specs]


FACTS = {
    "variables": variables,
    "config": config,
    "build config": lambda x: plain(x.get_build_config()),
    "serialized": lambda x: plain(package_of(x).saving.serialize_keras_object(x)),
    "supports masking": lambda x: x.supports_masking,
    "input spec": input_spec,
}


def unequal(what: str, ours: Any, theirs: Any) -> str:
    """Where two plain structures differ."""
    texts: list[str] = []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = {**ours, **theirs}
        texts = [unequal(f"{what}.{k}", ours.get(k, "-"), theirs.get(k, "-")) for k in keys]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        texts = [unequal(what, a, b) for a, b in zip(ours, theirs, strict=True)]
    elif ours != theirs:
        return f"{what}: ours {ours}, Keras {theirs}"
    return next((t for t in texts if t), "")


def compare_descriptions(case: Case) -> Found:
    """Weights, configs and layers made of them, masking, what inputs are refused."""
    theirs, ours = pair(case)
    found = {"config at first": unequal("config", config(ours), config(theirs))}
    theirs, ours = built(case)
    found |= {what: unequal(what, fact(ours), fact(theirs)) for what, fact in FACTS.items()}
    # Either is made from the other's config, and from what is written of it.
    mine, wanted = config(ours), config(theirs)
    found["from config"] = unequal(
        "config", config(type(ours).from_config(theirs.get_config())), wanted
    )
    if mine == wanted:
        copies = {
            "from our config": lambda: type(theirs).from_config(ours.get_config()),
            "read": lambda: _read(theirs, kerasish),
            "read by Keras": lambda: _read(ours, keras),
        }
        for what, make in copies.items():
            copy = attempt(make)
            found[what] = (
                str(copy) if isinstance(copy, Raised) else unequal("", config(copy), wanted)
            )
    return collect(**found)


def _read(layer: Any, package: Any) -> Any:
    written = plain(package_of(layer).saving.serialize_keras_object(layer))
    return package.saving.deserialize_keras_object(written)


def compare_symbolic(case: Case) -> Found:
    """Shapes and dtypes of symbolic results, with none up to all sizes unknown but the last, and
    what `compute_output_shape` says, before building and after."""
    found: Found = {}
    most = max(1, *(x.ndim - 1 for x in case.tensors()))
    for unknown in range(min(most, case.most_unknown) + 1):
        theirs, ours = pair(case)
        shapes = [_output_shapes(layer, case, unknown) for layer in (theirs, ours)]
        outcomes = [attempt(partial(call_symbolic, x, case, unknown)) for x in (theirs, ours)]
        found[f"{unknown} unknown"] = _symbolic_difference(outcomes[1], outcomes[0], unknown)
        if unknown == 1:
            after = [_output_shapes(layer, case, unknown) for layer in (theirs, ours)]
            found["compute output shape at first"] = _shape_difference(*shapes)
            found["compute output shape"] = _shape_difference(*after)
    return collect(**found)


def _symbolic_difference(ours: Any, theirs: Any, unknown: int) -> str:
    """Ours may know sizes that Keras leaves open, and take sizes that Keras cannot do with."""
    raised = isinstance(theirs, Raised)
    if not isinstance(ours, Raised) and (
        (unknown > 1 and raised) or (not raised and fits(spec_of(theirs), spec_of(ours)))
    ):
        return ""
    return difference(ours, theirs, 0, values=False)


def _output_shapes(layer: Any, case: Case, unknown: int) -> Any:
    shapes = iter([unknown_shape(x, unknown) for x in case.tensors()])
    arguments = replace(case.inputs, lambda _: next(shapes))
    return attempt(lambda: plain(layer.compute_output_shape(*arguments)))


def _shape_difference(theirs: Any, ours: Any) -> str:
    # Where Keras has no answer ours may have one.
    return "" if isinstance(theirs, Raised) or ours == theirs else f"ours {ours}, Keras {theirs}"


def compare_policies(case: Case) -> Found:
    """Dtypes of weights and results under each policy."""
    found: Found = {}
    for policy in POLICIES:
        theirs, ours = pair(case, policy)
        outcomes = [attempt(lambda x=x: call_symbolic(x, case, 1)) for x in (theirs, ours)]
        if isinstance(outcomes[0], Raised) and may_answer(outcomes[0]):
            continue  # an initializer that JAX lacks in that type
        facts = [
            {
                "compute dtype": x.compute_dtype, "variable dtype": x.variable_dtype,
                "config": config(x), "variables": variables(x),
            }
            for x in (theirs, ours)
        ]  # fmt: skip
        text = _symbolic_difference(outcomes[1], outcomes[0], 1)
        found[policy] = text or unequal("", facts[1], facts[0])
    return collect(**found)


# -- states


def state(layer: Any) -> list[np.ndarray]:
    return [np.array(v.value) for v in layer.variables]


def put(layer: Any, values: Any) -> None:
    """Set all variables, and states of stateful layers to zero; forget what a cell drew."""
    if hasattr(layer, "reset_dropout_mask"):
        layer.reset_dropout_mask()
        layer.reset_recurrent_dropout_mask()
    for v, value in zip(layer.variables, values, strict=True):
        v.assign(value)
    reset(layer)


def is_stateful(layer: Any) -> bool:
    return bool(vars(layer).get("stateful"))  # of others it is an older attribute, with a warning


def reset(layer: Any) -> None:
    if is_stateful(layer):
        layer.reset_state()


def training_modes(layer: Any) -> list[bool | None]:
    takes = "training" in inspect.signature(layer.call).parameters
    return [False, True] if takes else [None]


def label(what: str, training: bool | None) -> str:
    return f"{what} in training" if training else what
