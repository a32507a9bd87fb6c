"""`image_dim_ordering` of Keras 1: "th" for channels first, "tf" for channels last."""

from __future__ import annotations

from typing import Any

from ..backend import spatial_2d_padding, temporal_padding
from ..settings import image_data_format, set_image_data_format

__all__ = [
    "asymmetric_spatial_2d_padding",
    "asymmetric_temporal_padding",
    "legacy_weight_ordering",
    "set_legacy_weight_ordering",
    "image_dim_ordering",
    "set_image_dim_ordering",
]


def legacy_weight_ordering() -> bool:
    """Whether weights are in the order of Keras before 1.0: never."""
    return False


def set_legacy_weight_ordering(value: bool) -> None:
    """Accepted if False.

    Raises:
        ValueError: It is True.
    """
    if value:
        raise ValueError("Weights in the order of Keras before 1.0 can't be read.")


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """Zeros before and after sequences."""
    return temporal_padding(x, (left_pad, right_pad))


def image_dim_ordering() -> str:
    """The configured one."""
    return "th" if image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set it.

    Raises:
        ValueError: It is neither "th" nor "tf".
    """
    if dim_ordering not in ("th", "tf"):
        raise ValueError(f'Unknown dim_ordering: {dim_ordering!r}; expected "th" or "tf".')
    set_image_data_format("channels_first" if dim_ordering == "th" else "channels_last")


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1,
    dim_ordering: str = "default",
) -> Any:  # fmt: skip
    """Zeros around images, as many as each side is given."""
    ordering = image_dim_ordering() if dim_ordering == "default" else dim_ordering
    data_format = "channels_first" if ordering == "th" else "channels_last"
    return spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), data_format)
