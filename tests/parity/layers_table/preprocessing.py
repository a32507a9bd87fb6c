"""Cases of preprocessing layers, images too, and of the layer that all others are."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .entries import FIRST, ROWS, built, ids, layer, numbers

HOST = {"masks": False, "gradients": False}
TOKENS = ids(3, 4, limit=6)
layer("CategoryEncoding", 6, on=TOKENS, how=HOST)
layer("CategoryEncoding", 6, output_mode="count", on=TOKENS, how=HOST)
layer("CategoryEncoding", 6, output_mode="one_hot", on=TOKENS, how=HOST)
layer("CategoryEncoding", 6, output_mode="count", on=TOKENS,
      call={"count_weights": numbers(3, 4)}, how=HOST)  # fmt: skip
BINS = [-1.0, 0.0, 0.5]
layer("Discretization", BINS, how=HOST)
layer("Discretization", BINS, output_mode="one_hot", on=ROWS[:, :1], how=HOST)
layer("Discretization", BINS, output_mode="multi_hot", on=ROWS, how=HOST)
layer("Discretization", BINS, output_mode="count", on=ROWS, how=HOST)
layer("Normalization", mean=1.5, variance=4.0)
layer("Normalization", mean=list(np.arange(6.0)), variance=list(np.arange(6.0) + 1))
layer(
    "Normalization", axis=1, mean=list(np.arange(5.0)), variance=list(np.arange(5.0)), invert=True
)
layer("Normalization", axis=None, mean=1.5, variance=4.0, invert=True)

SOUND = numbers(2, 200)
SMALL = {"fft_length": 64, "sequence_stride": 20, "sampling_rate": 800, "num_mel_bins": 8}
# Logarithms of powers near zero.
SOUNDS = {"tolerance": 3e-4}
layer("MelSpectrogram", on=SOUND, how=SOUNDS, **SMALL)
layer("MelSpectrogram", on=SOUND, power_to_db=False, window="hamming", how=SOUNDS, **SMALL)
BRAIN = "Keras names a result that it then refuses to compute"
WAVES = {
    "tolerance": 1e-4, "half": None, "masks": False,
    "differs": {f"policies: {half}": BRAIN for half in ("mixed bfloat16", "bfloat16")},
}  # fmt: skip
layer("STFTSpectrogram", mode="psd", frame_length=16, on=numbers(2, 60, 2), how=WAVES)
layer("STFTSpectrogram", mode="real", frame_length=16, frame_step=5, on=numbers(2, 60, 1),
      expand_dims=True, how=WAVES)  # fmt: skip
layer("STFTSpectrogram", mode="imag", frame_length=16, on=numbers(2, 2, 60), padding="same",
      how=WAVES, **FIRST)  # fmt: skip

built("Pipeline", "two", lambda k, **m: k.layers.Pipeline(
    [k.layers.Rescaling(2.0), k.layers.Rescaling(0.5, 1.0)], name="p", **m))  # fmt: skip
built("Pipeline", "bins", lambda k, **m: k.layers.Pipeline(
    [k.layers.Rescaling(2.0), k.layers.Discretization([0.0, 2.0])], **m), how=HOST)  # fmt: skip


@functools.cache
def scaled(k: Any) -> Any:
    @k.saving.register_keras_serializable("tables")
    class Scaled(k.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight((input_shape[-1],), "ones", regularizer="l2", name="scale")
            self.seen = self.add_weight((), "zeros", trainable=False, name="seen")

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.seen.assign_add(1.0)
            return inputs * self.scale

    return Scaled


built("Layer", "own", lambda k, **m: scaled(k)(**m))
built("Layer", "penalty", lambda k, **m: scaled(k)(activity_regularizer="l1", **m), on=ROWS)

# -- images

PHOTOS = (np.abs(numbers(2, 8, 6, 3)) * 90 % 255).astype("float32")
TURNED = np.ascontiguousarray(np.moveaxis(PHOTOS, -1, 1))
PIXELS = {"masks": False, "tolerance": 2e-3}
DRAWN = {**PIXELS, "random": True}
layer("Resizing", 5, 10, on=PHOTOS, how=PIXELS)
layer("Resizing", 5, 4, interpolation="nearest", crop_to_aspect_ratio=True, on=PHOTOS, how=PIXELS)
layer("Resizing", 12, 12, pad_to_aspect_ratio=True, on=TURNED, how=PIXELS, **FIRST)
layer("CenterCrop", 4, 4, on=PHOTOS, how=PIXELS)
layer("CenterCrop", 12, 5, on=PHOTOS, how=PIXELS)
layer("CenterCrop", 4, 4, on=TURNED, how=PIXELS, **FIRST)
layer("AutoContrast", on=PHOTOS, how=PIXELS)
layer("AutoContrast", value_range=(0, 300), on=PHOTOS, how=PIXELS)
layer("Equalization", on=PHOTOS * 0.9, how=PIXELS)  # no halves, which either side would do for
layer("Equalization", bins=40, value_range=(-3, 260), on=PHOTOS, how=PIXELS)
layer("ContrastLimitedAdaptiveHistogramEqualization", tile_grid_size=(2, 3), on=PHOTOS, how=PIXELS)
layer("ContrastLimitedAdaptiveHistogramEqualization", clip_limit=0, tile_grid_size=(2, 2),
      on=TURNED, how=PIXELS, **FIRST)  # fmt: skip
SEED = "Keras forgets the seed"
FIRST_DIFFER = {"RandomColorJitter": {"draws": "Keras takes the last axis for the channels"}}
OWN = "Keras can't read its own"
DIFFER = {
    "RandomCrop": {"half": "Keras casts only what it cuts"},
    "RandomGrayscale": {"descriptions": SEED, "policies": SEED},
    "RandomShear": {"descriptions: from our config": OWN, "descriptions: read by Keras": OWN},
}
for name, kwargs in (
    ("RandomCrop", {"height": 4, "width": 5}),
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomRotation", {"factor": 0.3}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.4}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
    ("RandomPerspective", {"scale": 0.5}),
    ("RandomElasticTransform", {"scale": 0.5}),
    ("RandomBrightness", {"factor": 0.4}),
    ("RandomContrast", {"factor": (0.2, 0.9)}),
    ("RandomColorDegeneration", {"factor": 0.7}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "saturation_factor": 0.4}),
    ("RandomGrayscale", {"factor": 0.6}),
    ("RandomHue", {"factor": 0.8}),
    ("RandomInvert", {"factor": 0.9}),
    ("RandomPosterization", {"factor": 5}),
    ("RandomSaturation", {"factor": 0.9}),
    ("RandomSharpness", {"factor": 0.9}),
    ("RandomGaussianBlur", {"kernel_size": 3, "sigma": (0.7, 0.7)}),
    ("RandomErasing", {"scale": (0.2, 0.6)}),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": (0.2, 0.8)}),
    ("CutMix", {}),
    ("MixUp", {}),
    ("RandAugment", {"num_ops": 2}),
    ("RandAugment", {"num_ops": 1, "factor": 0.3}),
    ("AugMix", {"num_chains": 2, "chain_depth": 1}),
    ("AugMix", {"num_chains": 1, "chain_depth": 1, "all_ops": False}),
):
    how = {**DRAWN, "differs": DIFFER.get(name, {}), "fixed": name == "AugMix"}
    layer(name, seed=5, on=PHOTOS, how=how, **kwargs)
    if name not in ("RandAugment", "AugMix"):  # along the wrong axes there
        how["most_unknown"] = 1  # but not the number of channels
        how["differs"] = how["differs"] | FIRST_DIFFER.get(name, {})
        layer(name, seed=5, on=TURNED, how=how, **FIRST, **kwargs)
