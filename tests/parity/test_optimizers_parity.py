"""Optimizers and schedules against the published Keras: values, state, paths, configs, errors."""

import keras
import numpy as np
import pytest

import kerasish
import kerasish.optimizers as ours
from kerasish.naming import clear_session
from kerasish.variable import Variable

theirs = keras.optimizers
# Keras's own Variable warns under NumPy 2 when it is read.
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
SHAPES = [(3, 4), (4,)]
STARTS = [RNG.normal(size=s).astype("float32") for s in SHAPES]
GRADIENTS = [[RNG.normal(size=s).astype("float32") for s in SHAPES] for _ in range(10)]
OTHERS = {"scale": (), "embedding_x": (5, 2), "kernel": (2, 3, 4)}
PATHS = ["dense_kernel", "dense_bias"]

FORMULAS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "rho": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
    ("Adamax", {}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8}),
    ("Nadam", {}),
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.3,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.2,
            "beta": 0.3,
        },
    ),
    ("Lion", {}),
    ("Lamb", {}),
    ("Lamb", {"weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"relative_step": False, "learning_rate": 0.3, "clip_threshold": 0.5}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "adam_lr_ratio": 2.0, "weight_decay": None}),
    ("Muon", {"exclude_layers": ["den.e"], "adam_weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "weight_decay": 0.1}),
]
COMMON = [
    {"clipnorm": 0.7},
    {"clipvalue": 0.3},
    {"global_clipnorm": 1.3},
    {"weight_decay": 0.2},
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.5, "weight_decay": 0.1},
    {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 2,
    },
]


def make(variable_class):
    return [variable_class(s, name=p) for s, p in zip(STARTS, PATHS, strict=True)]


def train(optimizer, variables, steps=10):
    optimizer.build(variables)
    for gradients in GRADIENTS[:steps]:
        optimizer.apply(gradients, variables)


def same(a, b, mine, expected, rtol=1e-5, atol=1e-6):
    for x, y in zip(mine, expected, strict=True):
        np.testing.assert_allclose(x.numpy(), np.asarray(y.value), rtol=rtol, atol=atol)
    for x, y in zip(a.variables, b.variables, strict=True):
        assert x.dtype == y.dtype and tuple(x.shape) == tuple(y.shape), x.path
        np.testing.assert_allclose(x.numpy(), np.asarray(y.value), rtol=1e-4, atol=1e-5)


def names(optimizer):
    """Paths after the optimizer's own name; names made by counting are left out."""
    paths = [v.path.split("/")[-1] for v in optimizer.variables]
    return ["variable" if p.startswith("variable") else p for p in paths]


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "Adam"])
def test_other_ranks(name):
    a, b = getattr(ours, name)(0.1), getattr(theirs, name)(0.1)
    starts = {p: RNG.normal(size=s).astype("float32") for p, s in OTHERS.items()}
    mine = [Variable(s, name=p) for p, s in starts.items()]
    expected = [keras.Variable(s, name=p) for p, s in starts.items()]
    for _ in range(3):
        gradients = [RNG.normal(size=s).astype("float32") for s in OTHERS.values()]
        a.apply(gradients, mine)
        b.apply(gradients, expected)
    same(a, b, mine, expected)
    assert names(a) == names(b)


@pytest.mark.parametrize("name, arguments", FORMULAS)
def test_formulas(name, arguments):
    a, b = getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)
    mine, expected = make(Variable), make(keras.Variable)
    train(a, mine)
    train(b, expected)
    same(a, b, mine, expected)
    assert names(a) == names(b)


@pytest.mark.parametrize(
    "name, arguments",
    [*(("SGD", c) for c in COMMON), *(("Adam", c) for c in COMMON if len(c) > 2)],
    ids=str,
)
def test_what_the_base_does(name, arguments):
    arguments = {"learning_rate": 0.05, **arguments}
    a, b = getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)
    mine, expected = make(Variable), make(keras.Variable)
    train(a, mine, 7)
    train(b, expected, 7)
    same(a, b, mine, expected)
    assert names(a) == names(b)
    a.finalize_variable_values(mine)
    b.finalize_variable_values(expected)
    same(a, b, mine, expected)
    assert int(a.iterations) == int(b.iterations)


