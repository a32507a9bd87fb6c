"""Augmentations put together at random."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .... import ops, random
from ....serialization import builtin
from .affine import RandomRotation, RandomShear, RandomTranslation
from .base import RandomImageLayer
from .color import RandomBrightness, RandomColorDegeneration, RandomContrast
from .factors import between, value_range_of
from .filters import RandomSharpness
from .tone import AutoContrast, Equalization, RandomPosterization, Solarization

__all__ = ["AugMix", "RandAugment"]


class _Policy(RandomImageLayer):
    """Holds augmentations of one strength, of which it picks some by a random number."""

    _NAMES: tuple[str, ...]

    def __init__(
        self, value_range: Any, factor: Any, interpolation: str, seed: Any, data_format: Any,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.factor = between(factor, (0, 1))
        self.interpolation = interpolation

    def _make(self, kwargs: Any) -> None:
        """The layers of `_NAMES` as attributes."""
        kwargs = {k: v for k, v in kwargs.items() if k != "name"}
        plain = {**kwargs, "data_format": self.data_format}
        drawn = {**plain, "seed": self.seed}
        colored = {**drawn, "value_range": self.value_range}
        warped = {**drawn, "interpolation": self.interpolation}
        f = self.factor
        bits = max(1, int(8 * f[1]))
        makers: dict[str, Any] = {
            "random_shear": lambda: RandomShear(f, f, **warped),
            "random_translation": lambda: RandomTranslation(f, f, **warped),
            "random_rotation": lambda: RandomRotation(f, **warped),
            "random_posterization": lambda: RandomPosterization(bits, **colored),
            "solarization": lambda: Solarization(f, f, **colored),
            "auto_contrast": lambda: AutoContrast(self.value_range, **plain),
            "equalization": lambda: Equalization(self.value_range, **plain),
            "random_brightness": lambda: RandomBrightness(f, **colored),
            "random_color_degeneration": lambda: RandomColorDegeneration(f, **colored),
            "random_contrast": lambda: RandomContrast(f, **colored),
            "random_sharpness": lambda: RandomSharpness(f, **colored),
        }
        for name in self._NAMES:
            setattr(self, name, makers[name]())

    def _pick(self, index: Any, branches: Any, values: Any) -> Any:
        """What the branch of this number makes of the values (a tensor or a structure of them)."""
        if not core.is_tracing():
            return branches[int(index)](values)
        return ops.switch(index, branches, values)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "value_range": self.value_range, "factor": self.factor,
            "interpolation": self.interpolation,
        }  # fmt: skip


@builtin("keras.layers")
class RandAugment(_Policy):
    """Some augmentations out of eleven, one after the other; the same for the whole batch.

    Args:
        value_range: Least and greatest pixel value.
        num_ops: How many.
        factor: Their strength: bounds, or the upper bound; from 0 to 1.
        interpolation: "nearest" or "bilinear".
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: Cubuk et al., "RandAugment", arXiv:1909.13719.
    """

    _NAMES = (
        "random_shear", "random_translation", "random_rotation", "random_brightness",
        "random_color_degeneration", "random_contrast", "random_sharpness", "random_posterization",
        "solarization", "auto_contrast", "equalization",
    )  # fmt: skip

    def __init__(
        self, value_range: Any = (0, 255), num_ops: int = 2, factor: Any = 0.5,
        interpolation: str = "bilinear", seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_ops = num_ops
        self._make(kwargs)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        picked = random.randint((self.num_ops,), 0, len(self._NAMES), seed=seed)
        transforms = {}
        for name in self._NAMES:
            layer = getattr(self, name)
            random_one = isinstance(layer, RandomImageLayer)
            transforms[name] = layer._draw(batch, shape, seed) if random_one else None
        return {"transforms": transforms, "layer_idxes": picked}

    def _apply(self, method: str, values: Any, transformation: Any) -> Any:
        transforms = transformation["transforms"]

        def branch(name: str) -> Any:
            layer = getattr(self, name)

            def run(v: Any) -> Any:
                return getattr(layer, method)(v, transforms[name])

            return run

        branches = [branch(name) for name in self._NAMES]
        for i in range(self.num_ops):
            values = self._pick(transformation["layer_idxes"][i], branches, values)
        return values

    def _change_images(self, images: Any, transformation: Any) -> Any:
        return self._apply("transform_images", images, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The boxes of a batch, moved as the pixels are."""
        if not training or transformation is None:
            return bounding_boxes
        return self._apply("transform_bounding_boxes", bounding_boxes, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, warped as the images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._apply("transform_segmentation_masks", segmentation_masks, transformation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_ops": self.num_ops}


@builtin("keras.layers")
class AugMix(_Policy):
    """Mixes images with versions of them that went through chains of augmentations.

    `w x + (1 - w) sum_i m_i chain_i(x)`, w from the beta distribution of alpha and alpha, m from
    the Dirichlet distribution. Each link of a chain is one augmentation, or none.

    Args:
        value_range: Least and greatest pixel value.
        num_chains: How many chains.
        chain_depth: How many links each has.
        factor: The strength of the augmentations: bounds, or the upper bound; from 0 to 1.
        alpha: Of both distributions.
        all_ops: Whether to use brightness, color, contrast and sharpness too.
        interpolation: "nearest" or "bilinear".
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: Hendrycks et al., "AugMix", arXiv:1912.02781.
    """

    _SOME = (
        "random_shear", "random_translation", "random_rotation", "random_posterization",
        "solarization", "auto_contrast", "equalization",
    )  # fmt: skip
    _ALL = (
        *_SOME, "random_brightness", "random_color_degeneration", "random_contrast",
        "random_sharpness",
    )  # fmt: skip

    def __init__(
        self, value_range: Any = (0, 255), num_chains: int = 3, chain_depth: int = 3,
        factor: Any = 0.3, alpha: float = 1.0, all_ops: bool = True,
        interpolation: str = "bilinear", seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_chains, self.chain_depth = num_chains, chain_depth
        self.alpha, self.all_ops = alpha, all_ops
        self._NAMES = self._ALL if all_ops else self._SOME
        self._make(kwargs)

    def _draw_one(self, name: str, batch: int, shape: Any, seed: Any) -> Any:
        layer = getattr(self, name)
        return layer._draw(batch, shape, seed) if isinstance(layer, RandomImageLayer) else None

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        gamma = random.gamma((self.num_chains,), self.alpha, seed=seed)
        links = (self.num_chains, self.chain_depth)
        picked = random.randint(links, 0, len(self._NAMES) + 1, seed=seed)
        return {
            "chain_mixing_weights": gamma / ops.sum(gamma),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "chain_transforms": self._draw_chains(picked, batch, shape, seed),
        }

    def _draw_chains(self, picked: Any, batch: int, shape: Any, seed: Any) -> Any:
        """The links of each chain, named; where the numbers picked are not known, all the
        augmentations of each link beside its number. The last number is none."""

        def draw() -> dict[str, Any]:
            # Drawn whether used or not, so that eager and compiled running draw the same.
            drawn = {n: self._draw_one(n, batch, shape, seed) for n in self._NAMES}
            return {n: one for n, one in drawn.items() if one is not None}

        if core.is_tracing():
            count = self.num_chains * self.chain_depth
            all_drawn = core.scan(lambda carry, _: (carry, draw()), 0.0, length=count)[1]
            return {"index": ops.reshape(picked, (count,)), "transformations": all_drawn}
        chains: list[list[Any]] = [[] for _ in range(self.num_chains)]
        for chain, row in zip(chains, np.asarray(picked), strict=True):
            for number in row:
                drawn = draw()
                if number < len(self._NAMES):
                    name = self._NAMES[number]
                    chain.append({"layer_name": name, "transformation": drawn.get(name)})
        return chains

    def _link(self, method: str, values: Any, link: Any) -> Any:
        if "layer_name" in link:
            layer = getattr(self, link["layer_name"])
            return getattr(layer, method)(values, link["transformation"])

        def branch(name: str) -> Any:
            layer = getattr(self, name)
            drawn = link["transformations"].get(name)
            return lambda v: getattr(layer, method)(v, drawn)

        branches = [*(branch(name) for name in self._NAMES), lambda v: v]
        return self._pick(link["index"], branches, values)

    def _mix(self, method: str, values: Any, transformation: Any) -> Any:
        dtype = self.compute_dtype
        shares = ops.cast(transformation["chain_mixing_weights"], dtype)
        own = ops.cast(transformation["weight_sample"], dtype)
        chains = transformation["chain_transforms"]
        if isinstance(chains, dict):
            total = self._loop(method, values, chains, shares)
        else:
            total = ops.zeros_like(values, dtype=dtype)
            for i, chain in enumerate(chains):
                changed = values
                for link in chain:
                    changed = self._link(method, changed, link)
                total = total + ops.cast(changed, dtype) * shares[i]
        return own * ops.cast(values, dtype) + (1 - own) * total

    def _loop(self, method: str, values: Any, chains: Any, shares: Any) -> Any:
        """The sum of the chains as one loop over all links: each augmentation is traced once."""
        places = np.arange(self.num_chains * self.chain_depth) % self.chain_depth
        steps = {
            "first": ops.convert_to_tensor(places == 0),
            "share": ops.repeat(shares, self.chain_depth)
            * ops.cast(places == self.chain_depth - 1, shares.dtype),
            **chains,
        }

        def step(carry: Any, link: Any) -> Any:
            changed, total = carry
            changed = self._link(method, ops.where(link["first"], values, changed), link)
            return (changed, total + ops.cast(changed, shares.dtype) * link["share"]), None

        start = (values, ops.zeros_like(values, dtype=shares.dtype))
        return core.scan(step, start, steps)[0][1]

    def _change_images(self, images: Any, transformation: Any) -> Any:
        images = self._mix("transform_images", images, transformation)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, mixed as images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._mix("transform_segmentation_masks", segmentation_masks, transformation)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "num_chains": self.num_chains,
            "chain_depth": self.chain_depth, "alpha": self.alpha, "all_ops": self.all_ops,
        }  # fmt: skip
