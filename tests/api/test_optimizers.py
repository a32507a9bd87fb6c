"""Optimizers: by hand, learning, tracing, state, errors."""

import numpy as np
import pytest

import kerasish_core as core
from kerasish import optimizers
from kerasish.optimizers import legacy, schedules
from kerasish.variable import Variable

RNG = np.random.default_rng(0)
NAMES = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon",
    "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW",
]  # fmt: skip
OPTIONS = [
    {},
    {"learning_rate": schedules.ExponentialDecay(0.1, 2, 0.9), "global_clipnorm": 0.5},
    {
        "use_ema": True,
        "ema_overwrite_frequency": 2,
        "gradient_accumulation_steps": 2,
        "weight_decay": 0.1,
    },
]


def variables():
    start = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    return [Variable(start, name="kernel"), Variable(start[0], name="bias")]


def gradients(number):
    return [[RNG.normal(size=s).astype("float32") for s in ((3, 4), (4,))] for _ in range(number)]


def values(optimizer, model):
    return [v.numpy() for v in (*model, *optimizer.variables)]


def test_sgd_by_hand():
    v = Variable(np.array([1.0, 2.0], dtype="float32"))
    optimizer = optimizers.SGD(0.1, momentum=0.5)
    optimizer.apply([np.array([1.0, -1.0], dtype="float32")], [v])
    np.testing.assert_allclose(v.numpy(), [0.9, 2.1], rtol=1e-6)
    optimizer.apply([np.array([1.0, -1.0], dtype="float32")])
    np.testing.assert_allclose(v.numpy(), [0.75, 2.25], rtol=1e-6)
    assert int(optimizer.iterations) == 2


