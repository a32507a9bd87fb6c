"""Layers that prepare or augment images, with their labels, boxes and masks."""

from .affine import RandomRotation, RandomShear, RandomTranslation, RandomZoom
from .color import *
from .distortion import RandomElasticTransform, RandomPerspective
from .filters import RandomErasing, RandomGaussianBlur, RandomSharpness
from .max_num import MaxNumBoundingBoxes
from .mixing import CutMix, MixUp
from .policies import AugMix, RandAugment
from .sizes import *
from .tone import *

__all__ = [
    "AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp", "RandAugment",
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom", "Resizing", "Solarization",
]  # fmt: skip
