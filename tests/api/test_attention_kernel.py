"""When attention is the core's primitive, and that it is the same as by products."""

import numpy as np
import pytest

import kerasish as keras
import kerasish_core as core
from kerasish import layers

RNG = np.random.default_rng(2)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def traced(function, *arrays):
    """The text of a step for a GPU."""
    step = core.function(function)
    step(*map(core.convert, arrays))
    return step.explain("optimized")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("owners", [1, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_the_primitive_is_the_formula(causal, owners, masked):
    q, k, v = normal(2, 5, 2, 3), normal(2, 7, owners, 3), normal(2, 7, owners, 4)
    mask = RNG.random((2, 1, 5, 7)) < 0.5 if masked else None
    if masked:
        mask[0, 0, 2] = False

    def run(attend, q, k, v):
        return core.value_and_grad(lambda *xs: core.ops.sum(core.ops.sin(attend(*xs))), (0, 1, 2))(
            q, k, v
        )

    tensors = [core.convert(x) for x in (q, k, v)]
    found = run(lambda *xs: core.ops.attention(*xs, mask, 3**-0.5, causal), *tensors)
    expected = run(
        lambda *xs: keras.ops.dot_product_attention(*xs, mask=mask, is_causal=causal), *tensors
    )
    for a, b in zip(core.tree.flatten(found), core.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-6)


def test_steps_for_a_gpu_call_it_where_it_pays(cupy):
    q = normal(1, 4, 2, 8)

    def attend(dtype, **options):
        def step(q):
            q = core.ops.cast(q, dtype)
            return keras.ops.dot_product_attention(q, q, q, **options)

        return " = attention(" in traced(step, q)

    assert attend("bfloat16") and attend("float16", is_causal=True, mask=np.ones((4, 4), bool))
    assert attend("float32", flash_attention=True) and not attend("float32")
    assert not attend("bfloat16", flash_attention=False)
    assert not attend("bfloat16", bias=np.ones((4, 4), "float32"))
    assert not attend("bfloat16", attn_logits_soft_cap=2.0)
    keras.config.disable_flash_attention()
    try:
        assert not attend("bfloat16")
    finally:
        keras.config.enable_flash_attention()
    assert attend("bfloat16")
    with core.device_scope("cpu"):
        assert not attend("bfloat16")


def test_layers_call_it(cupy):
    x = core.convert(normal(2, 4, 6))
    common = {"flash_attention": True}
    for make, options, expected in (
        (lambda: layers.MultiHeadAttention(2, 3, **common), {"use_causal_mask": True}, True),
        (lambda: layers.GroupQueryAttention(3, 2, 1, **common), {}, True),
        (lambda: layers.MultiHeadAttention(2, 3, sliding_window=2, **common), {}, True),
        (lambda: layers.MultiHeadAttention(2, 3, dropout=0.1), {}, False),
        (lambda: layers.MultiHeadAttention(2, 3), {}, False),
    ):
        keras.utils.set_random_seed(1)
        layer = make()
        expected_y = layer(x, x, **options).numpy()  # eagerly: by products
        step = core.function(lambda x, layer=layer, options=options: layer(x, x, **options))
        np.testing.assert_allclose(step(x).numpy(), expected_y, rtol=1e-4, atol=1e-5)
        assert (" = attention(" in step.explain("optimized")) == expected
    keras.utils.set_random_seed(0)
