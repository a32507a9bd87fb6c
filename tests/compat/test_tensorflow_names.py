"""The names of TensorFlow, beside what TensorFlow answered (`tests/golden/make_tensorflow.py`)."""

from __future__ import annotations

import re
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow_cases

import kerasish as keras
from kerasish.compat import tensorflow
from kerasish.compat.tables.tensorflow import TENSORFLOW

GOLDEN = Path(__file__).parents[1] / "golden" / "tensorflow.npz"
tf = tensorflow.namespace("")


@pytest.fixture(scope="module")
def names():
    return {"tf": tf, "np": np, **tensorflow_cases.values(tf)}


@pytest.fixture(scope="module")
def stored():
    with np.load(GOLDEN) as file:
        arrays = dict(file)
    asked, found = arrays.pop("expressions").tolist(), {}
    for key, array in arrays.items():
        i, j = map(int, key.split("."))
        found.setdefault(asked[i], {})[j] = array
    return {expression: [parts[j] for j in sorted(parts)] for expression, parts in found.items()}


@pytest.mark.parametrize("expression", tensorflow_cases.expressions())
def test_as_in_tensorflow(expression, names, stored):
    found = tensorflow_cases.leaves(eval(expression, names))
    expected = stored[expression]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        if theirs.dtype.kind == "U":
            assert ours.dtype.kind == "U" and ours.tolist() == theirs.tolist()
            continue
        if ours.ndim or theirs.dtype.kind in "fc":  # else a number of Python's
            assert ours.dtype == theirs.dtype
        near = 2e-5 if theirs.dtype.itemsize > 2 else 1e-3
        np.testing.assert_allclose(ours, theirs, rtol=near, atol=near / 4)


# -- names


def all_names():
    return [(path, name) for path in TENSORFLOW for name in TENSORFLOW[path]]


def test_all_names_are_there():
    for path, name in all_names():
        found = tensorflow.find(path, name)
        known = found is None or isinstance(found, str | int | types.ModuleType)
        assert known or callable(found), (path, name)
    for path in ("sparse", "ragged", "raw_ops", "saved_model"):
        with pytest.raises(AttributeError, match=rf"tensorflow\.{path} is not there"):
            tensorflow.find("", path)


def test_kinds_of_tensors_that_are_not_here():
    for name in ("RaggedTensor", "SparseTensor", "IndexedSlices"):
        kind = tensorflow.find("", name)
        assert not isinstance(np.ones(2), kind) and not isinstance(keras.ops.ones(2), kind)
        with pytest.raises(NotImplementedError, match=f"tf.{name} is not there"):
            kind([0], [1.0])


# Names without values to compare, and those that the tests below look at.
WITHOUT_CASES = (
    "Assert|DType|GradientTape|GFile|Generator|IndexedSlices|Tensor|TensorSpec|Variable|__version__|assert_|"
    "is_symbolic|check_numerics|custom_gradient|device|function$|group|name_scope|newaxis|no_op|"
    "print|random|Module|initializers|losses|metrics|optimizers|set_random_seed|get_logger|recompute_grad|stop_gradient|get_static|"
    "stateless|options|heckpoint|Optimizer|Session|ConfigProto|GPUOptions|Graph|graph|_session|able_|_initializer|initialize_|placeholder|TPUCluster|list_local|log_uniform|decode_wav|^logging|matrix_|^to_|truncated|Unconnected|control_dep|init_scope|Threading|AutoShard|Distribute|experimental|categorical|"
    "^(b?float|u?int|half|double|string|bool$|complex)"
)
ALIASES = {
    "broadcast_static_shape": "broadcast_dynamic_shape", "lrn": "local_response_normalization",
    "conv3d_transpose": "conv2d_transpose", "conv_transpose": "conv2d_transpose",
    "separable_conv2d": "separable_conv2d", "log_sigmoid": "log_sigmoid",
}  # fmt: skip


def test_names_with_values_have_cases():
    text = "\n".join(tensorflow_cases.expressions())
    missing = set()
    for path in ("", "math", "nn", "linalg", "image", "strings", "data", "bitwise"):
        for name in TENSORFLOW[path]:
            if re.search(WITHOUT_CASES, name):
                continue
            name = ALIASES.get(name, name)
            if not re.search(rf"\btf\.(\w+\.)?{re.escape(name)}\(", text):
                missing.add(f"{path}.{name}")
    assert missing <= UNCOMPARED, sorted(missing - UNCOMPARED)


