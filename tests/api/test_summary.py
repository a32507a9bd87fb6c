"""`model.summary()`: the same table as Keras's, which prints it through `rich`."""

import pytest

from kerasish import Input, Model, Sequential, layers

CHAIN = """\
Model: "seq"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv (Conv2D)                   │ (None, 26, 26, 32)     │           320 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 26, 26, 32)     │           128 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ flatten (Flatten)               │ (None, 21632)          │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ a_very_long_layer_name_that_wi… │ (None, 10)             │       216,330 │
│ (Dense)                         │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 216,778 (846.79 KB)
 Trainable params: 216,650 (846.29 KB)
 Non-trainable params: 128 (512.00 B)
"""

NARROW = """\
Model: "seq"
┏━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┳━━━━━━━┳━━━━┓
┃                   ┃               ┃ Param ┃    ┃
┃ Layer (type)      ┃ Output Shape  ┃     # ┃ T… ┃
┡━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━╇━━━━┩
│ conv (Conv2D)     │ (None, 26,    │   320 │ Y  │
│                   │ 26, 32)       │       │    │
├───────────────────┼───────────────┼───────┼────┤
"""

LINKS = """\
Model: "net"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ i (InputLayer)      │ (None, 4)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ d (Dense)           │ (None, 4)         │         20 │ i[0][0], d[0][0]  │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ plus (Add)          │ (None, 4)         │          0 │ d[1][0], d[0][0]  │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ inn (Sequential)    │ (None, 2)         │         23 │ plus[0][0]        │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│    └ a (Dense)      │ (None, 3)         │         15 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│    └ b (Dense)      │ (None, 2)         │          8 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ input_of_this_model │ (None, 4)         │          0 │ -                 │
│ (InputLayer)        │                   │            │                   │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ joined              │ (None, 10)        │          0 │ inn[0][0],        │
│ (Concatenate)       │                   │            │ input_of_this_mo… │
│                     │                   │            │ d[1][0]           │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
 Total params: 43 (172.00 B)
 Trainable params: 43 (172.00 B)
 Non-trainable params: 0 (0.00 B)
"""


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def text_of(model, **kwargs):
    found = []
    model.summary(print_fn=found.append, **kwargs)
    assert len(found) == 1
    return found[0]


def chain():
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(32, 3, name="conv"),
            layers.BatchNormalization(name="batch_normalization"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, name="a_very_long_layer_name_that_will_not_fit_in_the_column"),
        ],
        name="seq",
    )
    model.layers[1].trainable = False
    return model


def linked():
    i, j = Input((4,), name="i"), Input((4,), name="input_of_this_model")
    dense = layers.Dense(4, name="d")
    x = dense(i)
    y = dense(x)
    inner = Sequential([layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inn")
    z = inner(layers.Add(name="plus")([y, x]))
    return Model([i, j], [layers.Concatenate(name="joined")([z, j, y]), z], name="net")


def test_chain(capsys):
    model = chain()
    assert text_of(model) == CHAIN
    model.summary()
    assert capsys.readouterr().out == CHAIN


def test_narrow_with_trainable():
    text = text_of(chain(), line_length=50, show_trainable=True)
    assert text.startswith(NARROW)
    rows = [line for line in text.splitlines() if line.startswith("│") and line[2] != " "]
    assert [row.split("│")[-2].strip() for row in rows] == ["Y", "N", "", "-", "Y", ""]


def test_links_and_nested():
    assert text_of(linked(), expand_nested=True) == LINKS
    assert "└ a" not in text_of(linked())


def test_width_follows_the_terminal(monkeypatch):
    for columns, width in ((60, 56), (80, 76), (120, 88)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert len(text_of(chain()).splitlines()[1]) == width
    assert len(text_of(chain(), line_length=100).splitlines()[1]) == 100


def test_positions():
    for positions in ([0.2, 0.5, 1.0], [20, 40, 60]):
        lines = text_of(chain(), positions=positions).splitlines()
        assert len({len(line) for line in lines[1:12]}) == 1
    first, *_ = text_of(chain(), positions=[20, 40, 60]).splitlines()[1].split("┳")
    assert len(first) == 25


def test_optimizer_and_unbuilt():
    model = Sequential([layers.Dense(2)])
    assert "0 (unbuilt)" in text_of(model) and "│ ? " in text_of(model)
    model.build((None, 3))
    model.compile("adam", "mse")
    assert "Optimizer" not in text_of(model)
    model.optimizer.build(model.trainable_variables)
    assert " Optimizer params: 18 (72.00 B)" in text_of(model)
    assert " Total params: 26 (104.00 B)" in text_of(model)


def test_several_outputs():
    x = Input((5, 2))
    model = Model(x, layers.LSTM(3, return_state=True)(x))
    assert "[(None, 3), (None, 3)," in text_of(model)


def test_layer_range():
    text = text_of(linked(), layer_range=["plus", "inn"])
    assert "plus (Add)" in text and "inn (Seq" in text and "joined" not in text
    assert "d (Dense)" not in text
    with pytest.raises(ValueError, match="do not match"):
        linked().summary(layer_range=["nowhere", "inn"])
    with pytest.raises(ValueError, match="length 2"):
        linked().summary(layer_range=["inn"])


def test_function_calls_have_their_class_names():
    x = Input((2,))
    assert "(Multiply)" in text_of(Model(x, x * 2.0 + x))
