"""Drawings of models and of images."""

import sys

import matplotlib
import matplotlib.figure
import numpy as np
import pydot
import pytest

import kerasish
from kerasish import layers, utils, visualization
from kerasish.visualization import galleries

matplotlib.use("Agg")


def chain():
    return kerasish.Sequential(
        [kerasish.Input((4,)), layers.Dense(3, activation="relu", name="a"), layers.Dense(2)],
        name="chain",
    )


def branched():
    x = kerasish.Input((4,), name="x")
    inner = chain()
    y = layers.Add(name="sum")([inner(x), layers.Dense(2, name="side")(x)])
    return kerasish.Model(x, y, name="branched")


def edges(dot, model):
    names = {str(id(op)): op.name for op in flat(model)}
    return sorted((names[e.get_source()], names[e.get_destination()]) for e in dot.get_edges())


def flat(model):
    for op in [*getattr(model, "operations", []), *model.layers]:
        yield op
        if hasattr(op, "layers"):
            yield from flat(op)


def test_chains_and_branches():
    model = chain()
    names = [layer.name for layer in model.layers]
    assert edges(utils.model_to_dot(model), model) == [tuple(names)]
    model = branched()
    assert edges(utils.model_to_dot(model), model) == [
        ("chain", "sum"), ("side", "sum"), ("x", "chain"), ("x", "side"),
    ]  # fmt: skip


def test_nested_models():
    model = branched()
    last = model.get_layer("chain").layers[-1].name
    dot = utils.model_to_dot(model, expand_nested=True)
    assert edges(dot, model) == [
        (last, "sum"),
        ("side", "sum"),
        ("x", "a"),
        ("x", "side"),
    ] or set(edges(dot, model)) == {(last, "sum"), ("side", "sum"), ("x", "a"), ("x", "side")}
    (cluster,) = dot.get_subgraphs()
    assert cluster.get("label") == "chain" and edges(cluster, model) == [("a", last)]
    assert isinstance(utils.model_to_dot(model, subgraph=True), pydot.Cluster)


def test_what_boxes_say():
    model = chain()
    model.layers[0].trainable = False
    text = utils.model_to_dot(
        model, show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True,
        rankdir="LR", dpi=96, splines="curved",
    ).to_string()  # fmt: skip
    for part in (
        "<b>a</b> (Dense)", "Input shape: <b>(None, 4)</b>", "Output shape: <b>(None, 3)</b>",
        "Output dtype: <b>float32</b>", "Activation: <b>relu</b>", "<b>Non-trainable</b>",
        "<b>Trainable</b>", "rankdir=LR", "dpi=96", "splines=curved",
    ):  # fmt: skip
        assert part in text, part
    assert "<b>a</b>" not in utils.model_to_dot(model, show_layer_names=False).to_string()


def test_files(tmp_path, monkeypatch):
    written = []

    def write(self, path, format):
        written.append((path, format))

    monkeypatch.setattr(pydot.Dot, "write", write)
    monkeypatch.setitem(sys.modules, "IPython", None)
    for name in ("m.svg", "m", "m.pdf"):
        assert utils.plot_model(chain(), tmp_path / name) is None
    assert [form for _, form in written] == ["svg", "png", "pdf"]


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match="not yet been built"):
        utils.model_to_dot(kerasish.Sequential([layers.Dense(1)]))
    with pytest.raises(ValueError, match="layer_range"):
        utils.model_to_dot(chain(), layer_range=["a", "b"])
    with pytest.raises(ValueError, match="Unrecognized"):
        utils.plot_model(chain(), colour=1)

    def fail(self, *args, **kwargs):
        raise FileNotFoundError("no dot")

    monkeypatch.setattr(pydot.Dot, "write", fail)
    with pytest.raises(ImportError, match="Graphviz"):
        utils.plot_model(chain())
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match=r"kerasish\[plot\]"):
        utils.plot_model(chain())


# -- images

BOXES = {"boxes": np.array([[[2.0, 3, 12, 15]], [[0, 0, 5, 5]]]), "labels": np.array([[1], [-1]])}


