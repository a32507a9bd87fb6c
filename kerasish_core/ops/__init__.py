"""The operations: public functions over primitives, one family a file."""

from __future__ import annotations

from . import random as random
from .attention import *
from .collective import *
from .contract import *
from .conv import *
from .creation import *
from .decompose import *
from .elementwise import *
from .fourier import *
from .indexing import *
from .linalg import *
from .logic import *
from .nonlinear import *
from .norm import *
from .pool import *
from .reduce import *
from .rnn import *
from .scatter import *
from .shape import *
from .sorting import *
from .special import *
from .trigonometry import *
