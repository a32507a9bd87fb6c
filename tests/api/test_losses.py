"""Losses: hand-computed values, gradients, structures as targets, tracing, errors."""

import math

import numpy as np
import pytest

import kerasish_core as core
from kerasish import losses, ops

Y = np.array([[0.0, 1.0], [0.0, 0.0]], dtype="float32")
P = np.array([[1.0, 1.0], [1.0, 0.0]], dtype="float32")


def test_mean_squared_error_by_hand():
    loss = losses.MeanSquaredError()
    assert float(loss(Y, P)) == 0.5
    assert float(loss(Y, P, sample_weight=[0.7, 0.3])) == pytest.approx(0.25)
    assert float(losses.MeanSquaredError(reduction="sum")(Y, P)) == 1.0
    np.testing.assert_allclose(losses.MeanSquaredError(reduction=None)(Y, P), [0.5, 0.5])
    weighted = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert float(weighted(Y, P, sample_weight=[3.0, 1.0])) == pytest.approx(0.5)


def test_crossentropies_by_hand():
    p = np.array([[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]], dtype="float32")
    expected = -(math.log(0.95) + math.log(0.1)) / 2
    one_hot = np.array([[0, 1, 0], [0, 0, 1]], dtype="float32")
    assert float(losses.CategoricalCrossentropy()(one_hot, p)) == pytest.approx(expected, 1e-5)
    assert float(losses.SparseCategoricalCrossentropy()([1, 2], p)) == pytest.approx(expected, 1e-5)
    binary = losses.BinaryCrossentropy(from_logits=True)
    logit = float(binary(np.array([[1.0]]), np.array([[0.3]])))
    assert logit == pytest.approx(math.log1p(math.exp(-0.3)), 1e-5)


def test_huber_is_quadratic_then_linear():
    error = np.array([[0.5], [3.0]])
    values = losses.Huber(delta=1.0, reduction=None)(np.zeros((2, 1)), error)
    np.testing.assert_allclose(values, [0.125, 2.5], rtol=1e-6)


def test_log_cosh_of_large_errors_is_finite():
    value = float(losses.log_cosh(np.array([0.0]), np.array([1000.0])))
    assert value == pytest.approx(1000.0 - math.log(2.0), rel=1e-5)


SMOOTH = [
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Huber", "LogCosh", "KLDivergence",
    "Poisson", "CosineSimilarity", "BinaryCrossentropy", "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",     "CategoricalFocalCrossentropy", "Dice", "Tversky",
]  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_those_of_finite_differences(name):
    rng = np.random.default_rng(0)
    y_true = np.eye(3)[[0, 2, 1, 1]]
    y_pred = rng.dirichlet(np.ones(3) * 3, size=4)
    loss = getattr(losses, name)(dtype="float64")
    gradient = np.asarray(core.grad(lambda p: loss(y_true, p))(core.convert(y_pred)))
    step = 1e-6
    for index in np.ndindex(y_pred.shape):
        moved = [y_pred.copy(), y_pred.copy()]
        moved[0][index] += step
        moved[1][index] -= step
        slope = (float(loss(y_true, moved[0])) - float(loss(y_true, moved[1]))) / (2 * step)
        assert gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_targets_of_a_user_function_come_as_they_are():
    seen = []

    def loss(y_true, y_pred):
        seen.append(y_true)
        return ops.mean(ops.square(y_pred), axis=-1)

    wrapped = losses.LossFunctionWrapper(loss)
    for shape in [(4, 1), (4, 3), (4, 1, 1), (7, 2), (1,)]:
        wrapped(np.ones(shape), np.ones((4, 1)))
        assert seen[-1].shape == shape
    with pytest.warns(UserWarning, match=r"y_true of shape \(4,\).*gives \(4, 4\)"):
        wrapped(np.ones(4), np.ones((4, 1)))
    assert seen[-1].shape == (4,)
    value = wrapped({"action": np.array([1, 0]), "advantage": [0.5, 2.0]}, np.ones((2, 3)))
    assert float(value) == 1.0
    assert set(seen[-1]) == {"action", "advantage"} and seen[-1]["advantage"].shape == (2,)
    wrapped((np.ones(2), np.ones((2, 5))), np.ones((2, 3)))
    assert isinstance(seen[-1], tuple) and seen[-1][1].shape == (2, 5)


def test_what_is_no_array_reaches_the_loss_unchanged():
    class Distribution:
        def log_prob(self, x):
            return -x

    def loss(y_true, y_pred):
        return -y_pred.log_prob(y_true)

    assert float(losses.LossFunctionWrapper(loss)(np.array([1.0, 3.0]), Distribution())) == 2.0


def test_functions_of_the_package_align_ranks():
    column, flat = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 2.0, 3.0])
    assert float(losses.MeanSquaredError()(flat, column)) == pytest.approx(1 / 3)
    assert float(losses.MeanSquaredError()(column, flat)) == pytest.approx(1 / 3)


