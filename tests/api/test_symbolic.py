"""KerasTensor, nodes, and shapes by abstract evaluation."""

import numpy as np
import pytest

import kerasish_core as core
from kerasish import ops
from kerasish.layers import Dense, Input
from kerasish.models import Model, load_model
from kerasish.ops import KerasTensor
from kerasish.ops.symbolic import Operation
from kerasish.saving import register_keras_serializable


def test_unknown_sizes_stay_unknown_only_where_they_matter():
    x = KerasTensor((None, 6, 4))
    assert ops.mean(x, axis=1).shape == (None, 4)
    assert ops.mean(x, axis=0).shape == (6, 4)
    assert ops.reshape(x, (-1, 12)).shape == (None, 12)
    assert ops.concatenate([x, x], axis=0).shape == (None, 6, 4)
    assert ops.sum(x).shape == ()
    assert ops.shape(x) == (None, 6, 4)


def test_several_unknown_axes():
    x = KerasTensor((None, None, 3))
    assert (x @ KerasTensor((3, 5))).shape == (None, None, 5)
    assert ops.max(x, axis=1).shape == (None, 3)
    assert ops.conv(KerasTensor((None, None, None, 3)), np.ones((3, 3, 3, 2), "float32")).shape == (
        None, None, None, 2,
    )  # fmt: skip


def test_dtypes_are_strings_and_follow_promotion():
    x = KerasTensor((2,), "int32")
    assert (x + 1).dtype == "int32"
    assert (x + 1.5).dtype == "float32"
    assert (x > 0).dtype == "bool"
    assert ops.cast(x, "bfloat16").dtype == "bfloat16"


@pytest.mark.parametrize(
    "expression, name",
    [
        (lambda x: x + 1, "add"), (lambda x: 1 - x, "subtract"), (lambda x: 2 * x, "multiply"),
        (lambda x: x / 2, "true_divide"), (lambda x: x // 2, "floor_divide"),
        (lambda x: x % 2, "mod"), (lambda x: x**2, "power"), (lambda x: -x, "negative"),
        (lambda x: abs(x), "absolute"), (lambda x: x[:, 0], "get_item"),
        (lambda x: x == 1, "equal"), (lambda x: x @ x, "matmul"),
        (lambda x: x.reshape((-1, 2)), "reshape"), (lambda x: x[:, :1].squeeze(1), "squeeze"),
    ],
)  # fmt: skip
def test_operators_record_nodes(expression, name):
    x = KerasTensor((None, 2, 2))
    y = expression(x)
    operation, node, place = y._keras_history
    assert operation.function_name == name
    assert operation.name.startswith(name)
    assert operation._inbound_nodes[node].outputs[place] is y


def test_a_node_replays_what_it_recorded():
    x = KerasTensor((None, 3))
    y = ops.mean(x, axis=-1, keepdims=True)
    operation = y._keras_history[0]
    node = operation._inbound_nodes[0]
    value = np.arange(6.0, dtype="float32").reshape(2, 3)
    found = operation.call(value, *node.args[1:], **node.kwargs)
    np.testing.assert_allclose(found, [[1.0], [4.0]])


def test_operations_are_named_as_in_keras():
    y = ops.expand_dims(KerasTensor((2,)), 0)
    operation = y._keras_history[0]
    assert type(operation).__name__ == "ExpandDims"
    assert type(operation).__module__ == "keras.src.ops.numpy"
    assert type(ops.relu(y)._keras_history[0]).__module__ == "keras.src.ops.nn"


def test_several_results_have_their_places():
    first, second = ops.split(KerasTensor((None, 6)), 2, axis=1)
    assert first.shape == second.shape == (None, 3)
    assert first._keras_history[2] == 0 and second._keras_history[2] == 1
    assert first._keras_history[0] is second._keras_history[0]


def test_arguments_inside_lists_and_keywords_count():
    x = KerasTensor((None, 2))
    assert ops.stack([x, np.ones((1, 2), "float32") * 0 + x], axis=1).shape == (None, 2, 2)
    assert ops.add(x1=1.0, x2=x).shape == (None, 2)
    assert ops.where(x > 0, x, 0.0).shape == (None, 2)


@pytest.mark.parametrize(
    "act, error, text",
    [
        (float, ValueError, "actual numerical value"), (int, ValueError, "convert it to an int"),
        (np.asarray, ValueError, "NumPy array"), (bool, TypeError, "boolean"),
        (list, NotImplementedError, "Iterating"), (len, TypeError, "no len"),
    ],
)  # fmt: skip
def test_a_value_cannot_be_asked_for(act, error, text):
    with pytest.raises(error, match=text):
        act(KerasTensor((2,)))


def test_writing_is_refused_with_advice():
    with pytest.raises(TypeError, match="scatter_update"):
        KerasTensor((2,))[0] = 1.0


def test_a_wrong_shape_is_found_when_the_graph_is_made():
    with pytest.raises(core.ShapeError, match="matmul"):
        KerasTensor((None, 3)) @ KerasTensor((4, 2))


def test_operation_without_calls_has_no_output():
    layer = Dense(2, name="alone")
    with pytest.raises(AttributeError, match="The layer alone has never been called"):
        _ = layer.output
    x = Input((3,))
    y = layer(x)
    assert layer.input is x and layer.output is y


def test_eager_arguments_call_through():
    x = core.convert(np.ones((2, 2), "float32"))
    assert type(ops.add(x, x)) is core.Tensor
    assert type(ops.add(np.ones(2), 1)) is core.Tensor
    v = core.Variable(np.ones(2, "float32"))
    np.testing.assert_array_equal(ops.add(v, v), [2.0, 2.0])


def test_a_variable_read_by_an_op_is_seen_by_a_tape():
    v = core.Variable(np.full(2, 3.0, "float32"))
    with core.GradientTape() as tape:
        y = ops.sum(ops.multiply(v, v))
    np.testing.assert_allclose(tape.gradient(y, v), [6.0, 6.0])


def test_compute_output_spec_of_any_function():
    found = ops.compute_output_spec(lambda a, b: {"s": a + b, "n": 3}, KerasTensor((None, 2)), 1.0)
    assert found["s"].shape == (None, 2) and found["n"] == 3


@register_keras_serializable("tests_symbolic")
class Scale(Operation):
    def __init__(self, factor, *, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, x):
        return x * self.factor


def test_an_operation_of_ones_own_is_saved_by_its_arguments(tmp_path):
    assert Scale(3.0, name="s").get_config() == {"factor": 3.0, "name": "s"}
    x = Input((3,))
    model = Model(x, Scale(2.0)(x))
    model.save(tmp_path / "a.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "a.keras")(np.ones((1, 3))), [[2, 2, 2]])
    with pytest.raises(NotImplementedError, match="override `get_config"):
        Scale(object()).get_config()
    with pytest.raises(NotImplementedError):
        Scale(2.0).quantized_call(1.0)
