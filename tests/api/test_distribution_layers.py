"""Models that output distributions: what losses, metrics, predict and files make of them."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish
from kerasish import distributions as kd
from kerasish import layers, ops, saving

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (256, 1)).astype("float32")
Y = (2 * X + 0.1 + 0.3 * RNG.normal(size=X.shape)).astype("float32")


def negative_log_likelihood(y_true, y_pred):
    return -y_pred.log_prob(y_true)


def normal(t):
    return kd.Normal(t[..., :1], ops.softplus(t[..., 1:]))


def regression(convert="mean", **kwargs):
    kerasish.utils.set_random_seed(0)
    inputs = layers.Input((1,))
    hidden = layers.Dense(2)(inputs)
    model = kerasish.Model(inputs, layers.DistributionLambda(normal, convert)(hidden))
    model.compile(kerasish.optimizers.Adam(0.05), loss=negative_log_likelihood, **kwargs)
    return model


@pytest.mark.parametrize("eager", [False, True])
def test_the_loss_gets_the_distribution(eager):
    model = regression(metrics=["mae"], run_eagerly=eager)
    before = model.evaluate(X, Y, verbose=0)
    history = model.fit(X, Y, epochs=8 if eager else 60, batch_size=64, verbose=0).history
    assert history["loss"][-1] < before[0] - 0.3
    if not eager:
        made = model(X)
        assert isinstance(made, kd.Normal)
        # The noise that the data were made with.
        np.testing.assert_allclose(made.stddev().numpy().mean(), 0.3, rtol=0.15)
        np.testing.assert_allclose(made.mean().numpy(), 2 * X + 0.1, atol=0.15)
        expected = float(ops.mean(negative_log_likelihood(Y, made)))
        assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(expected, rel=1e-4)
        assert "generic:" not in model.explain("train", "kernels")


def test_what_predict_returns():
    for convert in ("mean", "mode"):
        model = regression(convert)
        expected = model(X).mean().numpy()
        for found in (model.predict(X, verbose=0), model.predict_on_batch(X)):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    model = regression()
    drawn = regression("sample").predict(np.repeat(X[:1], 4000, 0), verbose=0)
    made = model(X[:1])
    assert drawn.mean() == pytest.approx(float(made.mean()[0, 0]), abs=0.08)
    assert drawn.std() == pytest.approx(float(made.stddev()[0, 0]), rel=0.08)
    own = regression(lambda d: d.loc * 3)
    np.testing.assert_allclose(own.predict(X, verbose=0), 3 * expected, rtol=1e-5, atol=1e-6)


def test_calls_that_became_a_program_return_distributions():
    model = kerasish.Sequential([layers.Input((3,)), layers.Dense(4), layers.IndependentNormal(2)])
    x = RNG.normal(size=(5, 3)).astype("float32")
    first = model(x)
    for _ in range(4):
        again = model(x)
    assert isinstance(again, kd.Independent) and again.event_shape == (2,)
    np.testing.assert_allclose(again.mean(), first.mean(), rtol=1e-6)


def test_several_outputs_have_a_name_each():
    inputs = layers.Input((1,), name="x")
    hidden = layers.Dense(2)(inputs)
    policy = layers.DistributionLambda(normal, name="policy")(hidden)
    model = kerasish.Model(inputs, [policy, layers.Dense(1, name="value")(hidden)])
    assert model.output_names == ["policy", "value"]
    model.compile(
        "adam", loss={"policy": negative_log_likelihood, "value": "mse"},
        metrics={"value": ["mae"]},
    )  # fmt: skip
    logs = model.fit(X, [Y, Y], verbose=0).history
    assert {"policy_loss", "value_loss", "value_mae", "loss"} <= set(logs)
    assert logs["loss"][0] == pytest.approx(
        logs["policy_loss"][0] + logs["value_loss"][0], rel=1e-4
    )


def test_losses_that_want_a_tensor_get_what_stands_for_it():
    model = regression("mean")
    model.compile("sgd", loss="mse", metrics=["mse"])
    found = model.evaluate(X, Y, verbose=0)
    expected = float(np.mean((model(X).mean().numpy() - Y) ** 2))
    np.testing.assert_allclose(found, [expected, expected], rtol=1e-5)


class Mean(layers.Layer):
    def call(self, distribution):
        return distribution.mean()


def test_layers_on_a_distribution():
    """A layer of the user's own takes the distribution apart again, also in a copy."""
    inputs = layers.Input((1,))
    made = layers.DistributionLambda(normal)(layers.Dense(2)(inputs))
    model = kerasish.Model(inputs, layers.Dense(1)(Mean()(made)))
    assert model.output_shape == (None, 1)
    assert model.predict(X, verbose=0).shape == (256, 1)
    config = model.get_config()
    again = kerasish.Model.from_config(config, {"Mean": Mean, "normal": normal})
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again(X), model(X), rtol=1e-6)


