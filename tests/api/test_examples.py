"""The examples reach what they promise."""

import importlib.util
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(autouse=True)
def beside_each_other(monkeypatch):
    """Examples import from their own folder."""
    monkeypatch.syspath_prepend(str(FOLDER))


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


QUICK = ["gradient_processing", "graph_basics", "maxout", "normal_policy_gradient", "rnn_cells"]


@pytest.mark.parametrize("name", QUICK)
def test_quick_ones(name):
    """They assert what they show."""
    load(name).main()


def test_ornstein_uhlenbeck(tmp_path):
    path = tmp_path / "noise.png"
    assert max(load("ornstein_uhlenbeck").main(path)) < 0.05
    assert path.stat().st_size > 10_000


@pytest.mark.learning
def test_gumbel_softmax():
    module = load("gumbel_softmax")
    losses = module.main()
    assert losses[-1] < module.TARGET < losses[0] - 8


# -- reinforcement learning: the parts that need no learning
def test_three_ways_to_pass_returns():
    assert load("reinforce_cartpole").compare_the_three_ways() < 1e-6


def test_three_ways_to_make_targets():
    assert load("dqn_targets").compare_the_three_ways() < 1e-6


def test_losses_equal_their_formulas():
    assert load("a2c_cartpole").check_the_loss() < 1e-5
    assert load("a2c_mountaincar").check_the_gradient() < 1e-5
    assert load("ddpg_pendulum").check_the_gradient() < 1e-6
    load("ppo_pendulum").check_the_loss()


LEARNING = {
    "reinforce_cartpole": 195, "a2c_cartpole": 195, "dqn_targets": 195, "a2c_mountaincar": 90,
    "ppo_pendulum": -300, "ddpg_pendulum": -250,
}  # fmt: skip


@pytest.mark.learning
@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_learns(name, tmp_path):
    path = tmp_path / "curve.png"
    assert load(name).main(path) >= LEARNING[name]
    assert path.stat().st_size > 10_000


@pytest.mark.learning
@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_learns_whatever_the_seed(name):
    reached = [load(name).main(seed=seed) >= LEARNING[name] for seed in range(1, 6)]
    assert sum(reached) >= 4, reached


def test_input_gradients(tmp_path):
    path = tmp_path / "maps.png"
    assert load("input_gradients").main(path) < 1e-5
    assert path.stat().st_size > 4_000


@pytest.mark.parity  # with TensorBoard's own reader
def test_tensorboard_summaries(tmp_path):
    assert load("tensorboard_summaries").main(tmp_path) == 5 * 6