def test_boxes():
    images = np.zeros((2, 20, 16, 3), "float32")
    drawn = visualization.draw_bounding_boxes(images, BOXES, "xyxy", color=(1, 2, 3))
    assert drawn.dtype == np.uint8 and not images.any() and not drawn[1].any()
    frame = drawn[0, ..., 0]
    assert frame[3, 7] == frame[15, 7] == frame[9, 2] == frame[9, 12] == 1
    assert not frame[8, 7] and not frame[0].any() and drawn[0, 3, 7].tolist() == [1, 2, 3]
    same = visualization.draw_bounding_boxes(
        images.transpose(0, 3, 1, 2), BOXES, "xyxy", color=(1, 2, 3), data_format="channels_first"
    )
    np.testing.assert_array_equal(same, drawn)
    named = {**BOXES, "confidences": np.array([[0.5], [0.1]])}
    text = visualization.draw_bounding_boxes(
        np.zeros((2, 60, 90, 3), "uint8"), named, "xyxy", {1: "cat"}, (9, 9, 9)
    )
    assert (text[0, 18:45, 16:] > 0).sum() > 50
    bright = visualization.draw_bounding_boxes(np.ones((2, 20, 16, 3)), BOXES, "xyxy")
    assert bright[1].min() == 255


def test_wrong_boxes():
    images = np.zeros((2, 20, 16, 3))
    with pytest.raises(ValueError, match="4D"):
        visualization.draw_bounding_boxes(images[0], BOXES, "xyxy")
    with pytest.raises(TypeError, match="dict"):
        visualization.draw_bounding_boxes(images, [1], "xyxy")
    with pytest.raises(ValueError, match="labels"):
        visualization.draw_bounding_boxes(images, {"boxes": BOXES["boxes"]}, "xyxy")


def test_masks():
    images = np.full((1, 2, 2, 3), 100, "uint8")
    masks = np.array([[[[0], [1]], [[2], [-1]]]])
    colors = {0: (0, 0, 0), 1: (200, 0, 0), 2: (0, 0, 250)}
    drawn = visualization.draw_segmentation_masks(images, masks, 3, colors, alpha=0.5)
    assert drawn[0].tolist() == [[[50] * 3, [150, 50, 50]], [[50, 50, 175], [100] * 3]]
    plain = visualization.draw_segmentation_masks(images, masks, color_mapping=colors, blend=False)
    assert plain[0, 1, 0].tolist() == [0, 0, 250]
    assert len({tuple(c) for c in galleries.draw_segmentation_masks(
        images, masks, blend=False
    ).reshape(-1, 3).tolist()}) == 4  # fmt: skip
    with pytest.raises(TypeError, match="float32"):
        visualization.draw_segmentation_masks(images, masks.astype("float32"))


def test_galleries(tmp_path, monkeypatch):
    images = np.random.default_rng(0).uniform(0, 1, (5, 8, 8, 3))
    seen = []
    original = matplotlib.figure.Figure.savefig

    def savefig(self, *args, **kwargs):
        seen.append((len(self.axes), sum(bool(a.images) for a in self.axes),
                     [a.get_title() for a in self.axes]))  # fmt: skip
        return original(self, *args, **kwargs)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
    path = tmp_path / "a.png"
    visualization.plot_image_gallery(
        images, [0, 1, 2, 3, 4], np.zeros(5, int), {0: "zero", 1: "one"}, value_range=(0, 1),
        path=path,
    )  # fmt: skip
    assert path.stat().st_size > 0 and seen[0][:2] == (6, 5)
    assert seen[0][2][:3] == [
        "Label: zero  Pred: zero", "Label: one  Pred: zero", "Label: Unknown  Pred: zero",
    ]  # fmt: skip
    visualization.plot_bounding_box_gallery(
        images[:2], "xyxy", BOXES, BOXES, value_range=(0, 1), legend=True, path=path
    )
    masks = np.zeros((5, 8, 8, 1))
    visualization.plot_segmentation_mask_gallery(images, 2, (0, 1), masks, masks, path=path)
    assert [s[:2] for s in seen[1:]] == [(2, 2), (15, 15)]
    with pytest.raises(ValueError, match="label_map"):
        visualization.plot_image_gallery(images, y_true=[0] * 5)
    with pytest.raises(ValueError, match="either"):
        visualization.plot_image_gallery(images, path=path, show=True)
    with pytest.raises(ValueError, match="legend"):
        visualization.plot_bounding_box_gallery(images, "xyxy", legend=True, legend_handles=[1])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"kerasish\[plot\]"):
        visualization.plot_image_gallery(np.zeros((1, 2, 2, 3)))
