"""Calls of Keras 2's backend functions: name, arguments, options. Inputs are the same everywhere.

`tests/golden/make_classic_backend.py` runs them on the published Keras 2; `test_classic_backend.py`
runs them here and compares.
"""

import numpy as np

FORMATS = ("channels_last", "channels_first")


class Inputs:
    """Draws that any version of NumPy repeats."""

    def __init__(self):
        self.rng = np.random.RandomState(0)

    def normal(self, *shape):
        return self.rng.normal(size=shape).astype("float32")

    def unit(self, *shape):
        return self.rng.uniform(0.05, 0.95, size=shape).astype("float32")

    def whole(self, high, *shape):
        return self.rng.randint(0, high, size=shape).astype("int32")

    def softmax(self, *shape):
        e = np.exp(3 * self.normal(*shape))
        return (e / e.sum(-1, keepdims=True)).astype("float32")


UNARY = """abs cos exp round sign sin square sqrt relu elu softmax softplus softsign sigmoid tanh
    hard_sigmoid transpose flatten batch_flatten zeros_like ones_like identity l2_normalize
    logsumexp"""
BINARY = "equal greater greater_equal less less_equal maximum minimum not_equal"


def _elementwise(draw):
    x, y, i = draw.normal(3, 4), draw.normal(3, 4), draw.whole(4, 3, 4)
    for name in UNARY.split():
        yield name, (x,), {}
    yield from [("log", (np.abs(x),), {}), ("abs", (i,), {}), ("pow", (np.abs(x), 1.5), {})]
    yield from [("clip", (x, low, high), {}) for low, high in
                [(-0.5, 0.5), (None, 0.3), (0.5, -0.5), (0, None)]]  # fmt: skip
    yield from [("clip", (i, 1, 2), {}), ("cast", (x, "int32"), {}), ("cast_to_floatx", (i,), {})]
    for name in BINARY.split():
        yield name, (x, y), {}
        yield name, (i, i.reshape(4, 3).T.copy()), {}
    for options in (
        {"alpha": 0.1}, {"max_value": 0.7}, {"alpha": 0.2, "max_value": 0.5, "threshold": 0.3},
        {"threshold": 0.3}, {"threshold": -0.3, "alpha": 0.1}, {"threshold": 0.2, "max_value": 0.9},
    ):  # fmt: skip
        yield "relu", (x,), options
    yield from [("elu", (x, 0.5), {}), ("softmax", (draw.normal(2, 5, 3),), {"axis": 1})]


def _reductions(draw):
    x, i = draw.normal(3, 4), draw.whole(4, 3, 4)
    b = x > 0.2
    for name in ["max", "mean", "min", "prod", "std", "sum", "var", "logsumexp"]:
        yield name, (x,), {"axis": 1}
        yield name, (x,), {"axis": [0, 1], "keepdims": True}
        yield name, (x,), {}
    yield from [("all", (b,), {}), ("any", (b,), {"axis": 1}), ("all", (i,), {"axis": 1})]
    yield from [("any", (b,), {"axis": 0, "keepdims": True}), ("mean", (b,), {}), ("max", (i,), {})]
    yield from [("mean", (i * 7 - 9,), {"axis": 1}), ("sum", (i,), {}), ("prod", (i,), {"axis": 0})]
    yield from [("std", (b,), {"axis": 0}), ("var", (b,), {}), ("l2_normalize", (x, 1), {})]
    yield from [("argmax", (x,), {}), ("argmin", (x,), {"axis": 0}), ("cumsum", (x,), {})]
    yield "cumprod", (x,), {"axis": 1}


