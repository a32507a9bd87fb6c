"""The examples reach what they promise."""

import importlib.util
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.learning
def test_digits(tmp_path):
    assert load("digits").main(tmp_path) >= 0.97
    assert (tmp_path / "digits.png").stat().st_size > 10_000


def test_variables_basics():
    load("variables_basics").main()


@pytest.mark.parametrize("name", ["softmax_regression", "softmax_regression_manual"])
@pytest.mark.parametrize("keras_home", [("mnist.npz",)], indirect=True)
@pytest.mark.learning
def test_softmax_regression(name, keras_home):
    expected = [1.1843, 0.6654, 0.5529, 0.4987, 0.4656, 0.4426, 0.4256, 0.4122, 0.4014, 0.3924]
    costs, accuracy = load(name).main()
    assert costs == pytest.approx(expected, abs=0.004)
    assert accuracy == pytest.approx(0.873, abs=0.004)


@pytest.mark.parametrize("keras_home", [("mnist.npz",)], indirect=True)
@pytest.mark.learning
@pytest.mark.slow
def test_mlp_tape(keras_home):
    assert load("mlp_tape").main() >= 0.97


@pytest.mark.slow
def test_higher_order():
    load("higher_order").main()
