"""Summaries under tf.summary's names."""

import numpy as np
import pytest

from kerasish import layers, models, summary


def test_writers_nest_and_flush(tmp_path):
    outer, inner = (summary.create_file_writer(tmp_path / n) for n in ("a", "b"))
    with outer.as_default():
        summary.scalar("x", np.array([1.5]), 1)
        with inner.as_default():
            summary.histogram("h", np.arange(5.0), 2)
            summary.image("p", np.zeros((1, 4, 4, 3), "uint8"), 2)
        summary.scalar("y", 2, 3)
        summary.graph(models.Sequential([layers.Input((2,)), layers.Dense(1)]))
    first, second = outer.path.read_bytes(), inner.path.read_bytes()
    assert b"x" in first and b"y" in first and b"Sequential" in first and b"PNG" in second


def test_without_a_writer():
    with pytest.raises(ValueError, match="create_file_writer"):
        summary.scalar("x", 1.0, 0)


def test_a_scalar_is_one_number(tmp_path):
    with summary.create_file_writer(tmp_path).as_default():
        with pytest.raises(ValueError, match=r"shape \(2,\)"):
            summary.scalar("x", [1.0, 2.0], 0)


def test_a_column_more_makes_the_table_wider(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    model = models.Sequential([layers.Input((4,)), layers.Dense(2)])

    def width(**more):
        out = []
        model.summary(print_fn=out.append, **more)
        return len(out[0].splitlines()[1])

    assert width() == 88 and width(show_trainable=True) == 100
    # Positions of more columns than there are: the rest is left out.
    assert width(line_length=100, positions=[0.3, 0.6, 1.0, 1.0]) == 100
