"""Masks: they ride on tensors, layers receive and pass them on."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..ops.symbolic import KerasTensor

__all__ = ["any_mask", "attach_masks", "masks_of"]

_TENSORS = (core.Tensor, KerasTensor)


def masks_of(x: Any) -> Any:
    """The mask of a tensor, or the structure of masks of a structure of tensors."""
    if isinstance(x, _TENSORS):
        return x.mask
    if isinstance(x, list | tuple | dict):
        return core.tree.map_structure(lambda leaf: getattr(leaf, "mask", None), x)
    return None


def any_mask(masks: Any) -> bool:
    """Whether a structure of masks holds one."""
    if masks is None or isinstance(masks, _TENSORS):
        return masks is not None
    return any(m is not None for m in core.tree.flatten(masks))


def attach_masks(outputs: Any, masks: Any) -> None:
    """Set the masks of outputs that have none yet."""
    if isinstance(outputs, _TENSORS):
        mask = core.tree.flatten(masks)[0] if isinstance(masks, list | tuple | dict) else masks
        if outputs.mask is None:
            outputs.mask = mask
        return
    for y, mask in zip(core.tree.flatten(outputs), core.tree.flatten(masks), strict=False):
        if isinstance(y, _TENSORS) and mask is not None and y.mask is None:
            y.mask = mask
