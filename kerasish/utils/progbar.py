"""A progress bar in Keras's style."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import Any

import numpy as np

from ..messages import write

__all__ = ["Progbar"]

# Bold, green, grey, and back to normal.
_BOLD, _DONE, _LEFT, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Shows how far a loop is, with figures.

    Args:
        target: Number of steps; None if unknown.
        width: Of the bar, in characters.
        verbose: 0 nothing, 1 a bar, 2 one line at the end.
        interval: Seconds that pass at least between two states of the bar.
        stateful_metrics: Names of figures that are shown as they are; all others are averaged over
            the steps.
        stateless_metrics: The other way round: names of figures that are averaged, all others
            being shown as they are.
        unit_name: What a step is called.

    Raises:
        ValueError: Both lists of names are given.

    Source: https://keras.io/api/utils/python_utils/
    """

    def __init__(
        self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
        stateful_metrics: Any = None, stateless_metrics: Any = None, unit_name: str = "step",
    ) -> None:  # fmt: skip
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided: the first "
                "lists what is not averaged, the second what is."
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.stateful_metrics = set(stateful_metrics or ()) if stateless_metrics is None else None
        self._moves = _can_move()
        self._seen = 0
        self._start, self._shown = time.time(), 0.0
        self._after_first: float | None = None
        # Sum and count of each figure, in the order in which they came.
        self._sums: dict[str, tuple[Any, int]] = {}
        self._width_before = 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show that `current` steps are done.

        Args:
            current: Number of steps done.
            values: Pairs of a figure's name and its value in the last step.
            finalize: Whether this is the end; by default when `target` is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._note(name, value, current, finalize)
        self._seen = current
        now = time.time()
        per_step = self._seconds_per_step(current, now)
        if self.verbose == 1:
            if now - self._shown < self.interval and not finalize:
                return
            self._show_bar(current, now, per_step, finalize)
        elif self.verbose == 2 and finalize and self.target:
            digits = len(str(self.target))
            head = f"{current:{digits}d}/{self.target} - {now - self._start:.0f}s"
            write(f"{head} -{self._speed(per_step)}{self._figures(signed=False)}\n")
        self._shown = now

    def add(self, n: int, values: Any = None) -> None:
        """Show that `n` more steps are done; arguments as of `update`."""
        self.update(self._seen + n, values)

    def _note(self, name: str, value: Any, current: int, finalize: bool) -> None:
        if self.stateful_metrics is not None:
            averaged = name not in self.stateful_metrics
        else:
            averaged = name in (self.stateless_metrics or ())
        if not averaged or finalize:
            self._sums[name] = value, 1  # the last values given are those of the whole
            return
        steps = max(current - self._seen, 1)
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = total + value * steps, count + steps

    def _show_bar(self, current: int, now: float, per_step: float, finalize: bool) -> None:
        start = "\b" * self._width_before + "\r" if self._moves else "\n"
        if self.target:
            digits = int(math.log10(self.target)) + 1
            count = f"{current:{digits}d}/{self.target}"
            done = int(self.width * (float(current) / self.target))
            drawn = f"{_DONE}{'━' * done}{_PLAIN}" if done > 0 else ""
            left = f"{_LEFT}{'━' * (self.width - done)}{_PLAIN}"
            bar = f"{_BOLD}{count}{_PLAIN} {drawn}{left}"
            plain = f"{count} {'━' * max(done, 0)}{'━' * (self.width - done)}"
        else:
            bar = plain = f"{current:7d}/Unknown"
        seconds = (
            _duration(per_step * (self.target - current))
            if self.target and not finalize
            else f"{now - self._start:.0f}s"
        )
        rest = f"{self._speed(per_step)}{self._figures(signed=True)}"
        width = len(plain) + len(f" {seconds}") + len(rest)
        text = f"{start}{bar} {_BOLD}{seconds}{_PLAIN}{rest}"
        text += " " * max(self._width_before - width, 0)
        write(text + ("\n" if finalize else ""))
        self._width_before = width

    def _figures(self, signed: bool) -> str:
        text = ""
        for name, (total, count) in self._sums.items():
            total = total if isinstance(total, float) else np.mean(total)
            mean = total / max(1, count)
            large = (abs(mean) if signed else mean) > 1e-3
            text += f" - {name}: {mean:.4f}" if large else f" - {name}: {mean:.4e}"
        return text

    def _speed(self, per_step: float) -> str:
        if per_step >= 1 or per_step == 0:
            return f" {per_step:.0f}s/{self.unit_name}"
        if per_step >= 1e-3:
            return f" {per_step * 1e3:.0f}ms/{self.unit_name}"
        return f" {per_step * 1e6:.0f}us/{self.unit_name}"

    def _seconds_per_step(self, current: int, now: float) -> float:
        """Without the first step, which is slower than the others, once there are more."""
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:
            found = (now - self._after_first) / (current - 1)
        else:
            found = (now - self._start) / current
        if current == 1:
            self._after_first = now
        return found


def _can_move() -> bool:
    """Whether a line can be written over: on a terminal, in a notebook or an editor's console."""
    terminal = getattr(sys.stdout, "isatty", None)
    return (
        (terminal is not None and terminal())
        or "ipykernel" in sys.modules
        or "posix" in sys.modules
        or "PYCHARM_HOSTED" in os.environ
    )


def _duration(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"
