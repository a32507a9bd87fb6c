"""Names of metrics in logs, which changed: accuracy was "acc", "mae" its function's whole name."""

from __future__ import annotations

from typing import Any

from ..warning import warn_once

__all__ = ["Logs", "as_logged", "known", "read"]

# Spellings of one metric.
_SAME = (
    ("accuracy", "acc"),
    ("mae", "mean_absolute_error"),
    ("mse", "mean_squared_error"),
    ("mape", "mean_absolute_percentage_error"),
    ("msle", "mean_squared_logarithmic_error"),
    ("lr", "learning_rate"),
)
_OTHER = {a: b for pair in _SAME for a, b in (pair, pair[::-1])}


class _Read:
    texts: frozenset[str] = frozenset()


_READ = _Read()


def read(texts: frozenset[str]) -> None:
    """Note the strings in the program: the names by which it may read logs."""
    _READ.texts = texts


def known() -> frozenset[str]:
    """The strings noted."""
    return _READ.texts


def as_logged(metrics: Any) -> Any:
    """What `compile` is given as metrics, by the names under which the program reads them."""
    if isinstance(metrics, dict):
        return {key: as_logged(value) for key, value in metrics.items()}
    if isinstance(metrics, list | tuple):
        return [as_logged(each) for each in metrics]
    other = _OTHER.get(metrics) if isinstance(metrics, str) else None
    if other is None or f"val_{metrics}" in _READ.texts or not _is_read(other):
        return metrics
    warn_once(f"{other!r} in logs", f"{metrics!r}, or metrics=[{other!r}]")
    return other


def _is_read(name: str) -> bool:
    """Whether the program names a figure, or has it in a pattern of file names."""
    whole = (name, f"val_{name}") if name == "acc" else (f"val_{name}",)
    return not _READ.texts.isdisjoint(whole) or any(
        f"{{{name}" in text or f"{{val_{name}" in text for text in _READ.texts
    )


class Logs(dict):
    """A history that also answers to the other spelling of a metric."""

    def __missing__(self, name: Any) -> Any:
        prefix = "val_" if str(name).startswith("val_") else ""
        other = _OTHER.get(str(name)[len(prefix) :])
        if other is None or prefix + other not in self:
            raise KeyError(name)
        warn_once(f"history[{name!r}]", f"history[{prefix + other!r}]")
        return self[prefix + other]
