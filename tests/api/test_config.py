"""Settings."""

import json
import subprocess
import sys

import numpy as np
import pytest

import kerasish
from kerasish import config, naming


@pytest.fixture(autouse=True)
def restore():
    before = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    naming.clear_session()


def test_defaults():
    assert config.backend() == "kerasish"
    assert config.floatx() == "float32"
    assert config.epsilon() == 1e-7
    assert config.image_data_format() == "channels_last"
    assert config.is_interactive_logging_enabled()
    assert config.is_traceback_filtering_enabled()
    assert config.is_flash_attention_enabled() is None
    assert not config.is_nnx_enabled()
    assert config.max_epochs() is None and config.max_steps_per_epoch() is None


def test_epsilon_of_norms_by_the_root_mean_square():
    x = np.array([1e-4, 2e-4], "float32")
    for small in (1e-7, 0.1):
        config.set_epsilon(small)
        expected = x / np.sqrt(np.mean(x**2) + small)
        np.testing.assert_allclose(kerasish.ops.rms_normalization(x), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32", "float64"])
def test_floatx(name):
    config.set_floatx(name)
    assert config.floatx() == name
    assert config.dtype_policy().name == name


def test_bad_values():
    with pytest.raises(ValueError, match="Unknown `floatx` value: int8"):
        config.set_floatx("int8")
    with pytest.raises(ValueError, match="`data_format` argument must be one of"):
        config.set_image_data_format("channels_middle")
    with pytest.raises(ValueError, match="one engine"):
        config.set_backend("jax")
    config.set_backend("kerasish")


def test_data_formats():
    config.set_image_data_format("Channels_First")
    assert config.image_data_format() == "channels_first"
    assert config.standardize_data_format(None) == "channels_first"
    assert config.standardize_data_format("CHANNELS_LAST") == "channels_last"


def test_switches():
    config.disable_interactive_logging()
    assert not config.is_interactive_logging_enabled()
    config.enable_interactive_logging()
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    config.enable_traceback_filtering()
    config.set_max_epochs(3)
    config.set_max_steps_per_epoch(4)
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (3, 4)


def test_dtype_policy_is_reset_by_clear_session():
    config.set_dtype_policy("mixed_bfloat16")
    assert config.dtype_policy().compute_dtype == "bfloat16"
    naming.clear_session()
    assert config.dtype_policy().name == "float32"


def test_the_file_and_the_environment_give_first_values(tmp_path):
    found = {"floatx": "float64", "epsilon": 1e-3, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({**found, "backend": "tensorflow"}))
    code = (
        "from kerasish import config as c\n"
        "print(c.floatx(), c.epsilon(), c.image_data_format(), c.max_epochs(), c.backend())"
    )
    environment = {
        "KERAS_HOME": str(tmp_path),
        "KERAS_MAX_EPOCHS": "5",
        "PYTHONPATH": ":".join(sys.path),
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["float64", "0.001", "channels_first", "5", "kerasish"]
    assert [p.name for p in tmp_path.iterdir()] == ["keras.json"]  # nothing is written


def test_limits_on_training():
    x = np.ones((24, 1), "float32")
    model = kerasish.Sequential([kerasish.Input((1,)), kerasish.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.predict(x, verbose=0)
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    with pytest.warns(UserWarning, match="Limiting") as said:
        history = model.fit(x, x, batch_size=4, epochs=5, verbose=0, validation_data=(x, x))
    assert len(history.history["loss"]) == 2 and int(model.optimizer.iterations) == 6
    assert history.params["epochs"] == 2 and history.params["steps"] == 3
    assert {str(w.message)[:22] for w in said} >= {"Limiting epochs to 2", "Limiting steps_per_epo"}
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        assert model.predict(x, batch_size=4, verbose=0).shape == (12, 1)
    batches = []
    counted = kerasish.callbacks.Callback()
    counted.on_test_batch_end = lambda b, logs=None: batches.append(b)
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        model.evaluate(x, x, batch_size=4, verbose=0, callbacks=[counted])
    assert batches == [0, 1, 2]
    # What is within the limits is as it is.
    assert model.predict(x, batch_size=10, verbose=0).shape == (24, 1)
    model.fit(x, x, batch_size=10, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 12