READY = {
    "IndependentNormal": (lambda: layers.IndependentNormal((2, 3)), 12, (2, 3)),
    "TanhNormal": (lambda: layers.TanhNormal(2, "mode"), 4, (2,)),
    "IndependentLogistic": (lambda: layers.IndependentLogistic(3), 6, (3,)),
    "IndependentBernoulli": (lambda: layers.IndependentBernoulli((2, 2)), 4, (2, 2)),
    "IndependentPoisson": (lambda: layers.IndependentPoisson(2), 2, (2,)),
    "OneHotCategorical": (lambda: layers.OneHotCategorical(3), 3, (3,)),
    "MixtureNormal": (lambda: layers.MixtureNormal(4, 2), 4 * 5, (2,)),
    "MixtureLogistic": (lambda: layers.MixtureLogistic(2), 2 * 3, ()),
}


@pytest.mark.parametrize("name", READY)
def test_ready_made_layers(name, tmp_path):
    make, size, event = READY[name]
    layer = make()
    assert type(layer).params_size(
        *((layer.num_components,) if "Mixture" in name else ()),
        layer.event_size if name == "OneHotCategorical" else layer.event_shape,
    ) == size  # fmt: skip
    model = kerasish.Sequential([layers.Input((5,)), layers.Dense(size), layer])
    x = RNG.normal(size=(7, 5)).astype("float32")
    made = model(x)
    assert made.batch_shape == (7,) and made.event_shape == event
    drawn = made.sample(3, seed=0)
    assert drawn.shape == (3, 7, *event) and made.log_prob(drawn).shape == (3, 7)
    y = drawn.numpy()[0]
    model.save(tmp_path / "model.keras")
    again = saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x).log_prob(y), model(x).log_prob(y), rtol=1e-5)
    model.compile("adam", loss=negative_log_likelihood)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])
    with pytest.raises(ValueError, match="last axis of the input has 1 entries"):
        make()(np.zeros((2, 1), "float32"))


def test_parameters_are_read_as_documented():
    loc, scale = RNG.normal(size=(2, 4, 3)).astype("float32")
    made = layers.IndependentNormal(3)(np.concatenate([loc, scale], -1))
    np.testing.assert_allclose(made.mean(), loc, rtol=1e-6)
    np.testing.assert_allclose(made.stddev(), np.log1p(np.exp(scale)), rtol=1e-5)
    logits, loc, scale = RNG.normal(size=(3, 4, 2)).astype("float32")
    made = layers.MixtureNormal(2)(
        np.concatenate([logits, np.stack([loc, scale], -1).reshape(4, 4)], -1)
    )
    parts = kd.Normal(loc, np.log1p(np.exp(scale)))
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    value = RNG.normal(size=(4,)).astype("float32")
    expected = (weights * parts.prob(value[:, None]).numpy()).sum(-1)
    np.testing.assert_allclose(made.prob(value), expected, rtol=1e-4)


def test_lambdas_in_files(tmp_path):
    model = regression()
    model.save(tmp_path / "model.keras")
    again = saving.load_model(
        tmp_path / "model.keras", custom_objects={"normal": normal}, compile=False
    )
    np.testing.assert_allclose(again(X).mean(), model(X).mean(), rtol=1e-6)
    assert again.layers[-1].convert_to_tensor_fn == "mean"


def test_a_function_that_returns_a_tensor():
    layer = layers.DistributionLambda(lambda t: t)
    with pytest.raises(TypeError, match="must return a distribution"):
        layer(np.zeros((2, 2), "float32"))
