"""Distillation against the published Keras: figures of several epochs."""

import numpy as np
import pytest
from layer_pairs import both

# JAX compiles every step anew.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 6)).astype("float32")
LABELS = RNG.integers(0, 3, 48)
WEIGHTS = [
    [RNG.normal(size=s).astype("float32") for s in [(6, 5), (5,), (5, 3), (3,)]] for _ in range(2)
]
LOSSES = {
    "logits": lambda d: d.LogitsDistillation(3.0),
    "logits, another loss": lambda d: d.LogitsDistillation(2.0, "mse"),
    "features": lambda d: d.FeatureDistillation("mse", "t_hidden", "s_hidden"),
    "both": lambda d: [
        d.LogitsDistillation(),
        d.FeatureDistillation("mae", "t_hidden", "s_hidden"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_figures(name):
    found = []
    for k in both():
        models = []
        for who, weights in zip("ts", WEIGHTS, strict=True):
            model = k.Sequential([
                k.layers.Input((6,)), k.layers.Dense(5, "tanh", name=f"{who}_hidden"),
                k.layers.Dense(3, name=f"{who}_logits"),
            ])  # fmt: skip
            model.set_weights(weights)
            models.append(model)
        given = LOSSES[name](k.distillation)
        weights = [1.0, 0.3] if isinstance(given, list) else None
        model = k.distillation.Distiller(*models, given, weights, student_loss_weight=0.4)
        loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(k.optimizers.Adam(0.02), loss, metrics=["accuracy"])
        history = model.fit(X, LABELS, epochs=3, batch_size=16, shuffle=False, verbose=0).history
        found.append((history, models[1].get_weights()))
    theirs, ours = found
    assert ours[0].keys() == theirs[0].keys()
    for key in theirs[0]:
        np.testing.assert_allclose(ours[0][key], theirs[0][key], rtol=1e-4, err_msg=key)
    for a, b in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
