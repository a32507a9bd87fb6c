"""Stateless and symbolic scopes, devices, and step functions a subclass may replace."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest

import kerasish
from kerasish import layers
from kerasish.scopes import current_stateless_scope, in_symbolic_scope


def test_values_of_a_stateless_scope():
    v = kerasish.Variable(np.ones(2, "float32"))
    with kerasish.StatelessScope([(v, [2.0, 3.0])]) as scope:
        assert v.numpy().tolist() == [2.0, 3.0]
        v.assign(v * 2)
        scope.add_update((v, v.value + 1))
    assert scope.get_current_value(v).numpy().tolist() == [5.0, 7.0]
    assert v.numpy().tolist() == [1.0, 1.0]
    assert current_stateless_scope() is None


def test_losses_of_a_stateless_scope():
    layer = layers.Dense(2, activity_regularizer="l2")
    x = np.ones((1, 2), "float32")
    layer(x)
    with kerasish.StatelessScope(collect_losses=True) as scope:
        layer(x)
        layer(x)  # a new outermost call forgets those of the one before
        assert len(layer.losses) == 1 and scope.losses == layer.losses
    assert layer.losses == []
    with kerasish.StatelessScope() as scope:
        layer(x)
        assert layer.losses == [] and scope.losses == []
    layer(x)
    assert len(layer.losses) == 1


def test_what_a_stateless_scope_refuses():
    v = kerasish.Variable(np.ones(2, "float32"))
    with pytest.raises(ValueError, match="must be Variable"):
        kerasish.StatelessScope([(3, 4)])
    with pytest.raises(ValueError, match="shape"):
        kerasish.StatelessScope([(v, np.ones(3))])


def test_symbolic_scope():
    assert not in_symbolic_scope()
    with kerasish.SymbolicScope():
        with kerasish.SymbolicScope():
            pass
        assert in_symbolic_scope()
    assert not in_symbolic_scope()
    seen = []

    class Asks(layers.Layer):
        def call(self, x):
            seen.append(in_symbolic_scope())
            return x

    layer = Asks()
    layer(layers.Input((2,)))
    layer(np.ones((1, 2), "float32"))
    assert seen[0] is True and seen[-1] is False


def test_device():
    with kerasish.device(device_name="cpu:0"):
        assert kerasish.ops.ones(2).device == "cpu:0"
    with pytest.raises(ValueError, match="device_name"):
        kerasish.device(3)


def small():
    model = kerasish.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)
    return model


X, Y = np.ones((6, 2), "float32"), np.ones((6, 1), "float32")


def batches(count, size=2):
    return iter([(X[:size], Y[:size])] * count)


def test_step_functions_take_an_iterator():
    model = small()
    train, test = model.make_train_function(), model.make_test_function()
    assert train is model.train_function is model.make_train_function()
    assert model.make_train_function(force=True) is not train
    model.optimizer.build(model.trainable_variables)
    logs = train(batches(3))
    assert set(logs) == {"loss"} and int(model.optimizer.iterations.numpy()) == 2
    with pytest.raises(StopIteration):
        train(iter(()))
    model.reset_metrics()
    assert float(test(batches(1))["loss"]) == pytest.approx(model.evaluate(X, Y, verbose=0))
    predict = model.make_predict_function()
    np.testing.assert_allclose(
        predict(iter([(X[:2],), (X[2:5],)])), model.predict(X[:5], verbose=0), rtol=1e-6
    )
    model.compile("sgd", "mse")
    assert model.train_function is None


@pytest.mark.parametrize("kind", ["train", "test", "predict"])
def test_a_subclass_makes_its_own(kind):
    calls = []

    def make(self, force=False):
        step = getattr(super(Own, self), f"make_{kind}_function")(force)

        def function(iterator):
            calls.append(kind)
            return step(iterator)

        setattr(self, f"{kind}_function", function)
        return function

    Own = type("Own", (kerasish.Sequential,), {f"make_{kind}_function": make})
    model = Own([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    run = {
        "train": lambda: model.fit(X, Y, batch_size=2, verbose=0),
        "test": lambda: model.evaluate(X, Y, batch_size=2, verbose=0),
        "predict": lambda: model.predict(X, batch_size=2, verbose=0),
    }
    run[kind]()
    assert calls == [kind] * 3


def test_how_steps_run():
    model = small()
    assert (model.run_eagerly, model.jit_compile) == (False, True)
    model.run_eagerly = True
    assert (model.run_eagerly, model.jit_compile) == (True, False)
    model.compile("sgd", "mse", jit_compile=False)
    assert (model.run_eagerly, model.jit_compile) == (False, False)
    with pytest.warns(UserWarning, match="cannot also be True"):
        model.compile("sgd", "mse", jit_compile=True, run_eagerly=True)
    assert (model.run_eagerly, model.jit_compile) == (True, False)
    assert model.jax_state_sync() is None


def test_a_pydataset_that_forgot_its_base():
    class Forgot(kerasish.utils.PyDataset):
        def __init__(self):
            pass

    with pytest.warns(UserWarning, match="super"):
        assert Forgot().workers == 1
    data = kerasish.utils.PyDataset(workers=3, max_queue_size=4)
    data.use_multiprocessing = True
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (3, True, 4)


def test_progbar_without_a_target_and_silent():
    for verbose, shown in ((0, False), (1, True), (2, False)):
        with redirect_stdout(io.StringIO()) as out:
            bar = kerasish.utils.Progbar(None, verbose=verbose, interval=0)
            bar.add(3, [("loss", 0.5)])
        assert ("3/Unknown" in out.getvalue()) == shown
    with pytest.raises(ValueError, match="Only one"):
        kerasish.utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
