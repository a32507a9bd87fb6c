"""The base layer: state, building, calling, masks, losses, configs."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import kerasish_core as core
from kerasish import naming, ops
from kerasish.layers import LSTM, Dense, Embedding, Input, InputLayer, InputSpec, Layer
from kerasish.layers.tracking import no_tracking, structure_version
from kerasish.metrics import Mean
from kerasish.random import SeedGenerator
from kerasish.variable import Variable

X = np.ones((2, 4), "float32")


class Scale(Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

    def call(self, x):
        return x * self.w * self.factor


class Stack(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Dense(3, name="a"), Dense(2, name="b")]

    def call(self, x, training=False):
        self.seen = training
        for part in self.parts:
            x = part(x)
        return x


# -- building


def test_sublayers_are_built_under_the_layers_name_by_the_first_call():
    layer = Stack(name="outer")
    assert layer.path is None and not layer.built
    layer(X)
    assert [w.path for w in layer.weights] == [
        "outer/a/kernel", "outer/a/bias", "outer/b/kernel", "outer/b/bias",
    ]  # fmt: skip
    assert layer.built and layer.parts[0].path == "outer/a"


def test_build_by_hand_and_from_config():
    layer = Scale(name="s")
    layer.build((None, 4))
    assert layer.built and layer.w.path == "s/w"
    assert layer.get_build_config() == {"input_shape": (None, 4)}
    twin = Scale()
    twin.build_from_config({"input_shape": [None, 4]})
    assert twin.w.shape == (4,)


def test_build_with_several_shapes():
    class Two(Layer):
        def build(self, query_shape, value_shape):
            self.shapes = (query_shape, value_shape)

        def call(self, query, value=None):
            return query

    layer = Two()
    layer(X, value=X[:1])
    assert layer.shapes == ((2, 4), (1, 4))
    assert layer.get_build_config() == {
        "shapes_dict": {"query_shape": (2, 4), "value_shape": (1, 4)}
    }


def test_build_arguments_must_name_call_arguments():
    class Wrong(Layer):
        def build(self, foo_shape, value_shape):
            pass

        def call(self, query, value):
            return query

    with pytest.raises(ValueError, match=r"should have a `_shape`\s+suffix"):
        Wrong()(X, X)


def test_state_is_locked_after_building():
    layer = Stack()
    layer(X)
    for change in (
        lambda: setattr(layer, "new", Dense(1)),
        lambda: layer.parts.append(Dense(1)),
        lambda: layer.add_weight(shape=(1,)),
        lambda: setattr(layer, "v", Variable(np.zeros(1, "float32"))),
    ):
        with pytest.raises(ValueError, match="cannot add new elements of state"):
            change()
    layer.anything = [1, 2]
    layer.metric = Mean()
    assert layer.metrics == [layer.metric]


def test_forgotten_super_init_is_named():
    class Forgetful(Layer):
        def __init__(self):
            self.d = Dense(2)

    with pytest.raises(RuntimeError, match="forgot to call `super"):
        Forgetful()(X)


def test_unknown_sizes_cannot_make_weights():
    class Wide(Layer):
        def build(self, input_shape):
            self.add_weight(shape=input_shape, name="w")

        def call(self, x):
            return x

    with pytest.raises(ValueError, match="fully-defined"):
        Wide()(Input((4,)))


# -- tracking


def test_weights_come_in_order_of_arrival():
    class Late(Layer):
        def __init__(self):
            super().__init__()
            self.early = []
            self.out = Dense(1, name="out")
            self.early.append(Dense(1, name="early"))

        def call(self, x):
            return self.out(x) + self.early[0](x)

    layer = Late()
    layer(X)
    assert [w.path.split("/")[-2] for w in layer.weights] == ["out", "out", "early", "early"]


def test_containers_follow_changes():
    layer = Layer()
    layer.items = [Dense(1), {"k": Dense(2)}, (Dense(3),)]
    assert len(layer._layers) == 3
    layer.items.pop()
    assert len(layer._layers) == 2
    layer.items[0] = Dense(5)
    assert sorted(x.units for x in layer._layers) == [2, 5]
    layer.items[1]["k2"] = Dense(7)
    del layer.items[1]["k"]
    assert sorted(x.units for x in layer._layers) == [5, 7]
    layer.items.clear()
    assert layer._layers == []
    layer.only = {Dense(1)}
    layer.only.clear()
    assert layer._layers == []


def test_tracking_can_be_left_out():
    layer = Layer()
    with no_tracking():
        layer.helper = Dense(1)
    assert layer._layers == []


def test_seeds_and_metrics():
    layer = Layer()
    layer.seed = SeedGenerator(1)
    layer.metric = Mean(name="m")
    assert [v.name for v in layer.variables] == ["seed_generator_state"]
    assert layer.weights == []
    assert layer.metrics == [layer.metric]
    assert len(layer.metrics_variables) == 2


def test_structure_version_rises_with_what_compiled_steps_depend_on():
    layer = Stack()
    layer(X)
    for change in (
        lambda: setattr(layer, "trainable", False),
        lambda: setattr(layer.parts[0].kernel, "trainable", True),
        lambda: setattr(layer, "dtype_policy", "float32"),
        lambda: layer.parts.pop(),
    ):
        before = structure_version()
        change()
        assert structure_version() > before
    before = structure_version()
    layer(X)
    assert structure_version() == before


def test_trainable_reaches_down_and_comes_back():
    layer = Stack()
    layer(X)
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 4
    assert not layer.parts[0].kernel.trainable
    layer.trainable = True
    assert len(layer.trainable_weights) == 4
    layer.parts[0].trainable = False
    assert len(layer.trainable_weights) == 2 and len(layer.non_trainable_weights) == 2


def test_weights_made_by_a_frozen_layer_are_frozen():
    layer = Dense(2, trainable=False)
    layer.build((None, 3))
    assert not layer.kernel.trainable
    layer.trainable = True
    assert layer.kernel.trainable


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"]
)
def test_copies_have_their_own_state(duplicate):
    layer = Dense(3)
    wanted = np.asarray(layer(X))
    twin = duplicate(layer)
    layer.kernel.assign(layer.kernel * 2)
    np.testing.assert_array_equal(twin(X), wanted)
    assert [w.path for w in twin.weights] == [w.path for w in layer.weights]


def test_copied_containers_still_track():
    layer = copy.deepcopy(_with_list())
    layer.items.append(Dense(2))
    assert len(layer._layers) == 2


def _with_list():
    layer = Layer()
    layer.items = [Dense(1)]
    return layer


# -- weights


def test_set_weights_checks_before_it_writes():
    layer = Dense(2)
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ValueError, match="weight list of length 1"):
        layer.set_weights(before[:1])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        layer.set_weights([before[0] + 1, np.ones(3)])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    layer.set_weights([before[0] + 1, before[1]])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0] + 1)


def test_count_params_needs_a_built_layer():
    with pytest.raises(ValueError, match="isn't built"):
        Dense(2).count_params()
    layer = Dense(2)
    layer.build((None, 3))
    assert layer.count_params() == 8


def test_own_variables_are_saved_and_loaded():
    layer, twin = Dense(2), Dense(2)
    layer.build((None, 3))
    store = {}
    layer.save_own_variables(store)
    with pytest.raises(ValueError, match="never built"):
        twin.load_own_variables(store)
    twin.build((None, 3))
    twin.load_own_variables(store)
    np.testing.assert_array_equal(twin.kernel, layer.kernel)
    with pytest.raises(ValueError, match="expected 2 variables, but received 1"):
        twin.load_own_variables({"0": store["0"]})


def test_add_weight_spellings():
    naming.reset_uids()
    layer = Layer()
    assert layer.add_weight((2,), "ones").shape == (2,)
    assert layer.add_weight("named", (3,)).name == "named"
    assert layer.add_weight(shape=3, dtype="int32").dtype == "int32"
    assert layer.add_variable((2,), "zeros").name == "variable_2"


# -- calling


def test_training_reaches_nested_layers_and_ends_with_the_call():
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.fixed = Stack(), Stack()

        def call(self, x):
            return self.inner(x) + self.fixed(x, training=False)

    layer = Outer()
    layer(X)
    assert layer.inner.seen is False
    layer(X, training=True)
    assert layer.inner.seen is True and layer.fixed.seen is False


def test_inputs_are_cast_to_the_compute_dtype():
    class Same(Layer):
        def call(self, x, other=None):
            return x, other

    layer = Same(dtype="float16")
    x, other = layer(np.ones(2, "float64"), other=np.ones(2, "int32"))
    assert x.dtype == np.float16 and other.dtype == np.int32
    assert Same(dtype="float16", autocast=False)(X)[0].dtype == np.float32
    assert layer(X, other="text")[1] == "text"
    nested = layer({"a": X, "b": [X]})[0]
    assert nested["b"][0].dtype == np.float16


def test_mixed_precision_reads_variables_in_the_compute_dtype():
    layer = Dense(2, dtype="mixed_float16")
    y = layer(X)
    assert y.dtype == np.float16
    assert layer.kernel.dtype == "float32"
    assert (layer.compute_dtype, layer.variable_dtype) == ("float16", "float32")


def test_only_tensors_are_positional():
    class Same(Layer):
        def call(self, x, flag=None):
            return x

    with pytest.raises(ValueError, match="Only input tensors may be passed as positional"):
        Same()(X, "text")
    with pytest.raises(ValueError, match="Only input tensors may be passed as positional"):
        Same()(1.0)


def test_input_specs_are_checked():
    layer = Dense(2, name="d")
    layer(X)
    with pytest.raises(ValueError, match=r"of layer 'd' is incompatible.*axis -1.*value 4"):
        layer(np.ones((2, 5), "float32"))
    with pytest.raises(ValueError, match="expected min_ndim=2, found ndim=1"):
        layer(Input(()))
    with pytest.raises(ValueError, match="greater than the maximum allowed value"):
        InputSpec(ndim=2, axes={3: 1})
    spec = InputSpec(shape=(None, 3))
    assert InputSpec.from_config(spec.get_config()).shape == (None, 3)


def test_an_error_inside_call_says_where():
    class Broken(Layer):
        def call(self, x):
            raise KeyError("oops")

    with pytest.raises(KeyError) as caught:
        Broken(name="bad")(X)
    assert "Broken.call() of 'bad'" in caught.value.__notes__[0]
    assert "shape=(2, 4)" in caught.value.__notes__[0]
    # The failed call left no context behind.
    layer = Stack()
    layer(X)
    assert layer.seen is False


def test_symbolic_calls_record_nodes():
    layer = Dense(3)
    first, second = Input((4,)), Input((4,))
    y = layer(first)
    assert y.shape == (None, 3) and layer.built
    assert layer(second)._keras_history[1] == 1
    assert layer.input is first and layer.output is y


def test_a_layer_in_user_code_may_say_its_own_output_shape():
    class Half(Layer):
        def call(self, x):
            return x[:, :2]

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 2)

    assert Half()(Input((4,))).shape == (None, 2)
    assert Half().compute_output_spec(Input((4,))).shape == (None, 2)
    assert Scale().compute_output_shape((None, 4)) == (None, 4)


def test_stateless_call_writes_nothing():
    layer = Dense(2)
    layer(X)
    before = layer.get_weights()
    y, others = layer.stateless_call([np.zeros((4, 2), "float32"), np.ones(2, "float32")], [], X)
    np.testing.assert_array_equal(y, np.ones((2, 2)))
    assert others == []
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    with pytest.raises(ValueError, match="Received list with length 1, but expected 2"):
        layer.stateless_call([np.zeros((4, 2))], [], X)
    with pytest.raises(ValueError, match="must be built"):
        Dense(2).stateless_call([], [], X)


# -- losses


class Penalised(Layer):
    def __init__(self):
        super().__init__()
        self.d = Dense(
            2, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer="l2"
        )

    def call(self, x):
        self.add_loss(ops.sum(x))
        return self.d(x)


def test_losses_are_those_of_the_last_call():
    layer = Penalised()
    layer(X)
    layer(X)
    # sum(x) = 8; activity 0.01 * 4 * 4**2 / 2 samples; kernel 0.01 * 8.
    np.testing.assert_allclose([float(x) for x in layer.losses], [8.0, 0.32, 0.08], rtol=1e-6)


def test_symbolic_calls_leave_only_weight_penalties():
    layer = Penalised()
    layer(Input((4,)))
    assert len(layer.losses) == 1


def test_losses_of_an_ended_trace_are_gone():
    layer = Penalised()
    layer(X)
    step = core.compile_step(lambda x: (layer(x), sum(layer.losses)))
    np.testing.assert_allclose(float(step(X)[1]), 8.4, rtol=1e-6)
    assert [float(x) for x in layer.losses] == [pytest.approx(0.08)]


def test_add_loss_takes_tensors():
    with pytest.raises(ValueError, match="on a tensor input"):
        Layer().add_loss(1.0)


# -- masks


class Passing(Layer):
    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        self.mask_seen = mask
        return x * 1


IDS = np.array([[1, 0], [2, 3]])


def test_masks_travel_through_layers_that_support_them():
    layer = Passing()
    y = layer(Embedding(4, 3, mask_zero=True)(IDS))
    assert np.asarray(layer.mask_seen).tolist() == [[True, False], [True, True]]
    assert np.asarray(y.mask).tolist() == [[True, False], [True, True]]
    y = layer(X, mask=np.array([True, False]))
    assert np.asarray(y.mask).tolist() == [True, False]


def test_lists_of_inputs_have_lists_of_masks():
    class Pair(Passing):
        def call(self, xs, mask=None):
            self.mask_seen = mask
            return [x * 1 for x in xs]

    layer = Pair()
    first, second = layer([Embedding(4, 4, mask_zero=True)(IDS), X])
    assert first.mask is not None and second.mask is None
    layer([X, X])
    assert layer.mask_seen == [None, None]


def test_named_masks():
    class Named(Layer):
        def call(self, a, b, b_mask=None):
            self.got = b_mask
            return a * 1

    layer = Named()
    layer.supports_masking = True
    layer(X, Embedding(4, 4, mask_zero=True)(IDS))
    assert np.asarray(layer.got).tolist() == [[True, False], [True, True]]


def test_a_lost_mask_is_warned_about():
    class Losing(Layer):
        def call(self, x):
            return x * 1

    embedded = Embedding(4, 3, mask_zero=True)(IDS)
    with pytest.warns(UserWarning, match="does not support masking"):
        Losing()(embedded)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Losing()(X)


def test_symbolic_masks():
    y = Passing()(Embedding(4, 3, mask_zero=True)(Input((5,), dtype="int32")))
    assert y.mask.shape == (None, 5) and y.mask.dtype == "bool"


# -- configs


def test_arguments_become_the_config():
    layer = Scale(3.0, name="s", trainable=False)
    config = layer.get_config()
    assert config["factor"] == 3.0 and config["name"] == "s" and config["trainable"] is False
    twin = Scale.from_config(config)
    assert twin.factor == 3.0 and twin.name == "s"


def test_arguments_that_cannot_be_written_are_named():
    class Holding(Layer):
        def __init__(self, thing):
            super().__init__()

    with pytest.raises(NotImplementedError, match="'thing'"):
        Holding(object()).get_config()


def test_names():
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        Dense(2, name="a/b")
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        Dense(2, foo=1)


# -- inputs


def test_input_layers():
    assert Input(shape=(3)).shape == Input(shape=np.int64(3)).shape == (None, 3)
    x = Input((3,), batch_size=4, name="x", dtype="int32")
    assert (x.shape, x.dtype, x.name) == ((4, 3), "int32", "x")
    layer = InputLayer(batch_shape=(None, 2))
    assert layer.built and layer.output.shape == (None, 2)
    assert InputLayer.from_config(layer.get_config()).batch_shape == (None, 2)
    for arguments, text in (
        ({}, "must pass a `shape`"), ({"shape": (1,), "batch_shape": (1, 1)}, "cannot pass both"),
        ({"shape": ("a",)}, "invalid dimension"), ({"shape": 3.5}, "Cannot convert '3.5'"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            Input(**arguments)


def test_missing_arguments_are_named():
    with pytest.raises(TypeError, match="missing its required argument 'inputs'"):
        Dense(3)()
    with pytest.raises(TypeError, match="missing its required argument 'sequences'"):
        LSTM(3)(mask=None)
    with pytest.raises(ValueError, match="has 2 states, but `initial_state` has 1"):
        LSTM(3)(np.ones((2, 4, 3)), initial_state=[np.ones((2, 3))])

    class Constant(Layer):
        def call(self):
            return ops.ones(2)

    assert Constant()().shape == (2,)
