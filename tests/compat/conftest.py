"""Generations of Keras that a module's programs are written for."""

from __future__ import annotations

import warnings

import pytest

from kerasish.compat import OlderSpelling, set_generation, warning


def _programs_for(number):
    warning.forget()
    set_generation(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OlderSpelling)
        yield
    set_generation(3)
    warning.forget()


@pytest.fixture
def generation_1():
    """A program for Keras 1."""
    yield from _programs_for(1)


@pytest.fixture
def generation_2():
    """A program for Keras 2."""
    yield from _programs_for(2)
