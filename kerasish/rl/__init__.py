"""What reinforcement learning needs beside a model: returns, advantages, noise, memory, packing."""

from .noise import OrnsteinUhlenbeck
from .packing import pack, unpack
from .replay import ReplayBuffer
from .returns import discounted_returns, generalized_advantages, n_step_returns

__all__ = [
    "OrnsteinUhlenbeck",
    "ReplayBuffer",
    "discounted_returns",
    "generalized_advantages",
    "n_step_returns",
    "pack",
    "unpack",
]