def test_first_step_of_adam_has_the_size_of_the_learning_rate():
    v = Variable(np.zeros(3, dtype="float32"))
    optimizers.Adam(0.01).apply([np.array([5.0, -0.1, 3.0], dtype="float32")], [v])
    np.testing.assert_allclose(v.numpy(), [-0.01, 0.01, -0.01], rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_learns_a_quadratic(name):
    rates = {"Adadelta": 20.0, "Ftrl": 1.0, "Adafactor": 0.5, "Adagrad": 0.5, "Lion": 0.02}
    target = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    v = Variable(np.zeros((3, 4), dtype="float32"), name="w")
    arguments = {"weight_decay": 0.0} if name in ("AdamW", "Muon") else {}
    optimizer = getattr(optimizers, name)(rates.get(name, 0.05), **arguments)
    for _ in range(200):
        optimizer.apply([2.0 * (v.value - target)], [v])
    assert float(np.mean((v.numpy() - target) ** 2)) < 0.05


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "schedule", "everything"])
@pytest.mark.parametrize("name", NAMES)
def test_compiled_equals_eager(name, options):
    eager, compiled = (getattr(optimizers, name)(**options) for _ in range(2))
    mine, others = variables(), variables()
    step = core.compile_step(lambda g: compiled.apply(g, others))  # builds inside the trace
    for g in gradients(4):
        eager.apply(g, mine)
        step(g)
    for a, b in zip(values(eager, mine), values(compiled, others), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_loss_scale_skips_what_is_not_finite():
    inner = optimizers.SGD(0.1, momentum=0.9)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    v = Variable(np.ones(2, dtype="float32"))
    optimizer.build([v])
    step = core.compile_step(lambda g: optimizer.apply([g], [v]))
    assert float(optimizer.scale_loss(2.0)) == 16.0
    step(np.array([8.0, 8.0], dtype="float32"))
    np.testing.assert_allclose(v.numpy(), 0.9)
    before = v.numpy(), inner.get_weights()
    step(np.array([np.nan, 8.0], dtype="float32"))
    np.testing.assert_array_equal(v.numpy(), before[0])
    for a, b in zip(inner.get_weights(), before[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(optimizer.dynamic_scale) == 4.0 and int(optimizer.iterations) == 1
    for _ in range(2):
        step(np.array([1.0, 1.0], dtype="float32"))
    assert float(optimizer.dynamic_scale) == 8.0 and int(optimizer.step_counter) == 0


def test_accumulation_equals_the_mean_gradient():
    mine, others = variables(), variables()
    one = optimizers.Adam(0.1)
    many = optimizers.Adam(0.1, gradient_accumulation_steps=3)
    for _ in range(2):
        parts = gradients(3)
        for g in parts:
            many.apply(g, others)
        one.apply([np.mean(p, axis=0) for p in zip(*parts, strict=True)], mine)
    assert int(many.iterations) == 2
    for a, b in zip(mine, others, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_clipping():
    g = [np.array([3.0, 4.0], dtype="float32"), np.array([12.0], dtype="float32")]
    expected = {
        "clipvalue": ([2.0, 2.0], [2.0]),
        "clipnorm": ([1.2, 1.6], [2.0]),
        "global_clipnorm": (np.array([3.0, 4.0]) * 2 / 13, np.array([12.0]) * 2 / 13),
    }
    for kind, wanted in expected.items():
        model = [Variable(np.zeros(2, dtype="float32")), Variable(np.zeros(1, dtype="float32"))]
        optimizers.SGD(1.0, **{kind: 2.0}).apply(g, model)
        for v, w in zip(model, wanted, strict=True):
            np.testing.assert_allclose(v.numpy(), -np.asarray(w), rtol=1e-5)


def test_learning_rate_can_be_read_and_set():
    optimizer = optimizers.SGD(0.1)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.5
    optimizer.learning_rate.assign(0.25)
    assert optimizer.get_config()["learning_rate"] == 0.25
    called = optimizers.SGD(lambda: 0.125)
    v = Variable(np.zeros(1, dtype="float32"))
    called.apply([np.ones(1, dtype="float32")], [v])
    assert float(v.numpy()[0]) == -0.125
    optimizer.learning_rate = schedules.ExponentialDecay(0.1, 1, 0.5)
    assert [x.name for x in optimizer.variables] == ["iteration"]
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1


def test_learning_rate_changes_reach_a_compiled_step():
    optimizer = optimizers.SGD(1.0)
    v = Variable(np.zeros(1, dtype="float32"))
    optimizer.build([v])
    step = core.compile_step(lambda g: optimizer.apply([g], [v]))
    step(np.ones(1, dtype="float32"))
    optimizer.learning_rate = 0.5
    step(np.ones(1, dtype="float32"))
    assert float(v.numpy()[0]) == -1.5


def test_own_optimizer():
    class Sign(optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, **kwargs):
            super().__init__(learning_rate, **kwargs)

        def build(self, variables):
            super().build(variables)
            self.steps = [self.add_variable_from_reference(v, name="steps") for v in variables]
            self.total = Variable(0.0, trainable=False, name="total")

        def update_step(self, gradient, variable, learning_rate):
            i = self._get_variable_index(variable)
            self.assign_add(self.steps[i], core.ops.ones_like(gradient))
            self.assign_sub(variable, core.ops.sign(gradient) * learning_rate)

    optimizer, model = Sign(name="mine"), variables()
    optimizer.apply(gradients(1)[0], model)
    assert [v.path for v in optimizer.variables] == [
        "mine/iteration", "mine/learning_rate", "mine/kernel_steps", "mine/bias_steps", "total",
    ]  # fmt: skip
    assert float(np.mean(optimizer.variables[2].numpy())) == 1.0


def test_state_goes_to_a_mapping_and_back():
    optimizer, model = optimizers.Adam(0.1), variables()
    for g in gradients(3):
        optimizer.apply(g, model)
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(i) for i in range(6)]
    other = optimizers.Adam(0.5)
    with pytest.warns(UserWarning, match="has not been called/built yet"):
        other.load_own_variables(store)
    other.build(variables())
    other.load_own_variables(store)
    for a, b in zip(other.get_weights(), optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    third = optimizers.Adam()
    third.build(variables())
    third.set_weights(optimizer.get_weights())
    np.testing.assert_array_equal(third.get_weights()[2], optimizer.get_weights()[2])
    with pytest.raises(ValueError, match="not compatible"):
        third.set_weights([np.zeros((9,))] * 6)


def test_missing_gradients():
    model = variables()
    optimizer = optimizers.SGD(0.1)
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['bias'\]"):
        optimizer.apply([np.ones((3, 4), dtype="float32"), None], model)
    np.testing.assert_array_equal(model[1].numpy(), variables()[1].numpy())
    with pytest.raises(ValueError, match="No gradients provided"):
        optimizer.apply([None, None], model)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([np.ones(1)], [Variable(np.ones(1), name="other")])
    with pytest.raises(ValueError, match="1 gradients were given for 2 variables"):
        optimizer.apply([np.ones(1)], model)


def test_variable_that_takes_its_gradient_as_value():
    model = variables()
    model[1].overwrite_with_gradient = True
    optimizer = optimizers.Adam(0.1)
    new = np.full(4, 7.0, dtype="float32")
    optimizer.apply([np.ones((3, 4), dtype="float32"), new], model)
    np.testing.assert_array_equal(model[1].numpy(), new)
    assert len(optimizer.variables) == 4


def test_legacy_names_take_lr_and_decay():
    optimizer = legacy.SGD(lr=1.0, decay=1.0)
    v = Variable(np.zeros(1, dtype="float32"))
    for _ in range(2):
        optimizer.apply([np.ones(1, dtype="float32")], [v])
    assert float(v.numpy()[0]) == -1.5
    assert isinstance(legacy.Adam(lr=0.1), optimizers.Adam)
    again = legacy.Adam.from_config(legacy.Adam(0.1, beta_1=0.5).get_config())
    assert again.beta_1 == 0.5


@pytest.mark.parametrize("name", NAMES)
def test_round_trip_of_configs(name):
    optimizer = getattr(optimizers, name)(name="it")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()


def test_get():
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
        optimizers.get("foo")
    with pytest.raises(ValueError, match="Unknown optimizer"):
        optimizers.deserialize({"class_name": "Foo", "config": {}})


def test_decay_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="no longer supported"):
        optimizers.SGD(decay=0.1)
