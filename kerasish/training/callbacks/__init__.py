"""Callbacks: what happens between batches and epochs."""

from .averages import SwapEMAWeights
from .callback import Callback
from .callback_list import CallbackList
from .control import EarlyStopping, TerminateOnNaN
from .files import BackupAndRestore, CSVLogger, ModelCheckpoint
from .history import History, LambdaCallback
from .orbax import OrbaxCheckpoint
from .progbar import ProgbarLogger
from .rates import LearningRateScheduler, ReduceLROnPlateau
from .remote import RemoteMonitor
from .tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
