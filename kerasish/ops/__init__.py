"""Operations with Keras's names and signatures, over the core's."""

from . import image as image
from . import numpy as numpy
from .arrays import *
from .basics import *
from .core import *
from .creation import *
from .ctc import *
from .ctc_decode import *
from .elementwise import *
from .linalg import *
from .math import *
from .nn import *
from .padding import *
from .patches import *
from .statistics import *
from .symbolic import KerasTensor as KerasTensor
from .symbolic import Node as Node
from .symbolic import Operation as Operation
from .symbolic import any_symbolic as any_symbolic
from .symbolic import compute_output_spec as compute_output_spec
from .symbolic import is_keras_tensor as is_keras_tensor
from .vectorize import *
