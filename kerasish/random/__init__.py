"""Random tensors, with Keras's signatures, on stateless Philox keyed by seed variables."""

from .functions import (
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)  # fmt: skip
from .seed_generator import (
    SeedGenerator,
    draw_seed,
    global_seed_generator,
    make_default_seed,
    set_global_seed,
    set_random_seed,
)

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "draw_seed",
    "dropout",
    "gamma",
    "global_seed_generator",
    "normal",
    "randint",
    "make_default_seed",
    "set_global_seed",
    "set_random_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]
