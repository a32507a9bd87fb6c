"""Training: what one step is, the loop over epochs, data, callbacks."""

from .pydataset import PyDataset
from .trainer import Trainer

__all__ = ["PyDataset", "Trainer"]
