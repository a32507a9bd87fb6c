"""The base layer against the published Keras: the same classes on both, facts side by side."""

import types
import warnings

import numpy as np
import pytest

pytestmark = pytest.mark.parity

X = np.ones((2, 4), "float32")
IDS = np.array([[1, 0], [2, 3]])


def _ours():
    from kerasish import layers, metrics, naming, ops, random
    from kerasish.variable import Variable

    naming.reset_uids()
    return types.SimpleNamespace(
        layers=layers, metrics=metrics, ops=ops, random=random, Variable=Variable
    )


def _theirs():
    import keras

    keras.utils.clear_session(free_memory=False)
    return keras


def _classes(k):
    layers = k.layers

    class Inner(layers.Layer):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.d1 = layers.Dense(units)
            self.bn = layers.BatchNormalization()

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],), name="w", initializer="ones")
            self.nt = self.add_weight(shape=(), name="nt", trainable=False, initializer="zeros")
            self.d1.build(shape)
            self.bn.build((shape[0], self.units))

        def call(self, x, training=False):
            return self.bn(self.d1(x * self.w), training=training)

    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = []
            self.out = layers.Dense(2, kernel_regularizer="l2")
            for _ in range(2):
                self.blocks.append(Inner(3))
            self.named = {"a": layers.Dense(1)}
            self.pair = (layers.Dense(1),)
            self.metric = k.metrics.Mean(name="m")
            self.seed = k.random.SeedGenerator(3)
            self.v = k.Variable(np.zeros(2, "float32"), name="vv")

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.pair[0](self.named["a"](self.out(x)))

    class Lazy(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.d = layers.Dense(2)

        def build(self, shape):
            self.w = self.add_weight(shape=(), name="w")

        def call(self, x):
            return self.d(x) * self.w

    class Masked(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return [v * 1 for v in x] if isinstance(x, list) else x * 1

    class Losing(layers.Layer):
        def call(self, x):
            self.add_loss(k.ops.sum(x))
            return x * 1

    class Many(layers.Layer):
        def build(self, query_shape, value_shape):
            self.w = self.add_weight(shape=(query_shape[-1], value_shape[-1]))

        def call(self, query, value, scale=1.0):
            return query * scale

    return types.SimpleNamespace(
        Inner=Inner, Outer=Outer, Lazy=Lazy, Masked=Masked, Losing=Losing, Many=Many
    )


def _mask(x):
    mask = getattr(x, "_keras_mask", None) if not hasattr(x, "mask") else x.mask
    return None if mask is None else np.asarray(mask).tolist()


def weights_of_nested_layers(k, c):
    layer = c.Outer(name="outer")
    layer(X)
    lists = (
        "weights", "variables", "trainable_weights", "trainable_variables",
        "non_trainable_weights", "non_trainable_variables", "metrics_variables",
    )  # fmt: skip
    return {n: [w.path for w in getattr(layer, n)] for n in lists}


def frozen_parts(k, c):
    layer = c.Outer(name="outer")
    layer(X)
    layer.blocks[0].trainable = False
    first = [w.path for w in layer.trainable_weights]
    layer.trainable = True
    return first, [w.path for w in layer.trainable_weights], layer.blocks[0].nt.trainable


def unfrozen_variable(k, c):
    layer = k.layers.Dense(2)
    layer.build((None, 3))
    layer.kernel.trainable = False
    return [
        [w.name for w in getattr(layer, n)]
        for n in ("weights", "trainable_weights", "non_trainable_weights")
    ]


def frozen_at_birth(k, c):
    layer = k.layers.Dense(2, trainable=False)
    layer.build((None, 3))
    before = layer.kernel.trainable, len(layer.non_trainable_weights)
    layer.trainable = True
    return before, layer.kernel.trainable, len(layer.trainable_weights)


def paths_and_names(k, c):
    layer = c.Lazy(name="lazy")
    layer(X)
    auto = [k.layers.Dense(1).name for _ in range(2)], c.Masked().name, c.Inner().bn.name
    return [w.path for w in layer.weights], layer.path, layer.d.path, auto


def losses(k, c):
    dense = k.layers.Dense(
        2, activity_regularizer="l2", kernel_initializer="ones", kernel_regularizer="l1"
    )
    dense(X)
    dense(X)
    layer = c.Losing()
    layer(X)
    return [round(float(x), 5) for x in dense.losses + layer.losses]


def masks(k, c):
    embed, layer = k.layers.Embedding(4, 3, mask_zero=True), c.Masked()
    y = layer(embed(IDS))
    explicit = layer(X, mask=np.array([True, False]))
    pair = layer([embed(IDS), np.ones((2, 2, 3), "float32")])
    return _mask(y), _mask(explicit), [_mask(p) for p in pair], [m is None for m in layer.seen]


def build_configs(k, c):
    inner, many = c.Inner(), c.Many()
    inner(X)
    many(X, X[:, :2])
    return inner.get_build_config(), many.get_build_config(), many.w.shape


def dtypes(k, c):
    found = []
    for policy in ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16"):
        layer = k.layers.Dense(2, dtype=policy)
        y = layer(X)
        found.append((str(y.dtype), str(layer.kernel.dtype), layer.dtype, layer.compute_dtype))
    return found


def counts(k, c):
    layer = c.Outer()
    layer(X)
    return layer.count_params(), len(layer.get_weights()), len(layer.losses)


def saved_keys(k, c):
    inner = c.Inner()
    inner(X)
    store = {}
    inner.save_own_variables(store)
    return {key: np.asarray(value).shape for key, value in store.items()}


def symbolic_calls(k, c):
    x = k.layers.Input((4,))
    dense = k.layers.Dense(3)
    first, second = dense(x), dense(x)
    return (
        first.shape, first.dtype, second._keras_history[1:], dense.input is x,
        dense.output is first, [w.path for w in dense.weights],
    )  # fmt: skip


def shapes(k, c):
    return (
        k.layers.Dense(3).compute_output_shape((None, 4)),
        tuple(k.layers.Dense(3).compute_output_spec(k.layers.Input((4,))).shape),
        k.layers.Input((3,), batch_size=4, name="nn", dtype="int32").shape,
        k.layers.InputLayer((3,), name="i").get_config(),
    )


FACTS = [
    weights_of_nested_layers, frozen_parts, unfrozen_variable, frozen_at_birth, paths_and_names,
    losses, masks, build_configs, dtypes, counts, saved_keys, symbolic_calls, shapes,
]  # fmt: skip


@pytest.mark.parametrize("facts", FACTS, ids=lambda f: f.__name__)
def test_facts(facts):
    results = []
    for k in (_theirs(), _ours()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(facts(k, _classes(k)))
    wanted, got = results
    assert got == wanted


def _built(k):
    layer = k.layers.Dense(2)
    layer.build((None, 4))
    return layer


ERRORS = {
    "late variable": lambda k, c: _built(k).add_weight(shape=(2,)),
    "late layer": lambda k, c: setattr(_built(k), "x", k.layers.Dense(2)),
    "second build": lambda k, c: _built(k).build((None, 4)),
    "rank": lambda k, c: k.layers.Dense(2)(np.float32(1)),
    "axis": lambda k, c: _built(k)(np.ones((2, 5), "float32")),
    "weights": lambda k, c: _built(k).set_weights([1]),
    "weight shape": lambda k, c: _built(k).set_weights([np.ones((4, 3)), np.ones(2)]),
    "unbuilt count": lambda k, c: k.layers.Dense(2).count_params(),
    "unknown argument": lambda k, c: k.layers.Dense(2, foo=1),
    "name": lambda k, c: k.layers.Dense(2, name="a/b"),
    "input": lambda k, c: k.layers.Dense(2).input,
    "output": lambda k, c: k.layers.Dense(2).output,
    "number": lambda k, c: c.Losing()(1.0),
    "text": lambda k, c: c.Losing()("text"),
    "loss": lambda k, c: k.layers.Layer().add_loss("x"),
    "metric": lambda k, c: k.layers.Layer().add_metric(),
    "stateless": lambda k, c: _built(k).stateless_call([X], [], X),
    "missing": lambda k, c: c.Losing()(),
    "extra": lambda k, c: c.Losing()(X, foo=1),
    "loaded": lambda k, c: _built(k).load_own_variables({"0": X}),
    "unbuilt load": lambda k, c: k.layers.Dense(2).load_own_variables({"0": X}),
    "unknown size": lambda k, c: k.layers.Layer().add_weight(shape=(None, 2)),
    "float": lambda k, c: float(k.layers.Input((2,))),
    "array": lambda k, c: np.asarray(k.layers.Input((2,))),
    "bool": lambda k, c: bool(k.layers.Input((2,))),
    "iteration": lambda k, c: list(k.layers.Input((2,))),
    "no shape": lambda k, c: k.layers.Input(),
    "both shapes": lambda k, c: k.layers.Input((2,), batch_shape=(1, 2)),
    "axes": lambda k, c: k.layers.InputSpec(ndim=2, axes={3: 3}),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS)
def test_error_types(act):
    raised = []
    for k in (_theirs(), _ours()):
        with pytest.raises(Exception) as caught:
            act(k, _classes(k))
        raised.append(caught)
    wanted, got = raised
    assert isinstance(got.value, wanted.type)
