"""Functions on models that earlier releases had."""

from __future__ import annotations

import json
from typing import Any

from .. import models

__all__ = ["model_from_config"]


def model_from_config(config: Any, custom_objects: Any = None) -> Any:
    """The model of `{"class_name": ..., "config": ...}`, with fresh weights."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    return models.model_from_json(json.dumps(config), custom_objects)