# Those of data sets and files, which tests below look at.
UNCOMPARED = {
    "data.AUTOTUNE", "data.Dataset", "data.INFINITE_CARDINALITY", "data.Options",
    "data.TextLineDataset", "data.UNKNOWN_CARDINALITY", "image.ResizeMethod", "image.decode_bmp",
    "image.decode_gif",
}  # fmt: skip


def test_arguments_are_named_as_in_tensorflow():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert float(tf.reduce_sum(input_tensor=x, name="s")) == 10
    assert tf.maximum(x, 2.5, "m").shape == (2, 2)
    assert tf.squeeze(input=x[None], axis=[0], name=None).shape == (2, 2)
    with pytest.raises(TypeError, match=r"tf\.maximum takes"):
        tf.maximum(x, x, x, x)
    with pytest.raises(TypeError, match="'axis' is unknown or given twice"):
        tf.maximum(x, x, axis=1)


def test_nothing_is_loaded_before_it_is_used():
    code = (
        "import sys, tensorflow as tf\ntf.constant(1.0)\n"
        "print([m for m in sys.modules if 'compat.tensorflow.' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-m", "kerasish", "-c", code], capture_output=True, text=True, check=True
    )
    assert "image" not in done.stdout and "strings" not in done.stdout, done.stdout


# -- differentiated, compiled, in models

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 4))
COMPOSED = {
    "l2_normalize": lambda x: tf.math.l2_normalize(x, 1),
    "segments": lambda x: tf.math.unsorted_segment_mean(x, [1, 0, 1], 3),
    "gather": lambda x: tf.gather(x, [[1, 0], [2, 3], [0, 0]], batch_dims=1),
    "xlogy": lambda x: tf.math.xlogy(tf.constant([0.0, 1.0, 2.0, 0.0], "float64"), tf.exp(x)),
    "clip": lambda x: tf.clip_by_global_norm([x, 2 * x], 1.5)[0][0],
    "cross entropy": lambda x: tf.nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(x * 2), x),
    "sparse": lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 3, 1], x),
    "cumsum": lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True) ** 2,
    "set_diag": lambda x: tf.linalg.set_diag(x * x, x[0, :3]),
    "moments": lambda x: tf.nn.weighted_moments(x, [0], tf.abs(x))[1],
    "contrast": lambda x: tf.image.adjust_contrast(tf.reshape(x, (2, 2, 3)), 1.4),
    "resize": lambda x: tf.image.resize(tf.cast(tf.reshape(x, (2, 2, 3)), "float32"), (5, 3)),
    "scan": lambda x: tf.scan(lambda a, r: a * 0.5 + r * r, x),
    "transposed": lambda x: tf.nn.conv2d_transpose(
        tf.reshape(x, (1, 2, 3, 2)), tf.ones((2, 2, 1, 2), "float64"), (1, 4, 6, 1), 2
    ),
    "top": lambda x: tf.math.top_k(x, 2).values * tf.constant([1.0, 3.0], "float64"),
    "where": lambda x: tf.where(x > 0, x * x, tf.zeros_like(x)),
    "pad": lambda x: tf.pad(x, [[1, 0], [0, 2]], "REFLECT") ** 2,
}


def total(function, x):
    return tf.reduce_sum(tf.cast(function(x), "float64") * 0.7)


