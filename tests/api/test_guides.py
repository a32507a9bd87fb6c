"""The code of the guides runs, block after block."""

from __future__ import annotations

import pathlib
import re

import pytest

GUIDES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guides"


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.md")), ids=lambda p: p.stem)
def test_guide(path):
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(), re.M | re.S)
    assert blocks
    names: dict = {"__name__": f"guide_{path.stem}"}
    exec(compile("\n".join(blocks), str(path), "exec"), names)


def test_there_are_guides():
    assert {p.stem for p in GUIDES.glob("*.md")} >= {"losses", "gradients", "custom_gradients"}
