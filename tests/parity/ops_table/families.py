"""All families of calls: importing this fills the table."""

from . import (
    arrangement,
    choosing,
    control,
    elementwise,
    images,
    networks,
    products,
    reductions,
    rooms,
)
from .entries import TABLE

__all__ = [
    "TABLE",
    "arrangement",
    "choosing",
    "control",
    "elementwise",
    "images",
    "networks",
    "products",
    "reductions",
    "rooms",
]
