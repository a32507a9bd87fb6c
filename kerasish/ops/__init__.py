"""Operations with Keras's names and signatures, over the core's."""

from .arrays import *  # noqa: F403
from .core import *  # noqa: F403
from .nn import *  # noqa: F403
from .numpy import *  # noqa: F403
from .patches import *  # noqa: F403
from .statistics import *  # noqa: F403
from .symbolic import KerasTensor as KerasTensor
from .symbolic import Node as Node
from .symbolic import Operation as Operation
from .symbolic import any_symbolic as any_symbolic
from .symbolic import compute_output_spec as compute_output_spec
from .symbolic import is_keras_tensor as is_keras_tensor
