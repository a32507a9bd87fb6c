"""Quantizing a whole model."""

from __future__ import annotations

import re
import warnings
from typing import Any

from ..layers.quantization.calibrated import CALIBRATED
from ..quantizers.config import resolve
from .calibrating import calibrate, check_data

__all__ = ["quantize_model"]


def quantize_model(
    model: Any, mode: str | None, config: Any, filters: Any, type_check: bool = True
) -> None:
    """Quantize every layer of a model that has a quantized form and passes the filters.

    Args:
        model: Built.
        mode, config: As for `Layer.quantize`.
        filters: A pattern, several of them (for names of layers), or a function of a layer.
        type_check: Whether subclasses of layers are left out.

    Raises:
        ValueError: The model is not built, or an argument is wrong.
    """
    config = resolve(mode, config)
    mode = config.mode
    if not model.built:
        raise ValueError(
            f"Cannot quantize a model that isn't yet built. Model '{model.name}' is not built "
            "yet: call it on data or give it an input shape."
        )
    chosen = _filter(filters)
    structure = check_data(model, config) if mode in CALIBRATED else None
    for layer in model._flatten_layers():
        if len(layer._flatten_layers()) > 1 or not chosen(layer):
            continue
        try:
            layer.quantize(mode, type_check=type_check, config=config)
        except NotImplementedError as error:
            warnings.warn(str(error), stacklevel=3)
    if structure is not None:
        calibrate(config, structure, chosen)
    model._keep(_steps={})


def _filter(filters: Any) -> Any:
    """The function of a layer that filters mean."""
    if filters is None:
        return lambda layer: True
    if isinstance(filters, str):
        filters = [filters]
    if isinstance(filters, list | tuple):
        patterns = [re.compile(f) for f in filters]
        return lambda layer: any(p.search(layer.name) for p in patterns)
    if callable(filters):
        return filters
    raise ValueError(
        "The `filters` argument must be a regex string, a list of regex strings, or a callable. "
        f"Received: {type(filters)}"
    )
