"""Convolution, pooling, normalization, losses, attention."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import Fixed, call, entry, mark, spec
from .inputs import DTYPES, FLOATS, A, B, V, draw, typed, whole

IMAGE, SERIES, VOLUME = draw(2, 6, 6, 4), draw(2, 7, 4), draw(1, 4, 4, 4, 2)
FIRST = draw(2, 4, 6, 6)
CHANNELS_FIRST = {"data_format": "channels_first"}

call("ops: conv", IMAGE, draw(3, 3, 4, 5))
for _options in [
    {"strides": 2},
    {"padding": "same"},
    {"strides": 2, "padding": "same"},
    {"strides": (2, 1), "padding": "SAME"},
    {"dilation_rate": 2},
    {"dilation_rate": (1, 2), "padding": "same"},
]:
    call("ops: conv", IMAGE, draw(3, 3, 4, 5), **_options)
    call("ops: depthwise_conv", IMAGE, draw(3, 3, 4, 2), **_options)
    call("ops: separable_conv", IMAGE, draw(3, 3, 4, 2), draw(1, 1, 8, 3), **_options)
    call("ops: conv_transpose", IMAGE, draw(3, 3, 5, 4), **_options)
for _options in [
    {"padding": "other"}, {"strides": 2, "dilation_rate": 2},
    {"data_format": "other"}, {"dilation_rate": 0},
]:  # fmt: skip
    spec("ops: conv", IMAGE, draw(3, 3, 4, 5), **_options)
    spec("ops: depthwise_conv", IMAGE, draw(3, 3, 4, 2), **_options)
    spec("ops: conv_transpose", IMAGE, draw(3, 3, 5, 4), **_options)
call("ops: conv", IMAGE, draw(3, 3, 2, 6))
call("ops: conv", SERIES, draw(3, 4, 5), strides=2, padding="same")
call("ops: conv", VOLUME, draw(2, 2, 2, 2, 3))
call("ops: conv", FIRST, draw(3, 3, 4, 5), padding="same", **CHANNELS_FIRST)
call("ops: depthwise_conv", SERIES, draw(3, 4, 2))
call("ops: depthwise_conv", FIRST, draw(3, 3, 4, 2), **CHANNELS_FIRST)
call("ops: separable_conv", SERIES, draw(3, 4, 2), draw(1, 8, 3))
call("ops: separable_conv", FIRST, draw(3, 3, 4, 2), draw(1, 1, 8, 3), **CHANNELS_FIRST)
call("ops: conv_transpose", SERIES, draw(3, 5, 4), strides=2, padding="same")
call("ops: conv_transpose", SERIES, draw(3, 5, 4), strides=2, output_padding=1)
call("ops: conv_transpose", SERIES, draw(3, 5, 4), strides=3, padding="same", output_padding=0)
call("ops: conv_transpose", FIRST, draw(3, 3, 5, 4), strides=2, **CHANNELS_FIRST)
call("ops: conv_transpose", VOLUME, draw(2, 2, 2, 3, 2))
spec("ops: conv", SERIES, draw(3, 3, 4, 5))
spec("ops: conv", IMAGE, draw(3, 3, 3, 5))
spec("ops: conv", IMAGE, draw(9, 9, 4, 5))
for _dtype in (*FLOATS, "int32"):
    spec("ops: conv", typed(_dtype, 2, 6, 6, 4), typed(_dtype, 3, 3, 4, 5))
    spec("ops: conv", typed(_dtype, 2, 6, 6, 4), draw(3, 3, 4, 5))
    spec("ops: depthwise_conv", typed(_dtype, 2, 6, 6, 4), typed(_dtype, 3, 3, 4, 2))
    spec("ops: conv_transpose", typed(_dtype, 2, 6, 6, 4), typed(_dtype, 3, 3, 5, 4))
mark("ops: conv depthwise_conv separable_conv conv_transpose", tolerance=2e-4)

POOLS = "ops: max_pool average_pool"
call(POOLS, IMAGE, (2, 2), strides=(2, 2))
for _options in [{"strides": 1}, {"padding": "same"}, {"strides": (1, 2), "padding": "same"}]:
    call(POOLS, IMAGE, 3, **_options)
call(POOLS, IMAGE, (3, 2), padding="SAME")
call(POOLS, SERIES, 2)
call(POOLS, VOLUME, 2)
call(POOLS, FIRST, 2, **CHANNELS_FIRST)
spec(POOLS, IMAGE, (2, 2, 2))
spec(POOLS, IMAGE, 9)
spec(POOLS, IMAGE, 2, padding="other")
spec(POOLS, A, 2)
for _dtype in (*FLOATS, "int32", "uint8"):
    spec(POOLS, typed(_dtype, 2, 6, 6, 4), 2)
ADAPTIVE = "ops: adaptive_average_pool adaptive_max_pool"
call(ADAPTIVE, IMAGE, 4)
call(ADAPTIVE, IMAGE, (2, 3))
call(ADAPTIVE, SERIES, 3)
call(ADAPTIVE, FIRST, 2, **CHANNELS_FIRST)
call(ADAPTIVE, VOLUME, (1, 2, 3))
spec(ADAPTIVE, IMAGE, (2, 2, 2))
spec(ADAPTIVE, A, 2)
for _dtype in FLOATS:
    spec(ADAPTIVE, typed(_dtype, 2, 6, 6, 4), 2)

BLOCKS = "ops: depth_to_space space_to_depth"
call(BLOCKS, IMAGE, 2)
call(BLOCKS, FIRST, 2, **CHANNELS_FIRST)
spec(BLOCKS, IMAGE, 4)
spec(BLOCKS, IMAGE, 1)
spec(BLOCKS, SERIES, 2)
spec(BLOCKS, IMAGE, 2, data_format="other")
for _dtype in DTYPES:
    spec(BLOCKS, typed(_dtype, 2, 6, 6, 4), 2)
call("ops: unfold", FIRST, 3)
for _options in [
    {"padding": 1, "stride": 2},
    {"dilation": 2},
    {"stride": (1, 2), "padding": (0, 1)},
]:
    call("ops: unfold", FIRST, (3, 2), **_options)
call("ops: fold", draw(2, 18, 16), 6, 3)
call("ops: fold", draw(2, 18, 9), (6, 6), 3, padding=1, stride=2)
call("ops: fold", draw(2, 8, 16), 6, 2, dilation=2)
spec("ops: unfold", SERIES, 3)
spec("ops: fold", draw(2, 18, 7), 6, 3)
spec("ops: fold", draw(2, 17, 16), 6, 3)
for _dtype in FLOATS:
    spec("ops: unfold", typed(_dtype, 2, 4, 6, 6), 3)
    spec("ops: fold", typed(_dtype, 2, 18, 16), 6, 3)
for _pattern, _sizes in [
    ("b h (w k) c -> b (h w) (c k)", {"k": 2}),
    ("b h w c -> b c h w", {}),
    ("b h w c -> (b h w c)", {}),
    ("b (h p) (w q) c -> (b h w) p q c", {"p": 2, "q": 3}),
    ("b h w -> b h w", {}),
    ("b h w c -> b h w d", {}),
    ("b (h p) w c -> b h p w c", {}),
]:
    call("ops: rearrange", IMAGE, _pattern, **_sizes)
for _dtype in DTYPES:
    spec("ops: rearrange", typed(_dtype, 3, 4), "a b -> b a")

# -- normalization

call("ops: batch_normalization", IMAGE, V, draw(4, low=0.2), -1)
call("ops: batch_normalization", IMAGE, V, draw(4, low=0.2), 3, offset=V, scale=draw(4, seed=1))
call("ops: batch_normalization", FIRST, V, draw(4, low=0.2), 1, scale=V, epsilon=0.1)
call("ops: batch_normalization", A, V, draw(4, low=0.2), -1, offset=V)
spec("ops: batch_normalization", IMAGE, draw(3), draw(3), -1)
for _dtype in FLOATS:
    spec("ops: batch_normalization", typed(_dtype, 3, 4), V, draw(4, low=0.2), -1)
    spec("ops: batch_normalization", typed(_dtype, 3, 4), *(typed(_dtype, 4, low=1),) * 2, -1)
call("ops: layer_normalization", A, V, draw(4, seed=1))
call("ops: layer_normalization", A)
call("ops: layer_normalization", A, draw(3), axis=0)
call("ops: layer_normalization", IMAGE, draw(6, 4), draw(6, 4), axis=(2, 3))
call("ops: layer_normalization", IMAGE, draw(6, 4), axis=[-2, -1], epsilon=0.1)
call("ops: layer_normalization", A, V, beta=V, epsilon=1e-3)
call("ops: layer_normalization", A, rms_scaling=True)
spec("ops: layer_normalization", A, draw(3))
call("ops: rms_normalization", A)
call("ops: rms_normalization", A, V)
call("ops: rms_normalization", A * np.float32(1e-4))
call("ops: rms_normalization", A, V, axis=-1, epsilon=0.1)
call("ops: rms_normalization", IMAGE, axis=(1, 2))
call("ops: rms_normalization", A, draw(3, 1), axis=0)
for _dtype in (*FLOATS, "int32"):
    spec("ops: layer_normalization rms_normalization", typed(_dtype, 3, 4))
    spec("ops: layer_normalization rms_normalization", typed(_dtype, 3, 4), V)
mark("ops: batch_normalization layer_normalization rms_normalization", tolerance=1e-4)
call("ops: psnr", A, B, 2.0)
call("ops: psnr", A, B, 255)
call("ops: psnr", A, A, 1.0)
spec("ops: psnr", A, V, 1.0)
for _dtype in FLOATS:
    spec("ops: psnr", typed(_dtype, 3, 4), typed(_dtype, 3, 4, seed=1), 1.0)
mark("ops: psnr", tolerance=1e-4, gradient="float32[3,4],float32[3,4],2.0")

# -- losses

PROBABILITIES = draw(3, 4, low=0.1, high=0.9)
SHARES = (PROBABILITIES / PROBABILITIES.sum(-1, keepdims=True)).astype("float32")
CLASSES, HITS = np.array([0, 2, 1], "int32"), (SHARES > 0.25).astype("float32")
for _axis in (-1, 1, 0):
    call("ops: categorical_crossentropy", HITS, SHARES, axis=_axis)
    call("ops: categorical_crossentropy", HITS, A, from_logits=True, axis=_axis)
call("ops: categorical_crossentropy", SHARES, PROBABILITIES)
call("ops: sparse_categorical_crossentropy", CLASSES, SHARES)
call("ops: sparse_categorical_crossentropy", CLASSES[:, None].copy(), A, from_logits=True)
call("ops: sparse_categorical_crossentropy", np.array([0, 9, -1], "int32"), A, from_logits=True)
call("ops: sparse_categorical_crossentropy", whole(2, 6, 6, high=4), IMAGE, from_logits=True)
call("ops: sparse_categorical_crossentropy", whole(2, 6, 6, high=4), FIRST, True, axis=1)
call("ops: binary_crossentropy", HITS, PROBABILITIES)
call("ops: binary_crossentropy", HITS, A, from_logits=True)
call("ops: binary_crossentropy", np.zeros(2, "float32"), np.array([0.0, 1.0], "float32"))
call("ops: binary_crossentropy", np.ones(2, "float32"), np.array([200.0, -200.0], "float32"), True)
spec("ops: categorical_crossentropy binary_crossentropy", A, V)
spec("ops: categorical_crossentropy binary_crossentropy", A, draw(3, 2))
spec("ops: categorical_crossentropy binary_crossentropy", draw(), draw())
spec("ops: sparse_categorical_crossentropy", whole(2), SHARES)
spec("ops: sparse_categorical_crossentropy", whole(3, 2), SHARES)
spec("ops: sparse_categorical_crossentropy", whole(), draw())
for _first, _second in itertools.product((*FLOATS, "int32", "bool"), FLOATS):
    spec("ops: categorical_crossentropy binary_crossentropy", typed(_first, 3, 4),
         typed(_second, 3, 4, low=0.1, high=0.9))  # fmt: skip
    spec("ops: binary_crossentropy", typed(_first, 3, 4), typed(_second, 3, 4), from_logits=True)
for _dtype in FLOATS:
    spec("ops: sparse_categorical_crossentropy", CLASSES, typed(_dtype, 3, 4))
    spec("ops: sparse_categorical_crossentropy", CLASSES.astype("float32"), typed(_dtype, 3, 4))
call("ops: ctc_loss", whole(2, 3, low=1, high=4), draw(2, 8, 5), whole(2, low=2, high=4),
     np.array([8, 6], "int32"))  # fmt: skip
call("ops: ctc_loss", whole(2, 3, low=0, high=4), draw(2, 8, 5), whole(2, low=2, high=4),
     np.array([8, 6], "int32"), mask_index=4)  # fmt: skip
spec("ops: ctc_loss", whole(3), draw(2, 8, 5), whole(2), whole(2))
spec("ops: ctc_loss", whole(3, 3), draw(2, 8, 5), whole(2), whole(2))
mark("ops: ctc_loss", tolerance=2e-4)

# -- attention

QUERY, KEY, VALUE = draw(2, 5, 4, 6), draw(2, 7, 4, 6, seed=1), draw(2, 7, 4, 6, seed=2)
call("ops: dot_product_attention", QUERY, KEY, VALUE)
call("ops: dot_product_attention", QUERY, QUERY, QUERY, is_causal=True)
call("ops: dot_product_attention", QUERY, KEY, VALUE, scale=0.3)
call("ops: dot_product_attention", QUERY, KEY, VALUE, bias=draw(2, 4, 5, 7))
call("ops: dot_product_attention", QUERY, KEY, VALUE, bias=draw(1, 1, 5, 7))
call("ops: dot_product_attention", QUERY, KEY, VALUE, mask=draw(2, 4, 5, 7) > -1)
call("ops: dot_product_attention", QUERY, KEY, VALUE, mask=draw(1, 1, 5, 7) > -1, is_causal=True)
call("ops: dot_product_attention", QUERY, KEY[:, :, :2].copy(), VALUE[:, :, :2].copy())
call("ops: dot_product_attention", QUERY, KEY, VALUE, attn_logits_soft_cap=0.5)
spec("ops: dot_product_attention", A, A, A)
spec("ops: dot_product_attention", QUERY, KEY[:, :, :3].copy(), VALUE[:, :, :3].copy())
spec("ops: dot_product_attention", QUERY, KEY, VALUE, mask=Fixed(np.ones((2, 4, 5, 7), "int32")))
for _dtype in FLOATS:
    spec("ops: dot_product_attention", *(typed(_dtype, 2, 5, 4, 6),) * 3)
mark("ops: dot_product_attention", tolerance=1e-4)

mark(POOLS, wider='Keras on JAX fails for padding "same" without strides')
mark(
    "ops: separable_conv sparse_categorical_crossentropy batch_normalization",
    wider="Keras's inference fails for unknown sizes, and classes along another axis on JAX",
)
mark(
    "ops: dot_product_attention",
    wider="Keras limits the size of scores on TPUs only",
)
_HALVES = ("float16", "bfloat16")
entry("ops.batch_normalization").differs = {
    f"{d}[3,4],float32[4],float32[4],-1": "Keras's inference says so too; its result is float32"
    for d in _HALVES
}
_WHOLE = {
    f"int32[3,4]{weight}{aspect}": "Keras cuts the normalized numbers to whole ones"
    for weight in ("", ",float32[4]")
    for aspect in ("", ":symbolic", ":unknown")
}
entry("ops.layer_normalization").differs = _WHOLE
entry("ops.rms_normalization").differs = _WHOLE
entry("ops.rearrange").differs = {
    "float32[2,6,6,4],'b (h p) w c -> b h p w c'": "a ValueError that says what is missing"
}

for _strategy in ("greedy", "beam_search"):
    call("ops: ctc_decode", draw(2, 6, 4), np.array([6, 4], "int32"), strategy=_strategy,
         beam_width=8)  # fmt: skip
call("ops: ctc_decode", draw(2, 6, 4), np.array([6, 4], "int32"), merge_repeated=False)
spec("ops: ctc_decode", draw(2, 6, 4), np.array([6, 4], "int32"), strategy="other")
mark("ops: ctc_decode", batch=False, trace=True, symbolic=False, gradient="", tolerance=1e-3)
mark(
    "ops: conv depthwise_conv separable_conv conv_transpose batch_normalization "
    "layer_normalization rms_normalization",
    batches=1,
)
