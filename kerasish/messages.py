"""What is printed while a program runs."""

from __future__ import annotations

import logging

from .settings import is_interactive_logging_enabled

__all__ = ["write"]


def write(text: str) -> None:
    """Print, or log where interactive logging is off."""
    if is_interactive_logging_enabled():
        print(text, end="", flush=True)  # nothing where there is no output at all (`pythonw`)
    else:
        logging.getLogger("kerasish").info(text)
