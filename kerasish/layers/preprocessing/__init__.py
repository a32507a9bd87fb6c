"""Layers that turn raw data into numbers that a model can take."""

from . import image
from .category_encoding import CategoryEncoding
from .discretization import Discretization
from .features import Feature as _Feature  # configs name it
from .hashed_crossing import HashedCrossing
from .hashing import Hashing
from .image import *
from .integer_lookup import IntegerLookup
from .mel_spectrogram import MelSpectrogram
from .normalization import Normalization
from .pipeline import Pipeline
from .rescaling import Rescaling
from .stft_spectrogram import STFTSpectrogram
from .string_lookup import StringLookup
from .text_vectorization import TextVectorization

__all__ = [
    *image.__all__, "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing",
    "IntegerLookup", "MelSpectrogram", "Normalization", "Pipeline", "Rescaling", "STFTSpectrogram",
    "StringLookup", "TextVectorization",
]  # fmt: skip
