"""Names that a module had: room, then name, then what it is.

A row is a target (`"layers:LSTM"`: that is also today's spelling), or a target and today's
spelling, None where there is none. Targets lie below `kerasish`; `"compat.x:Y"` is written anew.
"""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES: dict[str, dict[str, str | tuple[str, str | None]]] = {
    "layers": {"AtrousConvolution1D": "layers:Conv1D", "AtrousConvolution2D": "layers:Conv2D"},
}
