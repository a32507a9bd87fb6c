"""EinsumDense and multi-head attention beside Keras."""

import numpy as np
import pytest
from layer_pairs import both, close, compare, files_both_ways, same_error, scramble

# JAX compiles every op anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


def test_einsum_dense_starts_with_the_same_spread():
    for equation, shape, inputs in [
        ("abcd,bde->abce", (10, 4, 60), (1, 10, 4, 50)),
        ("abc,cde->abde", (None, 10, 80), (1, 3, 50)),
    ]:
        for start in ("glorot_uniform", "he_uniform"):
            theirs, ours = (
                k.layers.EinsumDense(equation, shape, kernel_initializer=start) for k in both()
            )
            theirs.build(inputs)
            ours.build(inputs)
            spread = [np.std(layer.get_weights()[0]) for layer in (ours, theirs)]
            assert spread[0] == pytest.approx(spread[1], rel=0.02)


@pytest.mark.parametrize(
    "equation, shape, bias, inputs",
    [
        ("abc,cd-abd", (None, 4), "d", (2, 3, 4)),
        ("...x,xy->y...", 4, "y", (2, 3, 4)),
        ("ab c,cd->abd", (None, 4), "d", (2, 3, 4)),
        ("abc,cd->abf", (None, 4), "d", (2, 3, 4)),
        ("abc,cd->abd", (None, 4), "q", (2, 3, 4)),
        ("ab,cd->ad", (4,), "d", (2, 3)),
        ("abc,cd->abd", (5, 4), "d", (2, 3, 4)),
        ("ab,bc->ac", 4, "c", (None, None)),
    ],
)
def test_einsum_dense_refuses(equation, shape, bias, inputs):
    theirs, ours = same_error(
        lambda k: k.layers.EinsumDense(equation, shape, bias_axes=bias).build(inputs)
    )
    assert ours[:20] == theirs[:20]


