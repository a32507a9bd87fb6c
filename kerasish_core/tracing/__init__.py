"""From Python functions to graphs."""

from .cache import Signature, explain_difference, quick_key, signature_of
from .trace import Traced, Tracer, eval_spec, trace

__all__ = [
    "Signature",
    "Traced",
    "Tracer",
    "eval_spec",
    "explain_difference",
    "quick_key",
    "signature_of",
    "trace",
]
