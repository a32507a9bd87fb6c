"""Each image of a batch mixed with another of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import ops, random
from ....serialization import builtin
from .base import RandomImageLayer
from .factors import between
from .filters import inside_rectangles

__all__ = ["CutMix", "MixUp"]


class _Mixing(RandomImageLayer):
    """Draws an order: image i is mixed with image order[i], and so are their labels."""

    def _order(self, batch: int, seed: Any) -> Any:
        return random.shuffle(np.arange(batch, dtype="int32"), seed=seed)

    def _partners(self, values: Any, transformation: Any) -> Any:
        return ops.take(values, transformation["permutation_order"], axis=0)

    def _blend(self, values: Any, transformation: Any) -> Any:
        shape = (-1,) + (1,) * (len(values.shape) - 1)
        share = ops.reshape(transformation["mix_weight"], shape)
        values = ops.cast(values, share.dtype)
        return share * values + (1.0 - share) * self._partners(values, transformation)

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The labels of a batch, mixed as images are: one-hot ones, or numbers."""
        return self._blend(labels, transformation) if training and transformation else labels


@builtin("keras.layers")
class MixUp(_Mixing):
    """`w x + (1 - w) y` of images and labels, w from the beta distribution of alpha and alpha.

    Args:
        alpha: Of the distribution; the larger, the more even the mixture.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412.
    """

    def __init__(
        self, alpha: float = 0.2, data_format: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = alpha

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        order = self._order(batch, seed)
        share = random.beta((batch,), self.alpha, self.alpha, seed=seed)
        return {"mix_weight": share, "permutation_order": order}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        return ops.cast(self._blend(images, transformation), images.dtype)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, mixed as images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._blend(segmentation_masks, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The boxes of both images, one after the other."""
        if not training or transformation is None:
            return bounding_boxes
        return {
            key: ops.concatenate([value, self._partners(value, transformation)], axis=1)
            for key, value in bounding_boxes.items()
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


@builtin("keras.layers")
class CutMix(_Mixing):
    """Replaces a rectangle of each image by that of another; labels are mixed by area.

    Args:
        factor: Bounds of the alpha of the beta distribution of the part that stays, or its upper
            bound; from 0 to 1.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers",
    arXiv:1905.04899.
    """

    def __init__(
        self, factor: Any = 1.0, seed: Any = None, data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor, (0, 1))

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        if len(shape) == 3:
            return None
        low, high = self.factor
        dtype = self.compute_dtype
        alpha = random.uniform((), low, high, dtype, seed=seed) + 1e-6
        stays = random.beta((batch,), alpha, alpha, dtype, seed=seed)
        share = ops.sqrt(1.0 - stays)
        flags, area = inside_rectangles(self._height_width(shape), (share, share), seed)
        weight = ops.reshape(1.0 - area, (-1, 1, 1, 1))
        return {
            "permutation_order": self._order(batch, seed), "mix_weight": weight,
            "batch_masks": ops.expand_dims(flags, 1 if self._channels_first else -1),
        }  # fmt: skip

    def _change_images(self, images: Any, transformation: Any) -> Any:
        flags = transformation["batch_masks"]
        axis = 1 if self._channels_first else -1
        if flags.shape[axis] not in (1, images.shape[axis]):  # those of images, with masks
            flags = flags[:, :1] if self._channels_first else flags[..., :1]
        return ops.where(flags, self._partners(images, transformation), images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, cut and put together as images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        raise NotImplementedError(
            "CutMix does not move bounding boxes: leave 'bounding_boxes' out, or use MixUp."
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}
