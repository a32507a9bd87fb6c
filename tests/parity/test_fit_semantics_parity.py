"""What changes how `fit` trains, against the published Keras: logs, weights, optimizer's state."""

import numpy as np
import pytest
from layer_pairs import both

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype("float32")
Y = RNG.normal(size=(50, 2)).astype("float32")
KINDS = RNG.integers(0, 2, 50)


def plain(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((6,)), layers.Dense(5, activation="tanh"), layers.BatchNormalization(),
        layers.Dense(2),
    ])  # fmt: skip


def with_losses(k):
    class Added(k.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * k.ops.mean(k.ops.square(x)))
            return x

    layers = k.layers
    return k.Sequential([
        layers.Input((6,)), layers.Dense(5, kernel_regularizer="l2", bias_regularizer="l1"),
        Added(), layers.Dense(4, activity_regularizer="l2"), layers.Dense(2),
    ])  # fmt: skip


def frozen_normalization(k):
    model = plain(k)
    model.layers[1].trainable = False
    return model


def nested(k):
    x = k.layers.Input((6,))
    return k.Model(x, k.layers.Dense(2)(plain(k)(x)))


def frozen_model_inside(k):
    model = nested(k)
    model.layers[1].trainable = False
    return model


def frozen_layer_inside(k):
    model = nested(k)
    model.layers[1].layers[0].trainable = False
    return model


def thawed_layer_inside(k):
    model = frozen_model_inside(k)
    model.layers[1].layers[0].trainable = True
    return model


def rate(k):
    return k.callbacks.LearningRateScheduler(lambda epoch, lr: lr / (1 + epoch))


VALIDATION = (X[:20], Y[:20])
# name: (model, optimizer, arguments of fit, which may be functions of the library)
CASES = {
    "later first epoch": (plain, ("SGD", {}), {
        "initial_epoch": 1, "callbacks": lambda k: [rate(k)], "validation_data": VALIDATION}),
    "validation after some epochs": (plain, ("SGD", {}), {
        "validation_freq": [1, 3], "validation_data": VALIDATION}),
    "losses of layers": (with_losses, ("SGD", {}), {"validation_data": VALIDATION}),
    "frozen normalization": (frozen_normalization, ("Adam", {}), {"validation_split": 0.3}),
    "frozen model inside": (frozen_model_inside, ("Adam", {}), {}),
    "frozen layer inside": (frozen_layer_inside, ("Adam", {}), {}),
    "thawed layer inside": (thawed_layer_inside, ("Adam", {}), {}),
    "accumulated gradients": (plain, ("Adam", {"gradient_accumulation_steps": 3}), {}),
    "averages": (plain, ("SGD", {
        "use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 4, "momentum": 0.9}), {}),
    "decay and clipping": (plain, ("AdamW", {
        "weight_decay": 0.1, "global_clipnorm": 0.3, "learning_rate": 0.01}), {}),
    "last batch of one": (plain, ("SGD", {}), {"batch_size": 7}),
}  # fmt: skip
QUICK = "later first epoch"
NAMES = [pytest.param(n, marks=[] if n == QUICK else pytest.mark.slow) for n in CASES]


def trained(k, make, weights, optimizer, options):
    model = make(k)
    if weights is not None:
        model.set_weights(weights)
    start = model.get_weights()
    name, arguments = optimizer
    model.compile(getattr(k.optimizers, name)(**arguments), "mse", metrics=["mae"])
    options = {n: v(k) if callable(v) else v for n, v in options.items()}
    options = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0, **options}
    return model, start, model.fit(X, Y, **options)


@pytest.mark.parametrize("name", NAMES)
def test_fit(name):
    make, optimizer, options = CASES[name]
    theirs_lib, ours_lib = both()
    theirs, weights, judge = trained(theirs_lib, make, None, optimizer, options)
    ours, _, found = trained(ours_lib, make, weights, optimizer, options)
    assert found.epoch == judge.epoch
    assert list(found.history) == list(judge.history)
    for key, values in judge.history.items():
        np.testing.assert_allclose(found.history[key], values, rtol=1e-4, atol=1e-5, err_msg=key)
    for part in ("variables", "trainable_variables", "non_trainable_variables"):
        names = [[v.path for v in getattr(m, part)] for m in (ours, theirs)]
        assert names[0] == names[1], part
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5, err_msg=a.path)
    states = [m.optimizer.variables for m in (ours, theirs)]
    assert [v.path for v in states[0]] == [v.path for v in states[1]]
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-6, err_msg=a.path)


def test_weights_of_classes_and_samples_do_not_go_together():
    kinds = []
    for k in both():
        model = plain(k)
        model.compile("sgd", "sparse_categorical_crossentropy")
        with pytest.raises(ValueError, match="class_weight") as caught:
            model.fit(X, KINDS, class_weight={0: 1.0, 1: 2.0}, sample_weight=np.ones(50), verbose=0)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]
