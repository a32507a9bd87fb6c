"""kerasish's Variable: first values, paths, automatic casting, checks."""

import copy
import pickle

import numpy as np
import pytest

import kerasish_core as core
from kerasish import settings
from kerasish.initializers import Constant
from kerasish.naming import name_scope
from kerasish.variable import Variable, autocast_scope


def test_from_values():
    assert Variable(np.ones((2, 3), "float32")).shape == (2, 3)
    assert Variable([1, 2]).dtype == "int32"
    assert Variable([1.0, 2.0]).dtype == "float32"
    assert Variable([1.0, 2.0], dtype="int8").numpy().tolist() == [1, 2]
    assert Variable(True).dtype == "bool"


def test_from_initializers():
    v = Variable(Constant(3.0), shape=(2,))
    assert v.numpy().tolist() == [3.0, 3.0]
    assert Variable("ones", shape=(2,), dtype="bfloat16").dtype == "bfloat16"
    made = Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=[1, 2], dtype="int64")
    assert made.numpy().tolist() == [[2, 2]]
    assert made.dtype == "int64"


@pytest.mark.parametrize("initializer", ["zeros", Constant(1.0), lambda shape, dtype: None])
def test_an_initializer_needs_a_shape(initializer):
    with pytest.raises(ValueError, match="`shape` argument should be specified"):
        Variable(initializer)


def test_checked_arguments():
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        Variable(1.0, name="a/b")
    with pytest.raises(ValueError, match="`aggregation`"):
        Variable(1.0, aggregation="median")
    with pytest.raises(ValueError, match="`synchronization`"):
        Variable(1.0, synchronization="never")
    with pytest.raises(ValueError, match="first value"):
        Variable(None)
    v = Variable(1.0)
    with pytest.raises(ValueError, match="Expected a callable"):
        v.regularizer = 3
    with pytest.raises(ValueError, match="Expected a callable"):
        v.constraint = 3
    with pytest.raises(TypeError, match="must be a boolean"):
        v.overwrite_with_gradient = 1
    assert v.aggregation == "none"
    assert v.regularizer is None and v.constraint is None


def test_assign_casts_and_checks_the_shape():
    v = Variable([1.0, 2.0])
    assert v.assign(np.array([3, 4])).dtype == "float32"
    assert v.numpy().tolist() == [3.0, 4.0]
    v.assign_add([1, 1])
    v.assign_sub([0.5, 0.5])
    assert v.numpy().tolist() == [3.5, 4.5]
    with pytest.raises(ValueError, match="shape"):
        v.assign([1.0, 2.0, 3.0])


def test_autocast_scope():
    v = Variable([1.0, 2.0])
    kept = Variable([1.0], autocast=False)
    count = Variable([1])
    with autocast_scope("float16"):
        assert v.dtype == v.value.dtype.name == "float16"
        assert (v + 1).dtype == "float16"
        assert core.ops.exp(v).dtype == "float16"
        assert kept.value.dtype == "float32" and kept.dtype == "float32"
        assert count.value.dtype == "int32"
        with autocast_scope(None):
            assert v.value.dtype == "float32"
        v.assign_add([2.0**-20, 0.0])  # not lost: the sum is made in float32
        assert Variable([1.0]).numpy().dtype == "float16"
    assert v.dtype == "float32"
    assert v.numpy()[0] == np.float32(1 + 2.0**-20)


def test_gradients_pass_the_automatic_cast():
    v = Variable([1.0, 2.0])
    with core.GradientTape() as tape, autocast_scope("float16"):
        y = core.ops.sum(v * v)
    gradient = tape.gradient(y, v)
    assert gradient.dtype == "float32"
    assert gradient.numpy().tolist() == [2.0, 4.0]


def test_a_changed_trainable_raises_the_structure_version():
    v = Variable(1.0)
    before = settings.structure_version()
    v.trainable = True
    assert settings.structure_version() == before
    v.trainable = 0
    assert v.trainable is False
    assert settings.structure_version() == before + 1


def test_copies_and_pickles():
    with name_scope("layer"):
        v = Variable([1.0, 2.0], name="w", trainable=False)
    v.constraint = Constant(1.0)
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert (twin.path, twin.name, twin.dtype, twin.trainable) == ("layer/w", "w", "float32", 0)
        assert isinstance(twin.constraint, Constant)
        twin.assign([5.0, 6.0])
        assert v.numpy().tolist() == [1.0, 2.0]


def test_repr():
    v = Variable([1.0, 2.0], name="w")
    assert repr(v) == "<Variable path=w, shape=(2,), dtype=float32, value=[1. 2.]>"


def test_made_inside_a_trace_it_is_real():
    made = []

    @core.function
    def double(x):
        if not made:
            made.append(Variable([1.0, 1.0], name="inside"))
        return x * 2.0

    double(np.ones(2, "float32"))
    assert made[0].numpy().tolist() == [1.0, 1.0]
