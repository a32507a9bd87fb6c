"""`keras.utils.bounding_boxes`, and drawings of masks and models, beside Keras."""

import re

import numpy as np
import pytest
from layer_pairs import both, close, equal, same_error

pytestmark = [pytest.mark.parity, pytest.mark.slow]

RNG = np.random.default_rng(3)
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip
CORNERS = np.sort(RNG.uniform(0, 50, (2, 5, 2, 2)), axis=2).reshape(2, 5, 4).astype("float32")
OTHERS = np.sort(RNG.uniform(0, 50, (2, 5, 2, 2)), axis=2).reshape(2, 5, 4).astype("float32")
SIZE = {"height": 60, "width": 40}
SHAPE = (60, 40, 3)
FILLED = np.concatenate([CORNERS, np.full((2, 1, 4), -1, "float32")], axis=1)
AFFINE = {
    "angle": np.float32([20, -50]), "translate_x": np.float32([0.1, -0.2]),
    "translate_y": np.float32([0, 0.3]), "scale": np.float32([1.2, 0.8]),
    "shear_x": np.float32([5, 0]), "shear_y": np.float32([0, -8]), **SIZE,
}  # fmt: skip

CASES = {
    "to int": lambda b: b.convert_format(CORNERS, "xyxy", "center_xywh", dtype="int32"),
    "affine": lambda b: b.affine_transform(CORNERS, **AFFINE),
    "affine, center": lambda b: b.affine_transform(
        CORNERS, **AFFINE, center_x=0.2, center_y=np.float32([0.5, 1.0])
    ),
    "crop": lambda b: b.crop(CORNERS, 5, 10, 20, 25),
    "pad": lambda b: b.pad(CORNERS, 5, 10),
    "clip": lambda b: b.clip_to_image_size(
        {"boxes": CORNERS - 20, "labels": np.arange(10).reshape(2, 5)}, 15, 20
    ),
    "clip, relative": lambda b: b.clip_to_image_size(
        {"boxes": CORNERS / 25 - 0.5}, bounding_box_format="rel_xyxy"
    ),
    "iou of one": lambda b: b.compute_iou(CORNERS[0], OTHERS[1], "xyxy"),
    "iou, masked": lambda b: b.compute_iou(FILLED, OTHERS, "yxyx", use_masking=True, mask_val=-3),
    **{
        f"iou {f}": lambda b, f=f: b.compute_iou(CORNERS, OTHERS, f, image_shape=SHAPE)
        for f in FORMATS
    },
    **{
        f"ciou {f}": lambda b, f=f: b.compute_ciou(CORNERS, OTHERS, f)
        for f in FORMATS if not f.startswith("rel")
    },
    **{
        f"deltas {f} {e} {v}": lambda b, f=f, e=e, v=v: b.encode_box_to_deltas(
            CORNERS, OTHERS, f, "xyxy", e, variance=v, image_shape=SHAPE
        )
        for f in FORMATS for e in ("center_xywh", "center_yxhw")
        for v in (None, [0.1, 0.1, 0.2, 0.2])
    },
    **{
        f"boxes {f} {e}": lambda b, f=f, e=e: b.decode_deltas_to_boxes(
            CORNERS, OTHERS / 100, f, "rel_xywh", e, variance=[0.1, 0.1, 0.2, 0.2],
            image_shape=SHAPE,
        )
        for f in FORMATS for e in ("center_xywh", "center_yxhw")
    },
    "boxes by level": lambda b: b.decode_deltas_to_boxes(
        {"a": CORNERS, "b": OTHERS}, {"a": OTHERS / 100, "b": CORNERS / 100}, "xyxy", "xyxy"
    ),
}  # fmt: skip
WRONG = {
    "last axis": lambda b: b.convert_format(CORNERS[..., :3], "xyxy", "yxyx"),
    "format": lambda b: b.convert_format(CORNERS, "xyxy", "xxyy"),
    "no size": lambda b: b.convert_format(CORNERS, "rel_xyxy", "xyxy"),
    "clip format": lambda b: b.clip_to_image_size({"boxes": CORNERS}, 5, 5, "xywh"),
    "clip size": lambda b: b.clip_to_image_size({"boxes": CORNERS}),
    "crop format": lambda b: b.crop(CORNERS, 1, 2, 3, 4, "xywh"),
    "pad format": lambda b: b.pad(CORNERS, 1, 2, bounding_box_format="xywh"),
    "affine format": lambda b: b.affine_transform(CORNERS, **AFFINE, bounding_box_format="xywh"),
    "iou rank": lambda b: b.compute_iou(CORNERS[None], OTHERS, "xyxy"),
    "iou size": lambda b: b.compute_iou(CORNERS, OTHERS, "rel_xyxy"),
    "ciou size": lambda b: b.compute_ciou(CORNERS, OTHERS, "rel_xyxy"),
    "encoding": lambda b: b.encode_box_to_deltas(CORNERS, OTHERS, "xyxy", "xyxy", "xyxy"),
    "variance": lambda b: b.decode_deltas_to_boxes(
        CORNERS, OTHERS, "xyxy", "xyxy", variance=[1.0, 2.0]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_same_boxes(name):
    theirs, ours = (CASES[name](k.utils.bounding_boxes) for k in both())
    close(ours, theirs, 2e-4)


@pytest.mark.parametrize("source", FORMATS)
def test_formats(source):
    keras, kerasish = both()
    for target in FORMATS:
        theirs, ours = (
            k.utils.bounding_boxes.convert_format(CORNERS, source, target, **SIZE)
            for k in (keras, kerasish)
        )
        close(ours, theirs, 1e-4, f"{source} to {target}")
    given = {"boxes": CORNERS, "labels": 3}
    found = kerasish.utils.bounding_boxes.convert_format(given, source, "xyxy", **SIZE)
    assert found["labels"] == 3 and given["boxes"] is CORNERS


@pytest.mark.parametrize("name", WRONG)
def test_same_errors(name):
    same_error(lambda k: WRONG[name](k.utils.bounding_boxes))


@pytest.mark.parametrize("more", [{}, {"blend": False}, {"alpha": 0.3, "ignore_index": 1}])
def test_drawn_masks(more):
    images = RNG.integers(0, 256, (2, 6, 5, 3)).astype("uint8")
    masks = RNG.integers(0, 4, (2, 6, 5, 1))
    theirs, ours = (
        k.visualization.draw_segmentation_masks(images, masks, 4, **more) for k in both()
    )
    close(ours, theirs, 1.0 if more.get("blend", True) else 1e-4)


def model_of(k):
    x, y = k.Input((4,), name="x"), k.Input((4,), name="y")
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="relu"), k.layers.ReLU()])
    shared = k.layers.Dense(3, name="shared")
    z = k.layers.Add(name="add")([inner(x), shared(x), shared(y)])
    outer = k.Model([x, y], k.layers.Dense(2, activation="softmax", name="out")(z), name="outer")
    inner.trainable = False
    return outer


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"expand_nested": True, "show_layer_activations": True},
        {"show_shapes": True, "show_dtype": True, "show_trainable": True, "rankdir": "LR"},
        {"show_layer_names": False, "show_trainable": True, "splines": "line"},
    ],
)
def test_graphs_of_models(arguments):
    texts = []
    for k in both():
        text = k.utils.model_to_dot(model_of(k), **arguments).to_string()
        # Layers are named by their place in memory: count them as they come.
        known = {}
        for number in re.findall(r"\b\d{9,}\b", text):
            known.setdefault(number, f"n{len(known)}")
        for number, name in known.items():
            text = text.replace(number, name)
        text = text.replace("&#x27;", "'").replace("cluster_", "")
        texts.append(sorted(line.strip() for line in text.splitlines() if "colspan" not in line))
        texts[-1] += sorted(re.sub(r' colspan="\d"', "", line.strip())
                            for line in text.splitlines() if "colspan" in line)  # fmt: skip
    equal(texts[1], texts[0])
