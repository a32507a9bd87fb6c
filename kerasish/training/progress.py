"""Progress with tqdm: one line for each epoch with Keras's figures."""

from __future__ import annotations

import sys
import time
from typing import Any

from ..messages import write
from ..settings import is_interactive_logging_enabled
from .loop import python_logs

__all__ = ["Progress", "choose_verbose"]


def choose_verbose(verbose: Any) -> int:
    """0, 1 or 2; "auto" is 1.

    Raises:
        ValueError: Something else.
    """
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2, True, False):
        raise ValueError(f"verbose={verbose!r}; expected 0, 1, 2 or 'auto'.")
    return int(verbose)


def format_logs(logs: dict[str, Any]) -> str:
    """`accuracy: 0.9876 - loss: 0.1234`, in Keras's order: sorted, those of validation last."""
    parts = []
    for key in sorted(logs, key=lambda k: (k.startswith("val_"), k)):
        value = logs[key]
        if not isinstance(value, int | float):
            continue
        small = value != 0 and abs(value) < 1e-3
        parts.append(f"{key}: {value:.4e}" if small else f"{key}: {value:.4f}")
    return " - ".join(parts)


class Progress:
    """The line of one epoch (or of an evaluation).

    Args:
        title: "Epoch 1/3" or the like; None for evaluations.
        steps: How many, if known.
        verbose: 1: a bar that moves on a terminal or in a notebook, a plain line elsewhere.
            2: a plain line. Plain lines are those of Keras.
    """

    def __init__(self, title: str | None, steps: int | None, verbose: int) -> None:
        self.title, self.steps, self.verbose = title, steps, verbose
        self._start = time.perf_counter()
        self._done = 0
        self._bar: Any = None
        # A moving bar only where it can move: elsewhere each state would be a line of its own.
        self._moving = (
            verbose == 1 and is_interactive_logging_enabled() and (_in_notebook() or _on_terminal())
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: Any) -> None:
        """A bar that an exception interrupted ends its line."""
        if self._bar is not None:
            self._bar.close()

    def update(self, step: int, logs: dict[str, Any]) -> None:
        """`step` steps are done; the values of `logs` are read only if they are shown."""
        self._done = step
        if not self._moving:
            return
        if self._bar is None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=self.steps, desc=self.title, file=sys.stdout, mininterval=0.1, leave=True,
                dynamic_ncols=True, unit="step",
            )  # fmt: skip
            self._shown = 0.0
        now = time.perf_counter()
        if now - self._shown > 0.1:
            self._shown = now
            self._bar.set_postfix_str(format_logs(python_logs(logs)), refresh=False)
            self._bar.update(step - self._bar.n)

    def close(self, logs: dict[str, Any]) -> None:
        """Show the final figures."""
        if not self.verbose:
            return
        if self._bar is not None:
            self._bar.set_postfix_str(format_logs(logs), refresh=False)
            self._bar.update(self._done - self._bar.n)
            self._bar.close()
            return
        seconds = time.perf_counter() - self._start
        per_step = seconds / max(self._done, 1)
        unit = (
            f"{per_step * 1e3:.0f}ms/step" if per_step >= 1e-3 else f"{per_step * 1e6:.0f}us/step"
        )
        head = f"{self.title}\n" if self.title else ""
        shown = f" - {format_logs(logs)}" if logs else ""
        write(f"{head}{self._done}/{self._done} - {seconds:.0f}s - {unit}{shown}\n")


def _on_terminal() -> bool:
    """Not so for files and pipes, nor where there is no output at all (`pythonw`)."""
    isatty = getattr(sys.stdout, "isatty", None)
    return isatty is not None and isatty()


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    if shell is None:
        return False
    running = shell.get_ipython()
    return running is not None and "IPKernelApp" in getattr(running, "config", {})
