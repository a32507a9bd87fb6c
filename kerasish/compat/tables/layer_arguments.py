"""Arguments that layers took in earlier releases."""

from __future__ import annotations

from ..row import Row

__all__ = ["ROWS"]

ROWS: dict[str, Row] = {}
