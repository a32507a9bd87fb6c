"""Names, scopes and `clear_session()`."""

import threading

import pytest

import kerasish_core as core
from kerasish import naming
from kerasish.variable import Variable


@pytest.fixture(autouse=True)
def fresh():
    naming.clear_session()
    yield
    naming.clear_session()


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Dense", "dense"),
        ("Conv2D", "conv2d"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("LSTM", "lstm"),
        ("GRUCell", "gru_cell"),
        ("ReLU", "re_lu"),
        ("PReLU", "p_re_lu"),
        ("F1Score", "f1_score"),
        ("MeanIoU", "mean_io_u"),
        ("RMSNormalization", "rms_normalization"),
        ("my layer-x", "mylayerx"),
    ],
)
def test_snake_case(name, expected):
    assert naming.to_snake_case(name) == expected


def test_auto_names_count_up():
    assert [naming.auto_name("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert naming.auto_name("Conv2D") == "conv2d"


def test_uniquify_counts_the_given_name():
    assert [naming.uniquify("a") for _ in range(2)] == ["a", "a_1"]
    assert naming.uniquify("a_1") == "a_1"  # as Keras: a chosen name is its own prefix
    assert naming.uniquify("a_1") == "a_1_1"


def test_uid_shares_the_counter_of_names():
    naming.auto_name("dense")
    assert naming.get_uid("dense") == 2
    assert naming.get_uid("other") == 1
    naming.reset_uids()
    assert naming.get_uid("dense") == 1


def test_names_are_unique_over_threads():
    found = []

    def draw():
        found.extend(naming.auto_name("thing") for _ in range(200))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(found)) == 800


def test_scopes_make_paths():
    with naming.name_scope("model"):
        with naming.name_scope("dense"):
            v = Variable(1.0, name="kernel")
            assert naming.current_path() == "model/dense"
    assert v.path == "model/dense/kernel"
    assert v.name == "kernel"
    assert naming.current_path() == ""


def test_scope_of_the_same_caller_adds_nothing():
    caller = object()
    with naming.name_scope("a", caller=caller):
        with naming.name_scope("a", caller=caller):
            assert naming.current_path() == "a"
        with naming.name_scope("b", caller=caller):
            assert naming.current_path() == "a/b"
        with naming.name_scope("a", caller=caller, deduplicate=False):
            assert naming.current_path() == "a/a"
        with naming.name_scope("a"):
            assert naming.current_path() == "a/a"


def test_scope_with_another_parent():
    with naming.name_scope("a"):
        with naming.name_scope("b", override_parent="z/y"):
            assert naming.current_path() == "z/y/b"
        with naming.name_scope("b", override_parent=""):
            assert naming.current_path() == "b"


def test_one_scope_object_can_be_entered_twice():
    scope = naming.name_scope("a")
    with scope:
        with scope:
            assert naming.current_path() == "a/a"
        assert naming.current_path() == "a"


def test_scopes_are_left_on_errors_and_belong_to_a_thread():
    seen = []
    with pytest.raises(RuntimeError):
        with naming.name_scope("a"):
            thread = threading.Thread(target=lambda: seen.append(naming.current_path()))
            thread.start()
            thread.join()
            raise RuntimeError
    assert seen == [""]
    assert naming.current_path() == ""


@pytest.mark.parametrize("name", ["a/b", 3, None])
def test_bad_names(name):
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        naming.name_scope(name)


def test_clear_session_calls_hooks():
    called = []

    def hook():
        called.append(1)

    naming.on_clear.append(hook)
    try:
        naming.auto_name("dense")
        naming.clear_session(free_memory=False)
        assert called == [1]
        assert naming.auto_name("dense") == "dense"
    finally:
        naming.on_clear.remove(hook)


def test_variables_survive_clear_session():
    v = Variable([1.0, 2.0], name="v")
    naming.clear_session()
    assert core.ops.sum(v).item() == 3.0
