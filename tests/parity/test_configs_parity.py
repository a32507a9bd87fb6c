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

LAYERS = [
    ("SimpleRNN", {"units": 3, "dropout": 0.1}),
    ("LSTM", {"units": 2, "seed": 4}),
    ("GRU", {"units": 2}),
    ("ZeroPadding1D", {}),
    ("ZeroPadding1D", {"padding": (1, 2), "data_format": "channels_first"}),
    ("ZeroPadding2D", {"padding": 2}),
    ("Cropping1D", {"cropping": (1, 2)}),
    ("UpSampling1D", {"size": 3}),
    ("SpatialDropout1D", {"rate": 0.2, "seed": 3}),
    ("SpatialDropout2D", {"rate": 0.2, "dtype": "float16"}),
    ("SpatialDropout3D", {"rate": 0.2, "data_format": "channels_first"}),
    ("RMSNormalization", {"epsilon": 1e-4}),
]


def plain(value):
    """As it stands in a file."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("name, arguments", LAYERS, ids=str)
def test_layers(name, arguments):
    ours, theirs = (getattr(k.layers, name)(name="x", **arguments) for k in (kerasish, keras))
    found, expected = (
        plain(k.saving.serialize_keras_object(layer))
        for k, layer in ((kerasish, ours), (keras, theirs))
    )
    assert found == expected
    assert ours.supports_masking == theirs.supports_masking
    again = type(ours).from_config(ours.get_config())
    assert plain(again.get_config()) == plain(ours.get_config())


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_zero_padding_pads_the_axis_of_time(layout):
    x = keras.random.uniform((2, 3, 4), seed=0)
    found, expected = (
        k.layers.ZeroPadding1D((1, 2), data_format=layout)(x) for k in (kerasish, keras)
    )
    assert found.numpy().tolist() == keras.ops.convert_to_numpy(expected).tolist()


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
