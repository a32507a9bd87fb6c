"""What belongs to another framework is refused by name."""

import pytest

import kerasish
from kerasish import layers


@pytest.mark.parametrize(
    "name, framework",
    [("JaxLayer", "JAX"), ("FlaxLayer", "Flax"), ("TorchModuleWrapper", "PyTorch"),
     ("TFSMLayer", "TensorFlow")],
)  # fmt: skip
def test_layers_of_other_frameworks(name, framework):
    with pytest.raises(ImportError, match=f"{name} runs code of {framework}"):
        getattr(layers, name)("anything")


def test_export_says_what_to_do():
    model = kerasish.Sequential([kerasish.Input((2,)), layers.Dense(1)])
    with pytest.raises(NotImplementedError, match=r'format="onnx".*\.keras'):
        model.export("nowhere")


def test_keras_2s_form_of_configs():
    legacy = kerasish.utils.legacy
    config = legacy.serialize_keras_object(kerasish.regularizers.L2(0.5))
    assert config["class_name"] == "L2" and set(config) == {"class_name", "config"}
    found = legacy.deserialize_keras_object(config, {"L2": kerasish.regularizers.L2})
    assert float(found.l2) == 0.5