def _products(draw):
    n = draw.normal
    for a, b in [
        ((3, 4), (4, 5)),
        ((2, 3), (4, 3, 5)),
        ((2, 5, 3), (3, 2)),
        ((2, 3, 4), (5, 4, 2)),
    ]:
        yield "dot", (n(*a), n(*b)), {}
    for a, b, axes in [
        ((10, 20), (10, 30, 20), (1, 2)), ((3, 4), (3, 4), None), ((3, 4), (3, 4), 1),
        ((2, 3, 4), (2, 4, 5), None), ((2, 3, 4), (2, 5, 4), 2), ((2, 3, 4), (2, 5, 3), (1, 2)),
        ((2, 3, 4, 5), (2, 5, 6), None), ((2, 3, 4, 5), (2, 6, 4), (2, 2)),
        ((2, 3, 4, 5), (2, 6, 5, 7), (3, 2)), ((2, 4), (2, 4, 3), None), ((2, 3, 4), (2, 4), None),
        ((2, 3, 4, 5), (2, 3, 5, 6), None), ((2, 3, 4), (2, 3, 4), -1),
    ]:  # fmt: skip
        yield "batch_dot", (n(*a), n(*b)), {} if axes is None else {"axes": axes}


def _arrays(draw):
    x, y, z = draw.normal(3, 4), draw.normal(3, 4), draw.normal(2, 5, 3)
    image, volume = draw.normal(2, 7, 6, 3), draw.normal(2, 5, 6, 4, 3)
    yield from [("permute_dimensions", (z, (0, 2, 1)), {}), ("reshape", (z, (-1, 5)), {})]
    yield from [("expand_dims", (x,), {}), ("expand_dims", (x, 0), {}), ("repeat", (x, 3), {})]
    yield from [
        ("squeeze", (x[:, :1], 1), {}),
        ("concatenate", ([x, y],), {}),
        ("tile", (x[0], 3), {}),
    ]
    yield from [
        ("concatenate", ([x, y],), {"axis": 0}),
        ("stack", ([x, y],), {}),
        ("stack", ([x, y],), {"axis": -1}),
    ]
    yield from [
        ("tile", (x, (2, 1)), {}),
        ("repeat_elements", (z, 2, 1), {}),
        ("reverse", (z, 1), {}),
    ]
    yield from [("reverse", (z, [0, 2]), {}), ("gather", (x, np.array([[0, 2], [1, 1]])), {})]
    yield from [
        ("one_hot", (draw.whole(4, 3, 4), 5), {}),
        ("in_top_k", (x, np.array([0, 3, 2]), 2), {}),
    ]
    yield from [("temporal_padding", (z,), {}), ("temporal_padding", (z, (2, 0)), {})]
    yield from [("spatial_2d_padding", (image,), {}), ("spatial_3d_padding", (volume,), {})]
    yield "spatial_2d_padding", (image, ((1, 2), (0, 3)), "channels_first"), {}
    yield "spatial_3d_padding", (volume, ((1, 0), (0, 2), (1, 1)), "channels_first"), {}
    for how in ("nearest", "bilinear", "lanczos3", "lanczos5"):
        yield "resize_images", (image, 2, 3, "channels_last", how), {}
    yield "resize_images", (image, 2, 2, "channels_first", "bilinear"), {}
    for layout in FORMATS:
        yield "resize_images", (image, 2, 2, layout), {}
        yield "resize_volumes", (volume, 2, 1, 3, layout), {}
    yield from [
        ("arange", (5,), {}),
        ("arange", (2, 9, 3), {"dtype": "float32"}),
        ("arange", (-3,), {}),
    ]
    yield from [("arange", (5, 0, -1), {}), ("constant", (3.0,), {}), ("constant", ([1, 2],), {})]
    yield from [
        ("constant", (2,), {"shape": (2, 2)}),
        ("constant", ([1, 2, 3, 4],), {"shape": (2, 2)}),
    ]
    yield from [
        ("constant", (2,), {"dtype": "int32"}),
        ("eye", (3,), {}),
        ("eye", (2, "int32"), {}),
    ]
    yield from [
        ("zeros", ((2, 3),), {}),
        ("ones", ((2, 3), "int32"), {}),
        ("variable", ([[1, 2]],), {}),
    ]


