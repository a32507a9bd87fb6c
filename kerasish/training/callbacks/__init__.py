"""Callbacks: what happens between batches and epochs."""

from .callback import Callback
from .callback_list import CallbackList
from .control import EarlyStopping, TerminateOnNaN
from .files import BackupAndRestore, CSVLogger, ModelCheckpoint
from .history import History, LambdaCallback
from .rates import LearningRateScheduler, ReduceLROnPlateau

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
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
