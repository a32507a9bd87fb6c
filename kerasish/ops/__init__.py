"""Operations with Keras's names and signatures, over the core's."""

from .core import *
from .nn import *
from .numpy import *
from .symbolic import (
    KerasTensor,
    Node,
    Operation,
    any_symbolic,
    compute_output_spec,
    is_keras_tensor,
)  # fmt: skip
