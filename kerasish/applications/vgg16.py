"""VGG16: thirteen convolutions of 3 x 3 and three dense layers.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (2014), table 1, columns D and E.
"""

from __future__ import annotations

from .. import layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["VGG16", "build", "decode_predictions", "preprocess_input"]

_FILTERS = (64, 128, 256, 512, 512)
_HASHES = {
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
}


def build(request: frame.Request, variant: str, depths: tuple[int, ...]) -> Functional:
    """A network with so many convolutions in each of its five blocks."""
    x = start = frame.standard_image(request, 224, 32)
    for block, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}"
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if request.include_top:
        x = frame.apply(
            x,
            layers.Flatten(name="flatten"),
            layers.Dense(4096, activation="relu", name="fc1"),
            layers.Dense(4096, activation="relu", name="fc2"),
            layers.Dense(
                request.classes, activation=request.classifier_activation, name="predictions"
            ),
        )
    else:
        x = frame.pooled(request, x, named=False)
    return frame.finish(request, start, x, frame.kernels(variant, variant, _HASHES[variant]))


VGG16 = frame.standard(build, "VGG16", "vgg16", variant="vgg16", depths=(2, 2, 3, 3, 3))

preprocess_input, decode_predictions = helpers("caffe")
