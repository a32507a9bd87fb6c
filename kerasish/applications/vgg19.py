"""VGG19: sixteen convolutions of 3 x 3 and three dense layers; the blocks are VGG16's.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (2014), table 1, column E.
"""

from __future__ import annotations

from . import frame
from .imagenet_utils import helpers
from .vgg16 import build

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = frame.standard(build, "VGG19", "vgg19", variant="vgg19", depths=(2, 2, 4, 4, 4))

preprocess_input, decode_predictions = helpers("caffe")
