"""What is written of layers and models, against the published Keras."""

import json

import keras
import pytest
from layer_pairs import both

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own, on NumPy 2
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def plain(value):
    """As it stands in a file."""
    return json.loads(json.dumps(value))


def test_a_mixed_policy_of_spatial_dropout_is_kept():
    """Keras writes the variables' dtype only, and reads another policy back."""
    layer = kerasish.layers.SpatialDropout1D(0.1, dtype="mixed_bfloat16")
    again = kerasish.layers.SpatialDropout1D.from_config(layer.get_config())
    assert again.dtype_policy.name == "mixed_bfloat16"


def sequential(k):
    return k.Sequential([k.layers.Dense(3, name="a"), k.layers.Dense(1, name="b")], name="s")


def with_input(k):
    return k.Sequential([k.Input((4,), name="in"), k.layers.Dense(1, name="b")], name="s")


def functional(k):
    x = k.Input((4,), name="in")
    return k.Model(x, k.layers.Dense(2, name="b")(x), name="f")


def compiled(k):
    model = functional(k)
    model.compile(
        k.optimizers.SGD(0.1),
        k.losses.MeanSquaredError(),
        metrics=[k.metrics.MeanAbsoluteError(name="m")],
        loss_weights=[1.0],
        weighted_metrics=["mse"],
        steps_per_execution=2,
        jit_compile=True,
    )
    return model


def subclassed(k):
    class Own(k.Model):
        def call(self, x):
            return x

    return Own(name="own")


@pytest.mark.parametrize("make", [sequential, with_input, functional, compiled, subclassed])
def test_models(make):
    both()  # names start anew
    ours, theirs = make(kerasish), make(keras)
    found, expected = (
        plain(k.saving.serialize_keras_object(model))
        for k, model in ((kerasish, ours), (keras, theirs))
    )
    assert found == expected
    assert plain(ours.get_config()) == plain(theirs.get_config())
    assert plain(ours.get_compile_config()) == plain(theirs.get_compile_config())
    if make is not subclassed:
        assert json.loads(ours.to_json()) == json.loads(theirs.to_json())


@pytest.mark.parametrize("make", [with_input, functional, compiled])
def test_models_are_read_back(make):
    model = make(kerasish)
    again = kerasish.models.model_from_json(model.to_json())
    assert again.compiled == model.compiled
    assert plain(again.get_config()) == plain(model.get_config())


def test_a_sequential_model_knows_the_shape_it_was_built_with():
    both()  # names start anew
    ours, theirs = sequential(kerasish), sequential(keras)
    for model in (ours, theirs):
        model.build((None, 4))
    assert plain(ours.get_config()) == plain(theirs.get_config())
    assert plain(ours.get_build_config()) == plain(theirs.get_build_config())
