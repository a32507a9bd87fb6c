"""Every public optimizer, schedule, loss, metric and quantizer of Keras has a parity case.

A name without one fails here: add it to the tables of the test file named.
"""

import re
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.parity

HERE = Path(__file__).parent
# Modules whose every public name must stand in quotes in a test file, or be called there.
FILES = {
    "optimizers": ["test_optimizers_parity.py", "test_mixed_precision_parity.py"],
    "optimizers.schedules": ["test_optimizers_parity.py"],
    "losses": ["test_losses_parity.py"],
    "quantizers": ["test_quantization_parity.py", "test_calibration_parity.py"],
    # Functions of both modules are the same objects.
    "metrics": ["test_metrics_parity.py", "test_losses_parity.py"],
}
# Modules and Keras 2's, not optimizers; a base class that computes nothing.
NOT_CASES = {"legacy", "schedules", "Quantizer"}


def public(module):
    found = keras
    for part in module.split("."):
        found = getattr(found, part)
    return {
        name: value
        for name, value in vars(found).items()
        if not name.startswith("_") and name not in NOT_CASES
    }


@pytest.mark.parametrize("module", FILES)
def test_every_name_has_a_case(module):
    text = "\n".join((HERE / name).read_text() for name in FILES[module])
    used = set(re.findall(r'"(\w+)"', text)) | set(re.findall(r"\.(\w+)\(", text))
    names = public(module)
    assert len(names) > 5, "the published Keras is not what this test thinks it is"
    seen = {id(value) for name, value in names.items() if name in used}
    # Another name of what has a case is the same thing.
    missing = sorted(name for name, value in names.items() if id(value) not in seen)
    assert not missing, f"keras.{module}: no parity case in {FILES[module]} for {missing}"


def test_a_missing_name_would_be_seen():
    text = (HERE / "test_losses_parity.py").read_text().replace("Tversky", "")
    assert "Tversky" in public("losses") and '"Tversky"' not in text
