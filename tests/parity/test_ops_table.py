"""Every public name of the inventory, call by call, on the published Keras and on kerasish.

`ops_table/` holds the calls by family; `scripts/parity_counts` counts them, and
`scripts/keras_inventory` writes the inventory of names anew.
"""

import inspect
import json
from pathlib import Path

import keras
import pytest
from ops_table import judging
from ops_table.entries import Entry, expand, lookup
from ops_table.families import TABLE

import kerasish

pytestmark = pytest.mark.parity
INVENTORY = {
    path.stem: json.loads(path.read_text())
    for path in (Path(__file__).parent / "inventory").glob("*.json")
}
NAMES = sorted(TABLE)
# Names whose first call is compared by value in the fast part, for JAX compiles each.
EVERYDAY = expand(
    "ops: add subtract multiply true_divide power exp log sqrt tanh relu sigmoid softmax sum mean "
    "max var argmax matmul einsum where concatenate reshape transpose take sort cumsum one_hot "
    "conv max_pool layer_normalization categorical_crossentropy"
)


def aspect_of(label):
    """What is meant to differ: the results of eager calls if nothing else is said."""
    last = label.rpartition(":")[2]
    named = ("symbolic", "unknown", "compiled", "model", "gradient")
    return last if last in named else "eager"


def report(found, entry, aspects):
    """Fail with every difference that isn't meant, and every one that was and is no more."""
    meant = {k for k in entry.differs if aspect_of(k) in aspects}
    lines = [f"{k}: {v}" for k, v in found.items() if k not in entry.differs]
    lines += [f"{k}: differs no more" for k in meant - found.keys()]
    assert not lines, f"{entry.name}\n" + "\n".join(lines)


@pytest.mark.parametrize("module", INVENTORY)
def test_every_name_has_an_entry(module):
    missing = [
        name
        for name, described in INVENTORY[module].items()
        if "same_as" not in described and f"{module}.{name}" not in TABLE
    ]
    assert not missing


def arguments(function):
    """Names and defaults; of classes those of `__init__`."""
    return [
        (p.name, p.default)
        for p in inspect.signature(function).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "self"
    ]


@pytest.mark.parametrize("module", INVENTORY)
def test_arguments_are_those_of_keras(module):
    for name, described in INVENTORY[module].items():
        ours, theirs = (lookup(k, f"{module}.{name}") for k in (kerasish, keras))
        assert inspect.isclass(ours) == inspect.isclass(theirs), name
        if described.get("kind") in ("function", "class") and name != "MAP_TO_NONE":
            assert arguments(ours) == arguments(theirs), name


@pytest.mark.parametrize("module", INVENTORY)
def test_names_of_one_thing_are_one_thing(module):
    for name, described in INVENTORY[module].items():
        if "same_as" in described:
            ours = lookup(kerasish, f"{module}.{name}")
            assert ours is lookup(kerasish, described["same_as"]), name


def test_the_inventory_is_that_of_the_installed_keras():
    import importlib.machinery
    import importlib.util

    path = Path(__file__).parents[2] / "scripts" / "keras_inventory"
    loader = importlib.machinery.SourceFileLoader("keras_inventory", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    assert module.inventory() == INVENTORY


def part(entry, count):
    """An entry with the first calls only, none of them by value."""
    cases = [judging.without_values(c) for c in entry.cases[:count]]
    kept = {**vars(entry), "cases": cases, "differs": {}}
    return Entry(**kept)


@pytest.mark.parametrize("room", sorted({n.rpartition(".")[0] for n in NAMES}))
def test_first_shapes_and_dtypes(room):
    """Without compiling anything."""
    failed = {}
    for name in NAMES:
        entry = TABLE[name]
        if name.rpartition(".")[0] != room or not entry.batch:
            continue
        few = part(entry, 1)
        wanted = judging.their_outcomes(few)
        found = judging.compare_eager(few, wanted)
        found.update(judging.compare_symbolic(few, wanted))
        unmeant = {k: v for k, v in found.items() if k not in entry.differs}
        if unmeant:
            failed[name] = unmeant
    assert not failed


def test_first_values():
    """One call of what is used every day, compiled together."""
    entries = [TABLE[name] for name in EVERYDAY if name in TABLE]
    wanted = judging.first_values(entries)
    for entry, theirs in zip(entries, wanted, strict=True):
        ours = judging.our_outcome(entry.cases[0])
        assert not judging.difference(ours, theirs, entry.tolerance), entry.name


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_results(name):
    entry = TABLE[name]
    wanted = judging.their_outcomes(entry)
    found = judging.compare_eager(entry, wanted)
    found.update(judging.compare_symbolic(entry, wanted))
    report(found, entry, ("eager", "symbolic", "unknown"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_compiled_and_in_models(name):
    report(judging.compare_modes(TABLE[name]), TABLE[name], ("compiled", "model"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_gradients(name):
    entry = TABLE[name]
    case = judging.gradient_case(entry)
    if case is not None:
        text = judging.compare_gradient(entry, case)
        assert not text or f"{case.label}:gradient" in entry.differs, f"{name} {case.label}: {text}"
