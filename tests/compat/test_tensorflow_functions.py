"""`tf.function`, loops, tapes and variables as TensorFlow programs use them."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish as keras
from kerasish.compat import tensorflow

tf = tensorflow.namespace("")


def test_input_signature():
    double = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec([None], tf.float32)])
    for given in ([1, 2], np.array([1.0, 2.0]), tf.constant([1.0, 2.0])):
        found = double(given)
        assert found.dtype == tf.float32 and found.numpy().tolist() == [2, 4]
    with pytest.raises(TypeError, match="shape"):
        double(tf.ones((2, 2)))
    with pytest.raises(TypeError, match="2 arguments"):
        double([1.0], [2.0])

    class Part:
        @tf.function(
            input_signature=[tf.TensorSpec([], tf.float32), {"a": tf.TensorSpec([2], tf.int32)}]
        )
        def add(self, x, d):
            return x + tf.cast(tf.reduce_sum(d["a"]), tf.float32)

    part = Part()
    assert float(part.add(1, {"a": [1, 2]})) == 4 == float(part.add(1.0, d={"a": np.array([1, 2])}))
    assert tf.function(lambda x: x + 1)(1.0).numpy() == 2


def test_printing_runs_a_function_eagerly(capsys):
    @tf.function
    def show(x):
        tf.print("x =", x)
        return x * 2

    with pytest.warns(UserWarning, match="show can't be compiled"):
        show(tf.constant(1))
    show(tf.constant(2))
    assert capsys.readouterr().err == "x = 1\nx = 2\n"


def test_loops_over_arrays_of_tensors():
    def squares(n):
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        return tf.while_loop(
            lambda i, _: i < n,
            lambda i, array: (i + 1, array.write(i, tf.cast(i, tf.float32) ** 2)),
            (0, array),
        )[1].stack()

    assert squares(tf.constant(4)).numpy().tolist() == [0, 1, 4, 9]
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert tf.function(squares)(tf.constant(3)).numpy().tolist() == [0, 1, 4]
    few = tf.while_loop(
        lambda i, a: True, lambda i, a: [i + 1, a.write(i, 1.0)],
        [0, tf.TensorArray(tf.float32, 2)], maximum_iterations=2,
    )  # fmt: skip
    assert isinstance(few, list) and int(few[0]) == 2


def test_functions_of_python_as_decorators():
    @tf.numpy_function(Tout=[tf.float32, tf.int32])
    def step(action):
        return action * 2, np.array(3, np.int32)

    state, reward = step(tf.constant(2.0))
    assert float(state) == 4 and reward.dtype == tf.int32

    @tf.py_function(Tout=tf.float64)
    def half(x):
        return x / 2

    assert half(tf.constant(3.0)).dtype == tf.float64


def test_variables():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(v, tf.Variable) and not isinstance(v.value, tf.Variable)
    v.scatter_nd_update([[0, 1]], [9.0])
    v.scatter_nd_add([[1]], [[1.0, 1.0]])
    v.scatter_nd_max([[0, 0]], [5.0])
    assert v.numpy().tolist() == [[5, 9], [4, 5]]
    assert (-tf.shape(v)).numpy().tolist() == [-2, -2]


def test_tapes():
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
    assert float(tape.gradient(y, v)) == 6
    assert tape.watched_variables() == (v,)
    with pytest.raises(RuntimeError):
        tape.gradient(y, v)
    with tf.GradientTape() as tape:
        y = v
    assert float(tape.gradient(y, v)) == 1
    with tf.GradientTape() as tape, tf.control_dependencies([]), tf.init_scope():
        y = tf.constant(1.0) * 2
    zero = tape.gradient(y, v, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert float(zero) == 0


def test_empty_text_is_text():
    none = tf.boolean_mask(tf.constant(["a", "b"]), [False, False])
    assert tf.concat([none, tf.constant(["c"])], 0).numpy().tolist() == [b"c"]
    assert tf.concat([[], ["a"]], 0).numpy().tolist() == [b"a"]
    assert tf.concat([[[]], [["a"]]], 1).numpy().tolist() == [[b"a"]]
    assert tf.reshape(none, [0, 1]).shape == (0, 1) and tf.equal(none, none).shape == (0,)


def test_shapes_are_wrapped_once():
    before = type(tf.ones((2,))).shape
    assert tensorflow.namespace("").__name__ == "tensorflow"
    assert type(tf.ones((2,))).shape is before


def test_shapes_are_joined():
    x = tf.ones((2, 3))
    assert [4] + x.shape == (4,) + x.shape == [4, 2, 3] and ([4] + x.shape).rank == 3


def test_structures_of_data_sets():
    few, many = tf.data.Dataset.range(2), tf.data.Dataset.range(5)
    assert [int(x) for x in tf.data.Dataset.zip(few)] == [0, 1]
    named = tf.data.Dataset.zip({"a": few, "b": (many, few)})
    assert len(named) == 2
    assert [int(e["a"] + e["b"][0] + e["b"][1]) for e in named] == [0, 3]


def test_text_of_layers():
    words = keras.layers.StringLookup(vocabulary=list("abc"), invert=True)
    assert words(tf.constant([1, 2])).numpy().tolist() == [b"a", b"b"]