@pytest.mark.parametrize("name", [n for n in COMPOSED if n != "resize"])
def test_gradients(name):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = total(COMPOSED[name], x)
    found = tape.gradient(y, x).numpy()
    for place in np.ndindex(3, 2):
        step = np.zeros_like(X)
        step[place] = 1e-6
        change = [float(total(COMPOSED[name], tf.constant(X + s * step))) for s in (1, -1)]
        assert found[place] == pytest.approx((change[0] - change[1]) / 2e-6, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", COMPOSED)
def test_compiled(name):
    compiled = tf.function(COMPOSED[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing runs eagerly instead
        found = compiled(tf.constant(X))
    np.testing.assert_allclose(found, COMPOSED[name](tf.constant(X)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", COMPOSED)
def test_in_a_functional_model(name):
    def function(x):
        return COMPOSED[name](tf.cast(x, "float64"))

    given = keras.Input((4,), batch_size=3)
    model = keras.Model(given, function(given))
    found = model.predict(X.astype("float32"), verbose=0)
    expected = function(tf.constant(X.astype("float32")))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_models_with_names_of_tensorflow_are_saved(tmp_path):
    given = keras.Input((6, 6, 3))
    x = tf.image.adjust_contrast(given, 1.5)
    x = tf.nn.leaky_relu(tf.image.flip_left_right(x), alpha=0.1)
    x = tf.reduce_mean(x, axis=[1, 2])
    model = keras.Model(given, tf.concat([x, tf.math.l2_normalize(x, axis=1)], axis=-1))
    assert model.output_shape == (None, 6)
    model.save(tmp_path / "model.keras")
    images = RNG.random((2, 6, 6, 3)).astype("float32")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=False)
    np.testing.assert_allclose(
        again.predict(images, verbose=0), model.predict(images, verbose=0), rtol=1e-6
    )


# -- functions


def test_functions_that_depend_on_values_run_eagerly():
    @tf.function
    def halved(x):
        while x > 1.0:
            x = x / 2
        return x

    with pytest.warns(UserWarning, match="halved can't be compiled and runs eagerly"):
        assert float(halved(tf.constant(12.0))) == 0.75
    assert float(halved(tf.constant(5.0))) == 0.625  # said once

    class Counter:
        def __init__(self, start):
            self.count = tf.Variable(start)

        @tf.function(jit_compile=True)
        def add(self, n):
            return self.count.assign_add(n)

    one, other = Counter(1.0), Counter(10.0)
    one.add(tf.constant(2.0)), other.add(tf.constant(2.0)), one.add(tf.constant(2.0))
    assert (float(one.count), float(other.count)) == (5.0, 12.0)

    @tf.function
    def whole(data):
        total = tf.constant(0, tf.int64)
        for x in data:
            total += x
        return total

    assert int(whole(tf.data.Dataset.range(5))) == 10
    assert not tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    assert tf.function(lambda x: isinstance(float(x), float))(tf.constant(1.0))
    tf.config.run_functions_eagerly(False)


def test_modules():
    class Dense(tf.Module):
        def __init__(self, inputs, outputs, name=None):
            super().__init__(name=name)
            self.w = tf.Variable(tf.random.normal([inputs, outputs]), name="w")
            self.b = tf.Variable(tf.zeros([outputs]), trainable=False)

        @tf.function
        def __call__(self, x):
            return tf.nn.relu(x @ self.w + self.b)

    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.parts = [Dense(3, 4), {"last": Dense(4, 2)}]

        def __call__(self, x):
            return self.parts[1]["last"](self.parts[0](x))

    model = Model()
    assert model(tf.ones((5, 3))).shape == (5, 2) and model.name == "model"
    assert len(model.variables) == 4 and len(model.trainable_variables) == 2
    assert len(model.submodules) == 2
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.ones((5, 3))))
    assert len(tape.gradient(loss, model.trainable_variables)) == 2


def test_loops_over_arrays_of_tensors():
    @tf.function
    def powers(x):
        found = tf.TensorArray(tf.float32, size=3)
        for i in tf.range(3):
            found = found.write(i, x)
            x = x * 2.0
        return found.stack()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert powers(tf.constant(1.5)).numpy().tolist() == [1.5, 3.0, 6.0]


def test_debugging():
    tf.debugging.assert_equal([1, 2], [1, 2])
    tf.debugging.assert_near(1.0, 1.0 + 1e-7)
    tf.debugging.assert_shapes([(tf.ones((2, 3)), ("n", 3)), (tf.ones(2), ("n",))])
    tf.debugging.assert_rank(tf.ones((2, 3)), 2)
    tf.debugging.assert_type(tf.ones(2), tf.float32)
    tf.Assert(tf.constant(True), ["shown"])
    assert tf.debugging.check_numerics(tf.ones(2), "m").shape == (2,)
    for wrong in (
        lambda: tf.debugging.assert_equal([1, 2], [1, 3], message="no"),
        lambda: tf.debugging.assert_greater(1, 2),
        lambda: tf.debugging.assert_less_equal(3, 2),
        lambda: tf.debugging.assert_positive([0.0]),
        lambda: tf.debugging.assert_near(1.0, 1.1),
        lambda: tf.debugging.check_numerics([np.nan], "bad"),
        lambda: tf.Assert(False, ["shown"]),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            wrong()
    with pytest.raises(ValueError, match="rank 3"):
        tf.debugging.assert_rank(tf.ones((2, 3)), 3)
    with pytest.raises(ValueError, match="with n = 2"):
        tf.debugging.assert_shapes([(tf.ones((2, 3)), ("n", 3)), (tf.ones(3), ("n",))])
    with pytest.raises(TypeError, match="structures are of"):
        tf.nest.assert_same_structure([1], (1,))


def test_system(capsys, tmp_path):
    assert tf.config.list_physical_devices("CPU")[0].device_type == "CPU"
    tf.config.experimental.set_memory_growth(tf.config.list_physical_devices()[0], True)
    strategy = tf.distribute.MirroredStrategy()
    with strategy.scope(), tf.device("/GPU:0"), tf.name_scope("a"):
        assert float(strategy.run(lambda x: x + 1, (tf.constant(1.0),))) == 2
    assert tf.distribute.get_strategy().num_replicas_in_sync == 1
    with pytest.raises(ValueError, match="several devices"):
        tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1"])
    tf.print("step", tf.constant([1, 2]), output_stream=sys.stdout)
    assert capsys.readouterr().out == "step [1 2]\n"
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        tf.summary.scalar("loss", tf.constant(0.5), step=1)
        tf.summary.image("picture", np.zeros((1, 4, 4, 3)), step=1)
        with pytest.raises(ValueError, match="No step is set"):
            tf.summary.scalar("loss", 0.5)
    with writer.as_default(step=3):
        tf.summary.scalar("loss", 0.5)
    elements = iter(tf.data.Dataset.range(1))
    assert int(elements.get_next()) == 0
    with pytest.raises(tf.errors.OutOfRangeError):
        elements.get_next()
    assert list(tmp_path.iterdir())
    assert tf.__version__ == tf.version.VERSION
    assert issubclass(tf.errors.OutOfRangeError, Exception)


def test_shapes_and_dtypes():
    x = tf.ones((2, 3))
    assert x.get_shape().as_list() == x.shape.as_list() == [2, 3] == x.shape
    symbolic = keras.Input((2, 3))  # of tf.keras 2: its shape is TensorFlow's, too
    assert symbolic.shape.as_list() == [None, 2, 3]
    assert keras.layers.Flatten()(symbolic).shape[1:].num_elements() == 6
    assert tf.float32 == "float32" == x.dtype.name and x.dtype == tf.float32
    assert tf.float32.as_numpy_dtype is np.float32 and tf.bool.is_bool
    assert tf.constant("a").dtype == tf.string or tf.string == tf.constant("a").dtype
    assert tf.TensorShape([None, 2]).is_compatible_with([5, 2])
    assert tf.reshape(x, tf.concat([tf.shape(x)[::-1], [1]], 0)).shape == (3, 2, 1)

    @tf.function
    def flat(x):
        n = tf.shape(x)
        return tf.reshape(x, tf.stack([n[0] * n[1]])) + tf.cast(n[0], tf.float32)

    assert flat(x).numpy().tolist() == [3.0] * 6


class CausalMask(keras.layers.Layer):
    def call(self, x):
        rows, length = tf.shape(x)[0], tf.shape(x)[1]
        mask = tf.cast(tf.range(length)[:, tf.newaxis] >= tf.range(length), dtype="int32")
        times = tf.concat([tf.expand_dims(rows, -1), tf.constant([1, 1], dtype=tf.int32)], axis=0)
        masks = tf.tile(tf.reshape(mask, (1, length, length)), times)
        flat = tf.reduce_prod(tf.shape(masks)[1:])
        return tf.reshape(masks, tf.stack([rows, flat]))


def test_sizes_are_known_while_tracing():
    given = keras.Input((4, 3))
    model = keras.Model(given, CausalMask()(given))
    assert model.output_shape == (None, 16)
    found = model.predict(np.ones((2, 4, 3)), verbose=0)
    np.testing.assert_array_equal(found.reshape(2, 4, 4), [np.tril(np.ones((4, 4)))] * 2)


def test_texts_are_tensors_of_bytes():
    text = tf.constant(["ab", "é"])
    assert text.numpy().tolist() == [b"ab", "é".encode()] and text[0].numpy() == b"ab"
    assert str(text) == "['ab' 'é']" and repr(text).startswith("Text(['ab'")
    assert (text == "ab").numpy().tolist() == [True, False]
    assert [t.numpy().decode() for t in text] == ["ab", "é"]


def test_functions_of_layers_and_models():
    class Layer(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        @tf.function
        def call(self, x, training=None):
            return tf.nn.tanh(self.dense(x))

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Layer()

        def call(self, x):
            return self.inner(x)

        @tf.function(reduce_retracing=True)
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss}

    given = keras.Input((4,))
    layer = Layer()
    model = keras.Model(given, layer(given))
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(x), rtol=1e-6)
    own = Model()
    own.compile("sgd")
    losses = own.fit(x, np.ones((2, 3)), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    whole = tf.function(lambda x: own(x, training=False))
    np.testing.assert_allclose(whole(tf.constant(x)), own(x), rtol=1e-6)