def _losses(draw):
    x, p, t = draw.normal(3, 4), draw.unit(3, 4), draw.whole(2, 3, 4).astype("float32")
    one_hot = np.eye(4, dtype="float32")[[0, 2, 3]]
    yield from [("binary_crossentropy", (t, p), {}), ("binary_crossentropy", (t, x, True), {})]
    yield "binary_crossentropy", (np.float32([1, 0, 1]), np.float32([0, 1, 1])), {}
    yield from [("binary_focal_crossentropy", (t, p), {}),
                ("binary_focal_crossentropy", (t, x, True, 0.3, 1.5, True), {})]  # fmt: skip
    for name in ("categorical_crossentropy", "categorical_focal_crossentropy"):
        yield from [(name, (one_hot, p), {}), (name, (one_hot, x), {"from_logits": True})]
        yield name, (one_hot, p), {"axis": 0}
    yield "categorical_crossentropy", (one_hot, x, True, 0), {}
    yield "categorical_focal_crossentropy", (one_hot, x, 0.3, 1.0, True), {}
    name, classes = "sparse_categorical_crossentropy", np.array([0, 2, 3])
    yield from [
        (name, (classes, p), {}),
        (name, (classes, x, True), {}),
        (name, (classes[:, None], p), {}),
    ]
    yield name, (classes, x, True), {"ignore_class": 3}
    yield name, (np.array([0, -1, 3]), p), {"ignore_class": -1}
    yield name, (draw.whole(5, 2, 3), draw.unit(2, 5, 3)), {"axis": 1}
    yield name, (draw.whole(5, 2, 3), draw.normal(2, 5, 3), True), {"axis": 1}


def _convolutions(draw):
    n = draw.normal
    z, image, volume = n(2, 5, 3), n(2, 7, 6, 3), n(2, 5, 6, 4, 3)
    for padding in ("valid", "same", "causal"):
        for strides, dilation in ((1, 1), (2, 1), (1, 2)):
            yield "conv1d", (z, n(2, 3, 4), strides, padding, None, dilation), {}
    for padding in ("valid", "same"):
        for strides, dilation in (((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 2))):
            yield "conv2d", (image, n(3, 2, 3, 4), strides, padding, None, dilation), {}
        yield "conv3d", (volume, n(2, 2, 2, 3, 2), (1, 1, 1), padding), {}
        for strides in ((1, 1), (2, 2)):
            yield "depthwise_conv2d", (image, n(3, 3, 3, 2), strides, padding), {}
        yield "separable_conv2d", (image, n(3, 3, 3, 2), n(1, 1, 6, 4), (1, 1), padding), {}
        yield "pool2d", (image, (2, 2), (2, 2), padding), {}
        yield "pool2d", (image, (3, 2), (1, 1), padding, None, "avg"), {}
        yield "pool3d", (volume, (2, 2, 2), (2, 2, 2), padding), {}
        yield "pool3d", (volume, (2, 2, 2), (1, 1, 1), padding, None, "avg"), {}
    small = n(2, 4, 4, 3)
    for shape, strides, padding, dilation in [
        ((2, 8, 8, 5), (2, 2), "same", (1, 1)), ((2, 9, 9, 5), (2, 2), "valid", (1, 1)),
        ((2, 10, 9, 5), (2, 2), "valid", (1, 1)), ((2, 7, 7, 5), (2, 2), "same", (1, 1)),
        ((2, 8, 8, 5), (1, 1), "valid", (2, 2)),
    ]:  # fmt: skip
        yield (
            "conv2d_transpose",
            (small, n(3, 3, 5, 3), shape, strides, padding, None, dilation),
            {},
        )
    yield (
        "conv3d_transpose",
        (n(2, 3, 3, 3, 2), n(2, 2, 2, 4, 2), (2, 6, 6, 6, 4), (2, 2, 2), "same"),
        {},
    )
    yield "local_conv1d", (z, n(4, 6, 7), (2,), (1,)), {}
    yield "local_conv1d", (z, n(2, 6, 7), (2,), (2,)), {}
    yield "local_conv1d", (n(2, 3, 5), n(4, 6, 7), (2,), (1,), "channels_first"), {}
    yield "local_conv2d", (image, n(30, 12, 5), (2, 2), (1, 1), (6, 5)), {}
    yield (
        "local_conv2d",
        (n(2, 3, 7, 6), n(30, 12, 5), (2, 2), (1, 1), (6, 5), "channels_first"),
        {},
    )


