"""What Keras 2 (and tf.keras) wrote, in the terms of Keras 3."""

from .activation import hard_sigmoid_of_keras_2
from .compile import compile_arguments
from .config import modern_config
from .optimizer import slots_by_variable

__all__ = [
    "compile_arguments", "hard_sigmoid_of_keras_2", "modern_config", "slots_by_variable",
]  # fmt: skip
