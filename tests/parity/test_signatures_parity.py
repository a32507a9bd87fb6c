"""Every public name of the published Keras is here, with its parameters; and every public member
of its classes, with the parameters of its methods."""

import importlib
import inspect
import types

import keras
import pytest

import kerasish

pytestmark = pytest.mark.parity

PLAIN = (bool, int, float, str, bytes, tuple, list, type(None))
# A step of a model is that of `tf.keras` here: state is in variables.
STEPS = {"train_step", "test_step", "predict_step"}
# Methods whose parameters are the general ones of their base class here.
GENERAL = {
    "compute_output_spec", "compute_output_shape", "compute_mask", "quantized_build",
    "quantized_call",
}  # fmt: skip
# Ours name more, or take more.
OTHER = {
    ("Bidirectional", "compute_output_shape"), ("FlaxLayer", "call"), ("JaxLayer", "call"),
    ("TFSMLayer", "call"), ("TorchModuleWrapper", "call"), ("StatelessScope", "add_loss"),
    ("RandomGrayscale", "get_random_transformation"), ("Sequential", "call"),
    ("RandomGrayscale", "transform_bounding_boxes"), ("RandomGrayscale", "transform_labels"),
    ("RandomGrayscale", "transform_segmentation_masks"), ("StackedRNNCells", "call"),
    ("Adadelta", "update_step"),  # all others call it "gradient"
    ("OrbaxCheckpoint", "is_multihost_enabled"), ("OrbaxCheckpoint", "is_primary_host"),
}  # fmt: skip


def modules():
    """Names of Keras's public modules, relative to `keras`."""
    found, waiting = [], [("", keras)]
    while waiting:
        name, module = waiting.pop()
        found.append(name)
        for key, value in vars(module).items():
            if (
                isinstance(value, types.ModuleType)
                and not key.startswith("_")
                and value.__name__.startswith("keras.")
                and key != "src"
            ):
                waiting.append((f"{name}.{key}".lstrip("."), value))
    return sorted(found)


MODULES = modules()


def module_of(root, name):
    found = root
    for part in filter(None, name.split(".")):
        found = getattr(found, part, None) or importlib.import_module(f"{found.__name__}.{part}")
    return found


def public(module):
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }


def parameters(function):
    """Names, kinds and plain defaults; None where Python does not know them."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    empty = inspect.Parameter.empty
    return [
        (p.name, p.kind.name, p.default is not empty, p.default)
        if isinstance(p.default, PLAIN)
        else (p.name, p.kind.name, p.default is not empty, None)
        for p in found
    ]


def test_there_are_many_modules():
    assert len(MODULES) > 40 and {"layers", "ops.numpy", "utils.bounding_boxes"} <= {*MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_names_and_parameters(name):
    theirs, ours = module_of(keras, name), module_of(kerasish, name)
    missing, differing = [], []
    for key, value in public(theirs).items():
        own = getattr(ours, key, None)
        if own is None and value is not None:
            missing.append(key)
        elif inspect.isclass(value) != inspect.isclass(own):
            differing.append((key, type(own)))
        elif callable(value) and key != "ExportArchive":  # which takes anything on JAX
            wanted, found = (
                parameters(x.__init__ if inspect.isclass(x) else x) for x in (value, own)
            )
            if wanted is not None and wanted != found:
                differing.append((key, wanted, found))
    assert not missing, f"keras.{name}: not here: {missing}"
    assert not differing, f"keras.{name}: {differing}"


@pytest.mark.parametrize("name", MODULES)
def test_members_of_classes(name):
    theirs, ours = module_of(keras, name), module_of(kerasish, name)
    missing, differing = [], []
    for key, cls in public(theirs).items():
        if not inspect.isclass(cls):
            continue
        own = getattr(ours, key)
        for member in dir(cls):
            if member.startswith("_"):
                continue
            if not hasattr(own, member):
                missing.append((key, member))
                continue
            if member in STEPS | GENERAL or (key, member) in OTHER:
                continue
            pair = [inspect.getattr_static(c, member) for c in (cls, own)]
            if not all(map(inspect.isfunction, pair)):
                continue
            wanted, found = ([p[0] for p in parameters(f)] for f in pair)
            if wanted != found:
                differing.append((key, member, wanted, found))
    assert not missing, f"keras.{name}: not here: {missing}"
    assert not differing, f"keras.{name}: {differing}"
