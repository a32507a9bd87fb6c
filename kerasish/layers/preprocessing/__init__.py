"""Layers that turn raw data into numbers that a model can take."""

from .category_encoding import CategoryEncoding
from .discretization import Discretization
from .mel_spectrogram import MelSpectrogram
from .normalization import Normalization
from .pipeline import Pipeline
from .rescaling import Rescaling
from .stft_spectrogram import STFTSpectrogram

__all__ = [
    "CategoryEncoding", "Discretization", "MelSpectrogram", "Normalization", "Pipeline",
    "Rescaling", "STFTSpectrogram",
]  # fmt: skip