def _normalisation(draw):
    n, p = draw.normal, draw.unit
    x, z, image, volume = n(3, 4), n(2, 5, 3), n(2, 7, 6, 3), n(2, 5, 6, 4, 3)
    for data, bias in [(image, (3,)), (image, (7, 6, 3)), (x, (4,)), (z, (5, 3)), (volume, (3,))]:
        yield "bias_add", (data, n(*bias)), {}
    for data, bias in [(image, (7,)), (image, (6, 3, 7)), (z, (5,)), (z, (3, 5)), (volume, (5,))]:
        yield "bias_add", (data, n(*bias), "channels_first"), {}
    name = "batch_normalization"
    yield from [
        (name, (x, n(4), p(4), n(4), p(4)), {}),
        (name, (image, n(3), p(3), n(3), p(3)), {}),
    ]
    yield name, (image, n(7), p(7), n(7), p(7)), {"axis": 1}
    yield name, (image, n(1, 1, 1, 3), p(1, 1, 1, 3), None, None), {}
    name = "normalize_batch_in_training"
    yield from [(name, (x, p(4), n(4), [0]), {}), (name, (image, p(3), n(3), [0, 1, 2]), {})]
    yield from [(name, (image, p(7), n(7), [0, 2, 3]), {}), (name, (z, p(3), n(3), [0, 1]), {})]
    yield name, (image, None, None, [0, 1, 2]), {}


def _ctc(draw):
    probabilities, lengths = draw.softmax(3, 9, 5), np.array([9, 7, 4])
    labels = np.array([[1, 1, 3], [0, 2, 2], [2, 0, 0]], "int32")
    sizes = np.array([[3], [2], [1]])
    yield "ctc_batch_cost", (labels, probabilities, lengths[:, None], sizes), {}
    yield "ctc_decode", (probabilities, lengths), {}
    search = {"greedy": False, "beam_width": 20, "top_paths": 3}
    yield "ctc_decode", (probabilities, lengths), search
    yield (
        "ctc_decode",
        (draw.softmax(3, 9, 5), lengths),
        {"greedy": False, "beam_width": 5, "top_paths": 2},
    )


def _control(draw):
    x, y, keep = draw.normal(3, 4), draw.normal(3, 4), draw.unit(2, 5) > 0.45
    z, start, n = draw.normal(2, 5, 3), np.zeros(4, "float32"), draw.normal
    yield from [("switch", (np.array(True), x, y), {}), ("switch", (x > y, x, y), {})]

    def decayed(total, row):
        return total * 0.5 + row

    yield from [("foldl", (decayed, x), {}), ("foldl", (decayed, x, start), {})]
    yield from [("foldr", (decayed, x), {}), ("foldr", (decayed, x, start), {})]
    yield "map_fn", (lambda row: row * 2.0, x), {}
    lengths = np.array([3, 5], "int32")
    for options in (
        {}, {"go_backwards": True}, {"mask": keep}, {"mask": keep, "unroll": True},
        {"mask": keep, "zero_output_for_mask": True}, {"mask": keep, "go_backwards": True},
        {"unroll": True, "go_backwards": True}, {"return_all_outputs": False},
        {"mask": keep, "zero_output_for_mask": True, "unroll": True}, {"input_length": lengths},
        {"input_length": lengths, "go_backwards": True},
        {"mask": keep, "go_backwards": True, "zero_output_for_mask": True},
    ):  # fmt: skip
        yield "rnn", (_step, z, [n(2, 3)]), options


def _step(inputs, states):
    # `+`, `*` and no functions: of whichever library the tensors are
    new = inputs * 0.7 + states[0] * inputs * 0.2 + states[0] * 0.3
    return new, [new]


def all_cases():
    """Pairs of a readable, unique name and a call."""
    seen = {}
    for make in (
        _elementwise, _reductions, _products, _arrays, _losses, _convolutions, _normalisation,
        _ctc, _control,
    ):  # fmt: skip
        for call in make(Inputs()):
            number = seen[call[0]] = seen.get(call[0], -1) + 1
            yield f"{call[0]}-{number}", call
