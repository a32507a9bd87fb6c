"""Parity tests import the published Keras; without it there is nothing to collect here."""

import importlib.util
import os

# JAX compiles hundreds of small functions once each: half the time without its costly passes.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

HAS_KERAS = importlib.util.find_spec("keras") is not None
collect_ignore_glob = [] if HAS_KERAS else ["test_*.py"]


def pytest_report_header(config):
    if not HAS_KERAS:
        return "parity: not collected, since Keras is not installed (extra `parity`)"
    return None