OPTIONS = [
    {},
    {"use_bias": False},
    {"output_shape": 7},
    {"output_shape": (3, 2), "use_gate": True},
    {"sliding_window": 2},
    {"dropout": 0.3, "seed": 5},
    {"kernel_regularizer": "l2", "activity_regularizer": "l1", "bias_initializer": "ones"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_multi_head_attention(options):
    def make(k):
        return k.layers.MultiHeadAttention(2, 3, **options)

    def wide(k):  # JAX's fused kernel wants values as wide as keys
        return k.layers.MultiHeadAttention(2, 3, 5, **options)

    q, v, k = draw(2, 3, 4), draw(2, 5, 6), draw(2, 5, 7)
    theirs, ours = compare(make, q, v)
    theirs(q, v), ours(q, v)
    assert [float(x) for x in ours.losses] == pytest.approx([float(x) for x in theirs.losses])
    compare(wide, q, v, k, return_attention_scores=True, use_causal_mask=True)


@pytest.mark.parametrize("axes", [2, (1, 2), -2])
def test_attention_axes(axes):
    def make(k):
        return k.layers.MultiHeadAttention(2, 3, attention_axes=axes, value_dim=2)

    x = draw(2, 3, 4, 5)
    compare(make, x, draw(2, 3, 4, 6), return_attention_scores=True)


MASK = np.array([[[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]]] * 2)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_masks(scores, dropout):
    def make(k):
        return k.layers.MultiHeadAttention(2, 3, dropout=dropout)

    q, v = draw(2, 3, 4), draw(2, 4, 5)
    keys = np.array([[True, True, False, True], [False, False, False, False]])
    for masks in [
        {"attention_mask": MASK.astype(bool)},
        {"attention_mask": MASK.astype("float32")},
        {"attention_mask": MASK.astype("int32")[:, None]},
        {"attention_mask": MASK.astype(bool)[:1], "use_causal_mask": True},
        {"value_mask": keys},
        {"key_mask": keys, "value_mask": keys[:, ::-1]},
        {"query_mask": keys[:, :3], "value_mask": keys},
    ]:
        compare(make, q, v, return_attention_scores=scores, grads=False, shapes=False, **masks)


def model_of_masks(k):
    layers = k.layers
    ids = k.Input((6,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(ids)
    h = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(layers.add([x, h]))
    x = layers.add([x, layers.MultiHeadAttention(2, 4, use_gate=True, dropout=0.1)(x, x)])
    x = layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x)
    return k.Model(ids, layers.GlobalAveragePooling1D()(x))


IDS = np.array([[1, 2, 0, 3, 0, 0], [4, 5, 6, 7, 8, 1], [3, 0, 0, 0, 0, 0]])


@pytest.mark.filterwarnings("ignore:Layer 'einsum_dense.*a mask attached:UserWarning")
def test_masks_of_embeddings_reach_attention():
    theirs, ours = (model_of_masks(k) for k in both())
    scramble(theirs, ours)
    close(ours(IDS), theirs(IDS))
    for model in (theirs, ours):
        model.compile("sgd", "mse")
        model.fit(IDS, np.ones((3, 3)), verbose=0, epochs=1)


@pytest.mark.filterwarnings("ignore:Layer 'einsum_dense.*a mask attached:UserWarning")
def test_files(tmp_path):
    files_both_ways(model_of_masks, IDS, tmp_path)


def test_refusals():
    for options in [{"sliding_window": 0}, {"sliding_window": "a"}]:
        theirs, ours = same_error(lambda k, o=options: k.layers.MultiHeadAttention(2, 3, **o))
        assert ours == theirs
    same_error(lambda k: k.layers.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True))
    same_error(lambda k: k.layers.MultiHeadAttention(2, 3).build((2, 3, 4), (2, 5, 4), (2, 6, 4)))
    same_error(
        lambda k: k.layers.MultiHeadAttention(2, 3).compute_output_shape(
            (2, 3, 4), (2, 5, 4), (2, 6, 4)
        )
    )
    same_error(lambda k: k.layers.MultiHeadAttention(2, 3)(draw(2, 3, 4)))


def test_dropout_draws_and_scales():
    ours = both()[1].layers.MultiHeadAttention(1, 3, dropout=0.5, seed=1)
    x = np.ones((4, 6, 2), "float32")
    _, still = ours(x, x, return_attention_scores=True)
    np.testing.assert_allclose(np.asarray(still), 1 / 6, rtol=1e-5)
    quiet, trained = (np.asarray(ours(x, x, training=t)) for t in (False, True))
    assert np.ptp(quiet[..., 0]) < 1e-5 < np.ptp(trained[..., 0])


def test_softmax_with_mask():
    x, mask = draw(2, 3, 4), MASK.astype(bool)
    compare(lambda k: k.layers.Softmax(), x, mask=mask)
    compare(lambda k: k.layers.Softmax(axis=(1, 2)), x, mask=mask)
    compare(lambda k: k.layers.Softmax(), 1e5 * x, mask=mask, grads=False)


def test_masks_of_merged_inputs():
    """One mask is enough for a step to count, but all inputs must have one."""
    import keras

    import kerasish_core as core

    first = np.array([[True, False, True], [True, True, True]])
    second = np.array([[True, False, False], [True, True, False]])
    x = draw(2, 3, 4)

    def merged(k, name, masks, **options):
        tensors = []
        for mask in masks:
            if k is keras:
                tensor = k.ops.convert_to_tensor(x)
                if mask is not None:
                    tensor._keras_mask = k.ops.convert_to_tensor(mask)
            else:
                tensor = core.constant(x)
                tensor.mask = None if mask is None else core.constant(mask)
            tensors.append(tensor)
        y = getattr(k.layers, name)(**options)(tensors)
        mask = getattr(y, "_keras_mask", None) if k is keras else y.mask
        return None if mask is None else np.asarray(mask).tolist()

    for name, options in [("Add", {}), ("Concatenate", {"axis": 1}), ("Concatenate", {})]:
        for masks in [(first, second), (first, None), (None, second), (None, None)]:
            theirs, ours = (merged(k, name, masks, **options) for k in both())
            assert ours == theirs, (name, options, masks)


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
def test_masks_of_plain_attention(name):
    q, v = draw(2, 3, 4), draw(2, 4, 4)
    keys = np.array([[True, True, False, True], [False, False, False, False]])
    queries = np.array([[True, False, True], [True, True, True]])
    for masks in [[queries, keys], [None, keys], [queries, None], [None, None, keys]]:
        theirs, ours = compare(
            lambda k: getattr(k.layers, name)(), [q, v], mask=masks, use_causal_mask=True,
            return_attention_scores=True, grads=False, shapes=False,
        )  # fmt: skip
        found = ours.compute_mask([q, v], masks), theirs.compute_mask([q, v], masks)
        assert (found[0] is None) == (found[1] is None)


def test_plain_attention_refuses():
    q, v = draw(1, 3, 4), draw(1, 5, 4)
    mask = np.ones((1, 3), bool)
    for run in [
        lambda k: k.layers.Attention(score_mode="x"),
        lambda k: k.layers.Attention()([q]),
        lambda k: k.layers.Attention()(q),
        lambda k: k.layers.Attention()([q, v, v, v]),
        lambda k: k.layers.Attention()([q, v], mask=mask),
        lambda k: k.layers.Attention()([q, v], mask=[mask]),
    ]:
        same_error(run)


def test_masks_of_group_query_attention():
    q, v = draw(2, 3, 4), draw(2, 4, 4)
    keys = np.array([[True, True, False, True], [False, False, False, False]])
    for dropout in (0.0, 0.4):
        compare(
            lambda k, d=dropout: k.layers.GroupQueryAttention(3, 4, 2, dropout=d), q, v,
            query_mask=keys[:, :3], value_mask=keys, attention_mask=MASK, grads=False,
        )  # fmt: skip
    same_error(lambda k: k.layers.GroupQueryAttention(3, 4, 3))
    same_error(lambda k: k.layers.GroupQueryAttention(3, 4, 2, sliding_window=0))
    same_error(lambda k: k.layers.GroupQueryAttention(3, 4, 2).compute_output_shape((2, 3), (2, 4)))


def model_of_all(k):
    layers = k.layers
    x = k.Input((5, 4))
    y = layers.GroupQueryAttention(3, 4, 2, dropout=0.1, use_gate=True)(x, x)
    z = layers.Attention(use_scale=True, score_mode="concat")([x, y])
    w = layers.AdditiveAttention()([y, z])
    return k.Model(x, layers.add([x, y, z, w]))


def test_files_of_the_others(tmp_path):
    files_both_ways(model_of_all, draw(2, 5, 4), tmp_path)


def test_dot_product_attention():
    q, k, v = draw(2, 3, 4, 6), draw(2, 5, 2, 6), draw(2, 5, 2, 6) + 1
    mask = np.random.default_rng(0).random((2, 4, 3, 5)) > 0.5
    mask[0, 0, 0] = False
    bias = draw(2, 4, 3, 5)
    for options in [
        {}, {"is_causal": True}, {"mask": mask}, {"mask": mask[0]}, {"bias": bias},
        {"bias": bias[:1, :, 0:1], "mask": mask, "is_causal": True, "scale": 2.0},
    ]:  # fmt: skip
        theirs, ours = (k_.ops.dot_product_attention(q, k, v, **options) for k_ in both())
        close(ours, theirs, what=str(list(options)))
    for shapes in [((3, 2, 4), (5, 2, 4)), ((1, 3, 3, 4), (1, 5, 2, 4))]:
        a, b = (draw(*s) for s in shapes)
        with pytest.raises(ValueError):
            both()[1].ops.dot_product_attention(a, b, b)
    ours = both()[1]
    x = ours.Input((3, 2, 4))
    assert ours.ops.dot_product_attention(x, x, x).shape == (None, 3, 2, 4)
    capped = ours.ops.dot_product_attention(q, 1e3 * k, v, attn_logits_soft_cap=1e-6)
    np.testing.assert_allclose(capped, np.broadcast_to(v.mean(1)[:, None].repeat(2, 2), q.shape),
                               rtol=1e-4)  # fmt: skip


@pytest.mark.parametrize(
    "axes, causal, dropout", [(None, True, 0.0), ((1, 2), False, 0.0), (None, False, 0.5)]
)
def test_steps_that_subclasses_have(axes, causal, dropout):
    """Attention with a bias of positions in the scores, and one with another softmax."""
    shape = (2, 3, 8) if axes is None else (2, 3, 2, 8)
    x, mask = draw(*shape), np.tril(np.ones((2, 3, 3), bool))
    found = []
    for k in both():

        class Relative(k.layers.MultiHeadAttention):
            def _compute_attention(
                self, query, key, value, attention_mask=None, training=None, *rest, k=k
            ):
                scores = k.ops.einsum(
                    self._dot_product_equation, key, query * self._inverse_sqrt_key_dim
                )
                scores = scores + 0.3 * k.ops.cast(k.ops.arange(scores.shape[-1]), "float32")
                scores = self._masked_softmax(scores, attention_mask)
                scores = self._dropout_layer(scores, training=training)
                return k.ops.einsum(self._combine_equation, scores, value), scores

        class Sharp(k.layers.MultiHeadAttention):
            def _masked_softmax(self, attention_scores, attention_mask=None):
                return super()._masked_softmax(attention_scores * 3.0, attention_mask)

        class Seen(k.layers.MultiHeadAttention):
            def _compute_attention_mask(self, query, value, *args, k=k, **kwargs):
                usual = super()._compute_attention_mask(query, value, *args, **kwargs)
                mine = k.ops.convert_to_tensor(np.arange(3) != 1)[None, None]
                return mine if usual is None else k.ops.logical_and(usual, mine)

        for kind in (Relative, Sharp, Seen):
            if kind is Seen and axes is not None:
                continue
            layer = kind(2, 4, attention_axes=axes, dropout=dropout)
            layer.build(shape, shape)
            start = np.random.default_rng(0)
            layer.set_weights([start.normal(size=w.shape) for w in layer.get_weights()])
            # Keras does not ask a subclass for the mask that is the causal one alone.
            options = {"use_causal_mask": causal} if axes is None and kind is not Seen else {}
            found.append(np.asarray(layer(x, x, **options)))
            if axes is None:
                found.extend(
                    np.asarray(v)
                    for v in layer(x, x, attention_mask=mask, return_attention_scores=True)
                )
        first, second = k.layers.MultiHeadAttention(2, 4), k.layers.MultiHeadAttention(2, 4)
        for layer in (first, second):
            layer.build((2, 3, 8), (2, 3, 8))
        shared = first._get_common_kwargs_for_sublayer()
        assert set(shared) == {
            "activity_regularizer", "bias_constraint", "bias_initializer", "bias_regularizer",
            "dtype", "kernel_constraint", "kernel_initializer", "kernel_regularizer",
        }  # fmt: skip
        assert (first._dot_product_equation, first._combine_equation) == (
            "aecd,abcd->acbe", "acbe,aecd->abcd",
        )  # fmt: skip
        found.append(np.asarray(first._compute_causal_mask(x[:, :2], x)))
    half = len(found) // 2
    for theirs, ours in zip(found[:half], found[half:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=3e-5)


def test_a_step_as_keras_2_had_it():
    """Its `_compute_attention` was never told that the weights are wanted."""
    _, k = both()

    class Plain(k.layers.MultiHeadAttention):
        def _compute_attention(self, query, key, value, attention_mask=None, training=None):
            return super()._compute_attention(query, key, value, attention_mask, training, True)

    x = draw(2, 3, 8)
    layer, usual = Plain(2, 4), k.layers.MultiHeadAttention(2, 4)
    layer.build(x.shape, x.shape)
    usual.build(x.shape, x.shape)
    usual.set_weights(layer.get_weights())
    for ours, expected in zip(
        layer(x, x, return_attention_scores=True), usual(x, x, return_attention_scores=True),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
