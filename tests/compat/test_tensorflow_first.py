"""What programs of TensorFlow 1 and notebooks set up around Keras."""

from __future__ import annotations

import subprocess
import sys
import wave

import numpy as np
import pytest

import kerasish as keras
from kerasish.compat import tensorflow

tf = tensorflow.namespace("")

PREAMBLES = """
import tensorflow as tf
from keras import backend as K
config = tf.compat.v1.ConfigProto()
config.gpu_options.allow_growth = True
config.gpu_options.per_process_gpu_memory_fraction = 0.3
session = tf.compat.v1.Session(config=config)
tf.compat.v1.keras.backend.set_session(session)
sess = tf.Session(graph=tf.get_default_graph(), config=tf.ConfigProto(
    gpu_options=tf.GPUOptions(allow_growth=True), intra_op_parallelism_threads=1))
K.set_session(sess)
K.get_session().run(tf.global_variables_initializer())
with tf.Session() as sess:
    print(sess.run(tf.constant(3) + 4), sess.run({"a": tf.Variable(2.0)}))
graph = tf.get_default_graph()
with graph.as_default(), sess.as_default():
    pass
tf.compat.v1.disable_eager_execution()
tf.compat.v1.disable_v2_behavior()
tf.reset_default_graph()
tf.logging.set_verbosity(tf.logging.ERROR)
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
tf.config.experimental_run_functions_eagerly(False)
import tensorflow.compat.v1 as tf1
tf1.disable_v2_behavior()
print(tf1.reduce_sum([1, 2]).numpy(), tf1.nn.relu([-1.0]).numpy(), tf.log(1.0).numpy())
from tensorflow.python.client import device_lib
print([x.name for x in device_lib.list_local_devices() if x.device_type == "CPU"])
try:
    tpu = tf.distribute.cluster_resolver.TPUClusterResolver()
except ValueError:
    strategy = tf.distribute.get_strategy()
"""


def test_preambles(tmp_path):
    (tmp_path / "script.py").write_text(PREAMBLES)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "kerasish", "script.py"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "7 {'a': np.float32(2.0)}",
        "3 [0.] 0.0",
        "['/device:CPU:0']",
    ]


def test_what_needs_a_graph_says_so():
    with pytest.raises(RuntimeError, match="Input"):
        tf.placeholder(tf.float32, (None, 2))
    with pytest.raises(RuntimeError, match="no graph"):
        tf.Session().run(keras.Input((2,)))
    with pytest.raises(RuntimeError, match="fed"):
        tf.Session().run(tf.constant(1.0), feed_dict={"x": 1})


def test_optimizers():
    adam = tf.train.AdamOptimizer(0.1, beta1=0.8, use_locking=True)
    assert isinstance(adam, keras.optimizers.Adam)
    assert adam.beta_1 == 0.8 and adam.epsilon == 1e-8
    assert float(adam.learning_rate) == pytest.approx(0.1)
    moved = tf.compat.v1.train.MomentumOptimizer(0.01, 0.7, use_nesterov=True)
    assert moved.momentum == 0.7 and moved.nesterov
    ftrl = tf.train.FtrlOptimizer(0.1, -0.4)
    assert ftrl.learning_rate_power == -0.4
    with pytest.raises(TypeError, match="takes 3 arguments"):
        tf.train.GradientDescentOptimizer(0.1, False, "n", 1)
    rms = tf.train.RMSPropOptimizer(0.01, decay=0.8, centered=True)
    assert rms.rho == 0.8 and rms.centered and rms.epsilon == 1e-10
    for name in ("Adadelta", "Adagrad", "Ftrl", "GradientDescent"):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(getattr(tf.train, f"{name}Optimizer")(0.1), "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_tables_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="2 keys, 1 values"):
        tf.lookup.KeyValueTensorInitializer(["a", "b"], [1])
    with pytest.raises(ValueError, match="twice"):
        tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
    assert int(table.size()) == 1 and table[["a", "b"]].numpy().tolist() == [1, 0]


def test_candidates_by_zipfs_law():
    tf.random.set_seed(2)
    counts = np.zeros(20)
    for _ in range(60):
        found = tf.random.log_uniform_candidate_sampler([[0, 3]], 2, 40, False, 20)
        counts += np.bincount(found.sampled_candidates.numpy(), minlength=20)
    classes = np.arange(20)
    p = np.log((classes + 2) / (classes + 1)) / np.log(21)
    assert np.abs(counts / counts.sum() - p).max() < 0.02
    assert np.allclose(found.true_expected_count.numpy(), [p[[0, 3]] * 40])
    found = tf.random.log_uniform_candidate_sampler([[0]], 1, 20, True, 20)
    assert sorted(found.sampled_candidates.numpy()) == list(range(20))
    assert (found.sampled_expected_count.numpy() <= 1).all()
    with pytest.raises(ValueError, match="21 different"):
        tf.random.log_uniform_candidate_sampler([[0]], 1, 21, True, 20)


def test_sound(tmp_path):
    path = str(tmp_path / "a.wav")
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.array([0, 16384, -32768], "<i2").tobytes())
    audio, rate = tf.audio.decode_wav(tf.io.read_file(path))
    assert audio.numpy().tolist() == [[0], [0.5], [-1]] and int(rate) == 8000
    audio = tf.audio.decode_wav(tf.io.read_file(path), 2, 4).audio
    assert audio.numpy().tolist() == [[0, 0], [0.5, 0.5], [-1, -1], [0, 0]]
    assert len(tf.audio.decode_wav(tf.io.read_file(path), desired_samples=2)[0]) == 2
