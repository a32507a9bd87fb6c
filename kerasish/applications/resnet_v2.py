"""ResNet-50, -101 and -152 with normalisation before the convolutions; the blocks are in `resnet`.

Source: He et al., "Identity Mappings in Deep Residual Networks" (2016).
"""

from __future__ import annotations

from .imagenet_utils import helpers
from .resnet import DEPTHS, variant

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

ResNet50V2, ResNet101V2, ResNet152V2 = (variant(depth, 2) for depth in DEPTHS)

preprocess_input, decode_predictions = helpers("tf")