def test_mask_gives_the_mean_over_what_is_kept():
    y_pred = ops.convert_to_tensor(np.array([[1.0], [2.0], [5.0]], dtype="float32"))
    y_pred.mask = ops.convert_to_tensor([True, True, False])
    loss = float(losses.MeanSquaredError()(np.zeros((3, 1)), y_pred))
    assert loss == pytest.approx(2.5, rel=1e-5)


def test_ignored_class_needs_no_valid_label():
    logits = np.zeros((3, 4), dtype="float32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    assert float(loss([0, -1, 2], logits)) == pytest.approx(math.log(4.0), rel=1e-5)


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match="num_classes > 1"):
        losses.CategoricalCrossentropy()(np.ones((3, 1)), np.ones((3, 1)))


CALLS = [
    ("MeanSquaredError", Y, P), ("BinaryCrossentropy", Y, P), ("Hinge", Y, P), ("Dice", Y, P),
    ("CategoricalCrossentropy", Y, P), ("SparseCategoricalCrossentropy", np.array([0, 1]), P),
    ("CategoricalFocalCrossentropy", Y, P), ("Circle", np.array([0, 1]), P), ("Huber", Y, P),
    ("KLDivergence", Y, P), ("CosineSimilarity", Y, P), ("CategoricalHinge", Y, P),
    ("CategoricalGeneralizedCrossEntropy", np.array([0, 1]), P),
]  # fmt: skip


@pytest.mark.parametrize("name, y_true, y_pred", CALLS)
def test_compiled_equals_eager(name, y_true, y_pred):
    loss = getattr(losses, name)()
    step = core.compile_step(lambda a, b, w: loss(a, b, w))
    weight = np.array([0.5, 2.0], dtype="float32")
    if name == "Dice":
        weight = np.float32(2.0)
    np.testing.assert_allclose(
        np.asarray(step(y_true, y_pred, weight)),
        np.asarray(loss(y_true, y_pred, weight)),
        rtol=1e-6,
    )


def test_own_loss_class_and_its_config():
    class Scaled(losses.Loss):
        def __init__(self, scale=2.0, **kwargs):
            super().__init__(**kwargs)
            self.scale = scale

        def call(self, y_true, y_pred):
            return self.scale * ops.mean(ops.abs(y_true - y_pred), axis=-1)

        def get_config(self):
            return {**super().get_config(), "scale": self.scale}

    loss = Scaled(3.0, name="scaled")
    assert float(loss(Y, P)) == 1.5
    config = losses.serialize(loss)
    again = losses.deserialize(config, custom_objects={"Scaled": Scaled})
    assert again.scale == 3.0 and again.name == "scaled"
    with pytest.raises(NotImplementedError, match="must define call"):
        losses.Loss()(Y, P)


def test_wrapper_keeps_its_function_in_the_config():
    wrapper = losses.LossFunctionWrapper(losses.huber, name="it", delta=0.5)
    again = losses.LossFunctionWrapper.from_config(wrapper.get_config())
    assert again.fn is losses.huber
    assert float(again(Y * 3, P)) == float(wrapper(Y * 3, P))


def test_arguments_are_attributes():
    loss = losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    assert loss.from_logits and loss.label_smoothing == 0.1
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = loss.other


def test_classic_names():
    assert losses.get("logcosh") is losses.log_cosh
    assert losses.get("kullback_leibler_divergence") is losses.kl_divergence
    assert losses.mse is losses.mean_squared_error and losses.MAE is losses.mean_absolute_error


def test_unknown_reduction():
    with pytest.raises(ValueError, match="Expected one of"):
        losses.MeanSquaredError(reduction="average")


def test_ctc_is_the_sum_over_all_alignments():
    from itertools import product

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1, 4, 3))
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)

    def written(path):
        kept = [s for i, s in enumerate(path) if i == 0 or s != path[i - 1]]
        return tuple(s for s in kept if s != 0)

    for labels in ((1, 2), (1, 1), (2, 1)):
        paths = (path for path in product(range(3), repeat=4) if written(path) == labels)
        total = sum(math.prod(p[t, s] for t, s in enumerate(path)) for path in paths)
        loss = losses.CTC(dtype="float64")
        assert float(loss(np.array([labels]), logits)) == pytest.approx(-math.log(total), rel=1e-6)
        gradient = core.grad(lambda x, y=labels, f=loss: f(np.array([y]), x))(core.convert(logits))
        moved = logits.copy()
        moved[0, 1, 2] += 1e-6
        slope = (float(loss(np.array([labels]), moved)) + math.log(total)) / 1e-6
        assert np.asarray(gradient)[0, 1, 2] == pytest.approx(slope, rel=1e-3)
    with pytest.raises(ValueError, match="must be a tensor of shape"):
        losses.ctc(np.array([1, 2]), logits)


def test_a_mask_that_keeps_nothing_in_half_precision():
    predicted = ops.ones((2, 3, 1), "float16")
    predicted.mask = np.zeros((2, 3), bool)
    assert float(losses.MeanSquaredError(dtype="float16")(np.zeros((2, 3, 1)), predicted)) == 0