@pytest.mark.parametrize("name", sorted({f[0] for f in FORMULAS}))
def test_paths_and_configs(name):
    clear_session()
    keras.utils.clear_session()
    for arguments in ({}, {"use_ema": True, "gradient_accumulation_steps": 2}, {"name": "mine"}):
        a, b = getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)
        a.build(make(Variable))
        b.build(make(keras.Variable))
        assert [v.path for v in a.variables] == [v.path for v in b.variables]
        assert a.get_config() == b.get_config()
        assert ours.serialize(a) == theirs.serialize(b)
        again = ours.deserialize(theirs.serialize(b))
        assert type(again) is type(a) and again.get_config() == a.get_config()


def test_exclusion_from_weight_decay():
    for kind in ({"var_names": ["bias"]}, {"variables": [0]}):
        results = []
        for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
            optimizer = module.AdamW(learning_rate=0.1, weight_decay=0.5)
            variables = make(variable_class)
            chosen = [variables[i] for i in kind.get("variables", ())]
            optimizer.exclude_from_weight_decay(chosen, kind.get("var_names"))
            train(optimizer, variables, 3)
            results.append([np.asarray(v.value) for v in variables])
        for x, y in zip(*results, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_constraints():
    results = []
    for module, package, variable_class in (
        (ours, kerasish, Variable),
        (theirs, keras, keras.Variable),
    ):
        variables = make(variable_class)
        __import__(f"{package.__name__}.constraints")
        variables[0].constraint = package.constraints.NonNeg()
        train(module.SGD(0.5), variables, 3)
        results.append([np.asarray(v.value) for v in variables])
    for x, y in zip(*results, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert results[0][0].min() == 0.0


def test_half_precision_variables():
    results = []
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        variable = variable_class(STARTS[0], dtype="bfloat16", name="w")
        optimizer = module.Adam(0.1)
        optimizer.build([variable])
        for gradients in GRADIENTS[:3]:
            optimizer.apply([gradients[0]], [variable])
        assert [str(v.dtype) for v in optimizer.variables[2:]] == ["bfloat16"] * 2
        results.append(np.asarray(variable.value).astype("float32"))
    np.testing.assert_allclose(*results, rtol=3e-2, atol=3e-2)


def test_stateless_apply():
    results = []
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        variables = make(variable_class)
        optimizer = module.Adam(0.1)
        optimizer.build(variables)
        state = [np.asarray(v.value) for v in optimizer.variables]
        model, state = optimizer.stateless_apply(state, GRADIENTS[0], STARTS)
        model, state = optimizer.stateless_apply(state, GRADIENTS[1], model)
        np.testing.assert_array_equal(np.asarray(variables[0].value), STARTS[0])
        results.append([np.asarray(x) for x in (*model, *state)])
    for x, y in zip(*results, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_loss_scale():
    results = []
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        variables = make(variable_class)
        optimizer = module.LossScaleOptimizer(module.Adam(0.1), 1024.0, dynamic_growth_steps=2)
        assert float(optimizer.scale_loss(2.0)) == 2048.0
        optimizer.build(variables)
        state = [np.asarray(v.value) for v in optimizer.variables]
        model, trace = STARTS, []
        for i, gradients in enumerate(GRADIENTS[:6]):
            scaled = [g * 1024.0 for g in gradients]
            if i == 3:
                scaled[1] = scaled[1] * np.float32(np.inf)
            model, state = optimizer.stateless_apply(state, scaled, model)
            trace.append([np.asarray(x) for x in (*model, *state)])
        results.append([x for row in trace for x in row])
        paths = [v.path for v in optimizer.variables]
        results[-1].append(np.array(len(paths)))
    for x, y in zip(*results, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_loss_scale_config_and_paths():
    clear_session()
    keras.utils.clear_session()
    a = ours.LossScaleOptimizer(ours.SGD(0.1, momentum=0.5))
    b = theirs.LossScaleOptimizer(theirs.SGD(0.1, momentum=0.5))
    a.build(make(Variable))
    b.build(make(keras.Variable))
    assert [v.path for v in a.variables] == [v.path for v in b.variables]
    assert ours.serialize(a) == theirs.serialize(b)
    assert ours.deserialize(theirs.serialize(b)).get_config() == a.get_config()
    a.learning_rate = 0.3
    assert float(a.inner_optimizer.learning_rate) == pytest.approx(0.3)


def test_several_optimizers():
    clear_session()
    keras.utils.clear_session()
    results = []
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        variables = make(variable_class)
        chosen = module.OptimizerMap(module.SGD(0.1), {"dense.*": module.Adam(0.2)})
        optimizer = module.MultiOptimizer(chosen)
        train(optimizer, variables, 4)
        results.append(
            (
                [np.asarray(v.value) for v in (*variables, *optimizer.variables)],
                [v.path for v in optimizer.variables],
                module.serialize(optimizer),
            )
        )
        with pytest.raises(AttributeError, match="individual sub-optimizers"):
            _ = optimizer.learning_rate
        overlapping = module.OptimizerMap(module.SGD(), {"a.*": module.SGD(), "ab.*": module.SGD()})
        with pytest.raises(ValueError, match="Multiple optimizers"):
            overlapping["abc"]
    for x, y in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert results[0][1:] == results[1][1:]
    again = ours.deserialize(results[1][2])
    assert ours.serialize(again) == results[0][2]


SCHEDULES = [
    ("ExponentialDecay", (0.1, 5, 0.5), {}),
    ("ExponentialDecay", (0.1, 5, 0.5, True), {}),
    ("InverseTimeDecay", (0.1, 4, 0.5), {}),
    ("InverseTimeDecay", (0.1, 4, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([3, 8], [0.3, 0.2, 0.1]), {}),
    ("PiecewiseConstantDecay", ([3.5, 8.0], [3, 2, 1]), {}),
    ("PolynomialDecay", (0.1, 6), {}),
    ("PolynomialDecay", (0.1, 6, 0.01, 2.0, True), {}),
    ("PolynomialDecay", (0.1, 6), {"power": 0.5}),
    ("CosineDecay", (0.1, 7), {}),
    ("CosineDecay", (0.1, 7), {"alpha": 0.2}),
    ("CosineDecay", (0.0, 7), {"warmup_target": 0.3, "warmup_steps": 4}),
    ("CosineDecay", (0.05, 7), {"warmup_target": 0.3, "warmup_steps": 4, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 3), {}),
    ("CosineDecayRestarts", (0.1, 3), {"t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 2), {"t_mul": 1.5, "m_mul": 0.7}),
]


@pytest.mark.parametrize("name, arguments, more", SCHEDULES)
def test_schedules(name, arguments, more):
    a = getattr(ours.schedules, name)(*arguments, **more)
    b = getattr(theirs.schedules, name)(*arguments, **more)
    for step in [0, 1, 3, 4, 5, 8, 9, 17, 100]:
        mine, expected = a(step), b(step)
        np.testing.assert_allclose(np.asarray(mine), np.asarray(expected), rtol=2e-5, atol=1e-7)
        assert mine.dtype.name == str(expected.dtype)
    assert a.get_config() == b.get_config()
    assert ours.schedules.serialize(a) == theirs.schedules.serialize(b)
    again = ours.schedules.deserialize(theirs.schedules.serialize(b))
    assert again.get_config() == a.get_config()


@pytest.mark.parametrize("accumulate", [None, 2])
def test_schedule_as_learning_rate(accumulate):
    clear_session()
    keras.utils.clear_session()
    results = []
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        schedule = module.schedules.ExponentialDecay(0.1, 2, 0.5)
        optimizer = module.Adam(schedule, gradient_accumulation_steps=accumulate, weight_decay=0.1)
        variables = make(variable_class)
        train(optimizer, variables, 6)
        results.append(
            (
                [np.asarray(v.value) for v in (*variables, *optimizer.variables)],
                [v.path for v in optimizer.variables],
                module.serialize(optimizer),
                float(optimizer.learning_rate),
            )
        )
        with pytest.raises(TypeError, match="not settable"):
            optimizer.learning_rate = 0.1
    for x, y in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert results[0][1:3] == results[1][1:3]
    assert results[0][3] == pytest.approx(results[1][3])
    again = ours.deserialize(results[1][2])
    assert again.get_config() == results[0][2]["config"]


def test_state_moves_from_keras():
    b = theirs.Adam(0.05, use_ema=True)
    expected = make(keras.Variable)
    train(b, expected, 4)
    store = {}
    b.save_own_variables(store)
    a = ours.Adam(use_ema=True)
    mine = [Variable(np.asarray(v.value), name=p) for v, p in zip(expected, PATHS, strict=True)]
    a.build(mine)
    a.load_own_variables(store)
    for gradients in GRADIENTS[4:]:
        a.apply(gradients, mine)
        b.apply(gradients, expected)
    same(a, b, mine, expected)


ERRORS = [
    (ValueError, lambda m, v: m.SGD(rate=0.1)),
    (ValueError, lambda m, v: m.SGD(clipnorm=1.0, clipvalue=2.0)),
    (ValueError, lambda m, v: m.SGD(use_ema=True, ema_momentum=2.0)),
    (ValueError, lambda m, v: m.SGD(use_ema=True, ema_overwrite_frequency=0.5)),
    (ValueError, lambda m, v: m.SGD(gradient_accumulation_steps=1)),
    (ValueError, lambda m, v: m.SGD(momentum=2.0)),
    (ValueError, lambda m, v: m.SGD(learning_rate="x")),
    (ValueError, lambda m, v: m.AdamW(weight_decay=None)),
    (ValueError, lambda m, v: m.Lion(beta_1=0.0)),
    (ValueError, lambda m, v: m.Ftrl(initial_accumulator_value=-1.0)),
    (ValueError, lambda m, v: m.Ftrl(learning_rate_power=0.1)),
    (ValueError, lambda m, v: m.SGD().apply([np.ones(2)])),
    (ValueError, lambda m, v: m.SGD().apply_gradients([])),
    (ValueError, lambda m, v: m.SGD().apply([None], v[:1])),
    (ValueError, lambda m, v: m.SGD().set_weights([1])),
    (NotImplementedError, lambda m, v: m.Optimizer(0.1).apply([np.ones((3, 4))], v[:1])),
    (ValueError, lambda m, v: m.LossScaleOptimizer(m.SGD(), dynamic=False)),
    (ValueError, lambda m, v: m.LossScaleOptimizer(m.SGD(), foo=1)),
    (ValueError, lambda m, v: m.schedules.ExponentialDecay(0.1, 0, 0.5)),
    (ValueError, lambda m, v: m.schedules.CosineDecayRestarts(0.1, 0)),
    (ValueError, lambda m, v: m.schedules.PiecewiseConstantDecay([1, 2], [0.1])),
    (NotImplementedError, lambda m, v: m.schedules.LearningRateSchedule()(1)),
    (ValueError, lambda m, v: m.get("foo")),
    (ValueError, lambda m, v: m.get(3)),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    error, action = ERRORS[number]
    for module, variable_class in ((ours, Variable), (theirs, keras.Variable)):
        with pytest.raises(error):
            action(module, make(variable_class))


@pytest.mark.parametrize(
    "identifier",
    ["sgd", "SGD", "adam", "adamW", "AdamW", "rmsprop", "muon", "schedulefreeadamw",
     {"class_name": "Adam", "config": {}}, {"class_name": "adam", "config": {"beta_1": 0.1}}],
)  # fmt: skip
def test_get(identifier):
    mine = ours.get(identifier if isinstance(identifier, str) else dict(identifier))
    expected = theirs.get(identifier if isinstance(identifier, str) else dict(identifier))
    assert type(mine).__name__ == type(expected).__name__
    assert ours.get(None) is None and ours.get(mine) is mine
