"""Cases of convolution, pooling, padding and up-sampling."""

from __future__ import annotations

from .basic import REGULAR
from .entries import FIRST, IMAGE, SERIES, VOLUME, layer, numbers

ON = {1: SERIES, 2: IMAGE, 3: VOLUME}
# Channels first: eight of the sizes along an axis divide into groups.
TALL = {1: numbers(2, 4, 7), 2: numbers(2, 4, 6, 7), 3: numbers(2, 2, 4, 3, 5)}

for rank, x in ON.items():
    layer(f"Conv{rank}D", 3, 2, on=x)
    layer(f"Conv{rank}D", 4, 3, strides=2, padding="same", groups=2, on=x, **REGULAR)
    layer(f"Conv{rank}D", 3, 2, dilation_rate=2, use_bias=False, activation="relu", on=x)
    layer(f"Conv{rank}D", 3, 2, on=TALL[rank], **FIRST)
    layer(f"Conv{rank}DTranspose", 3, 2, on=x)
    layer(f"Conv{rank}DTranspose", 3, 3, strides=2, padding="same", on=x, **REGULAR)
    layer(f"Conv{rank}DTranspose", 2, 3, strides=2, output_padding=1, activation="tanh", on=x)
    layer(f"Conv{rank}DTranspose", 3, 2, use_bias=False, on=TALL[rank], **FIRST)
    layer(f"Conv{rank}DTranspose", 3, 2, dilation_rate=2, on=x)
layer("Conv1D", 3, 3, padding="causal", dilation_rate=2)
layer("Conv1D", 3, 3, padding="causal", strides=2)
layer("Conv1D", 3, 2, lora_rank=2)
layer("Conv2D", 4, (3, 2), strides=(1, 2), on=IMAGE)
layer("Conv2D", 3, 2, dilation_rate=(1, 2), on=TALL[2], **FIRST)
layer("Conv2D", 3, 2, lora_rank=1, lora_alpha=2, on=IMAGE)
layer("Conv3D", 3, (1, 2, 3), on=VOLUME)

DEPTHWISE = {
    "depthwise_regularizer": "l2", "bias_regularizer": "l1", "depthwise_constraint": "max_norm",
    "depthwise_initializer": "he_normal",
}  # fmt: skip
for rank in (1, 2):
    x = ON[rank]
    layer(f"DepthwiseConv{rank}D", 2, on=x)
    layer(f"DepthwiseConv{rank}D", 2, strides=2, depth_multiplier=2, padding="same", on=x)
    layer(f"DepthwiseConv{rank}D", 2, dilation_rate=2, use_bias=False, on=x)
    layer(f"DepthwiseConv{rank}D", 3, on=TALL[rank], activation="relu", **FIRST, **DEPTHWISE)
    layer(f"SeparableConv{rank}D", 3, 2, on=x)
    layer(f"SeparableConv{rank}D", 3, 2, strides=2, depth_multiplier=2, padding="same", on=x)
    layer(f"SeparableConv{rank}D", 3, 2, dilation_rate=2, use_bias=False, on=x)
    layer(
        f"SeparableConv{rank}D", 3, 2, on=TALL[rank], activation="tanh",
        pointwise_regularizer="l1", **FIRST, **DEPTHWISE,
    )  # fmt: skip

# -- pooling

for rank, x in ON.items():
    for kind in ("Average", "Max"):
        pooling = f"{kind}Pooling{rank}D"
        layer(pooling, 2, on=x)
        layer(pooling, on=x, pool_size=3, strides=2, padding="same")
        layer(pooling, 2, strides=1, on=TALL[rank], **FIRST)
        layer(f"Global{pooling}", on=x)
        layer(f"Global{pooling}", keepdims=True, on=TALL[rank], **FIRST)
        layer(f"Adaptive{pooling}", 2, on=x)
        layer(f"Adaptive{pooling}", (3, 2, 1)[:rank], on=x)
        layer(f"Adaptive{pooling}", 3, on=TALL[rank], **FIRST)
layer("AveragePooling2D", (2, 3), strides=(1, 2), on=IMAGE)
layer("MaxPooling2D", (2, 3), strides=(1, 2), on=IMAGE)

# -- sizes

layer("UpSampling1D")
layer("UpSampling1D", 3)
layer("UpSampling2D", on=IMAGE)
layer("UpSampling2D", (2, 3), interpolation="bilinear", on=IMAGE)
layer("UpSampling2D", 2, interpolation="bicubic", on=TALL[2], **FIRST)
layer("UpSampling2D", (1, 2), on=IMAGE, **FIRST)
layer("UpSampling3D", on=VOLUME)
layer("UpSampling3D", (1, 2, 3), on=TALL[3], **FIRST)
UNEQUAL = ((1, 0), (2, 3), (0, 1))
layer("ZeroPadding1D")
layer("ZeroPadding1D", (2, 1), **FIRST)
layer("Cropping1D")
layer("Cropping1D", (2, 1))
for name in ("ZeroPadding", "Cropping"):
    how = {"differs": {"masks": "Keras gives back the very input, with its mask"}}
    layer(f"{name}2D", on=IMAGE, how=how if name == "Cropping" else None)
    layer(f"{name}2D", 1, on=IMAGE)
    layer(f"{name}2D", UNEQUAL[:2], on=TALL[2], **FIRST)
    layer(f"{name}3D", (1, 2, 1), on=numbers(2, 5, 6, 4, 2))
    layer(f"{name}3D", on=numbers(2, 5, 6, 4, 2))
    layer(f"{name}3D", ((1, 0), (0, 2), (1, 1)), on=TALL[3], **FIRST)
