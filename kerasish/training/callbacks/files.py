"""Callbacks that write files."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ... import older, random
from ...messages import write
from .callback import Callback, Monitor

__all__ = ["BackupAndRestore", "CSVLogger", "ModelCheckpoint"]


class CSVLogger(Callback):
    """Write each epoch's figures as a line of a CSV file.

    Args:
        filename: The file.
        separator: Between columns.
        append: Whether to go on in an existing file.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append

    def on_train_begin(self, logs: Any = None) -> None:
        old = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self._writer: Any = None
        self._with_header = not old

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self._writer is None:
            names = sorted(logs)
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]  # of epochs to come
            self._writer = csv.DictWriter(
                self._file, ["epoch", *names], restval="NA", delimiter=self.sep,
                extrasaction="ignore",
            )  # fmt: skip
            if self._with_header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._file.close()
        self._writer = None


class _BatchCounter:
    """Tells when `freq` batches have passed, over epochs; a hook may stand for several batches."""

    def __init__(self, freq: int) -> None:
        self.freq, self._since, self._last = freq, 0, -1

    def begin_epoch(self) -> None:
        self._last = -1

    def due(self, batch: int) -> bool:
        self._since += batch - self._last
        self._last = batch
        if self._since < self.freq:
            return False
        self._since = 0
        return True


@older.classes
class ModelCheckpoint(Monitor):
    """Save the model's weights after epochs or batches.

    Args:
        filepath: May hold `{epoch}`, `{batch}` (if `save_freq` is a number) and log names:
            `"{epoch:02d}-{val_loss:.2f}.weights.h5"`.
        monitor: Log name for `save_best_only`.
        verbose: 1 prints what is saved.
        save_best_only: Save only improvements; and where the figure is missing, with a warning.
        save_weights_only: Save weights (`.weights.h5`) instead of the whole model.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: What the first value must improve on.
    """

    def __init__(self, filepath: Any, monitor: str = "val_loss", verbose: int = 0,
                 save_best_only: bool = False, save_weights_only: bool = False, mode: str = "auto",
                 save_freq: Any = "epoch",
                 initial_value_threshold: float | None = None) -> None:  # fmt: skip
        super().__init__(monitor, mode)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq, self.best = save_freq, initial_value_threshold
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer "
                "values"
            )
        if save_freq != "epoch":  # else batches may run in chunks
            self._counter = _BatchCounter(save_freq)
            self.on_train_batch_end = self._after_batch
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided "
                f"must end in `.weights.h5`. Received: filepath={self.filepath}"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). Received: "
                f"filepath={self.filepath}"
            )

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        if self._counter.due(batch):
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        if self.save_freq != "epoch":
            self._counter.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict[str, Any]) -> None:
        try:
            path = self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise KeyError(
                f"Failed to format this callback filepath: '{self.filepath}'. There is no log "
                f"{error}; there are {', '.join(logs)}."
            ) from None
        if not self._is_due(epoch, logs, path):
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _is_due(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        self.check_mode()
        value = logs.get(self.monitor)
        if value is None:  # rather one file too many than none of a long run
            warnings.warn(
                f"Can save best model only with {self.monitor} available. There are "
                f"{', '.join(logs)}. The model is saved.",
                stacklevel=2,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.is_better(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(
            epoch, f"{self.monitor} improved from {best} to {value:.5f}, saving model to {path}"
        )
        self.best = value
        return True

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            write(f"\nEpoch {epoch + 1}: {text}\n")


_PART = "latest.part.npz"


class BackupAndRestore(Callback):
    """Keep what a killed run needs to go on: weights, optimizer, seeds, shuffle order, epoch.

    A run goes on at the beginning of the epoch that was interrupted, as in Keras, from the
    values that were kept last.

    Args:
        backup_dir: Folder of the backup; removed after a finished run.
        save_freq: "epoch", or a number of batches, counted over epochs.
        double_checkpoint: Whether to keep the backup before the latest too, which is taken if the
            latest can't be read.
        delete_checkpoint: Whether to remove the backup at the end.
    """

    def __init__(self, backup_dir: Any, save_freq: Any = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:  # fmt: skip
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not whole:
            raise ValueError(
                f"Invalid value for argument `save_freq`. Received: save_freq={save_freq}. "
                "Expected either 'epoch' or an integer value."
            )
        self.backup_dir, self.save_freq = Path(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self.restored_epoch = self._epoch = 0
        if save_freq != "epoch":  # else batches may run in chunks
            self._counter = _BatchCounter(save_freq)
            self.on_train_batch_end = self._after_batch

    @property
    def _file(self) -> Path:
        return self.backup_dir / "latest.npz"

    @property
    def _earlier_file(self) -> Path:
        return self.backup_dir / "earlier.npz"

    def on_train_begin(self, logs: Any = None) -> None:
        self.restored_epoch = 0
        if (self.backup_dir / "latest.weights.h5").exists() and not self._file.exists():
            warnings.warn(
                f"BackupAndRestore: {self.backup_dir} holds a backup of Keras's, which is not "
                "read: training starts afresh. load_weights() reads latest.weights.h5 in it.",
                stacklevel=2,
            )
        found = [f for f in (self._file, self._earlier_file) if f.exists()]
        for i, file in enumerate(found):
            try:
                with np.load(file, allow_pickle=False) as archive:
                    stored = dict(archive)
            except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
                if i + 1 == len(found):
                    raise ValueError(
                        f"BackupAndRestore: {file} can't be read ({error}). Remove the folder to "
                        "start afresh."
                    ) from error
                continue
            meta = json.loads(str(stored["meta"]))
            self._restore(stored, meta)
            self.restored_epoch = meta["epoch"]
            return

    def _variables(self) -> list[Any]:
        model = self.model
        own = list(model.variables)
        if model.optimizer is not None:
            own += list(model.optimizer.variables)
        own.append(random.global_seed_generator().state)
        # Metrics start at zero in each epoch.
        of_metrics = {id(v) for m in model.metrics for v in m.variables}
        return [v for v in {id(v): v for v in own}.values() if id(v) not in of_metrics]

    def _restore(self, stored: Any, meta: Any) -> None:
        model = self.model
        if not model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before training can go on: give it an "
                "Input or call model.build(input_shape)."
            )
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        variables = self._variables()
        for i, v in enumerate(variables):
            if f"v{i}" not in stored or stored[f"v{i}"].shape != v.shape:
                raise ValueError(
                    f"BackupAndRestore: {self._file} was made by another model: there is no value "
                    f"of shape {v.shape} for {v.path}. Remove the folder to start afresh."
                )
            v.assign(stored[f"v{i}"])
        state = meta["numpy"]
        np.random.set_state((state[0], np.array(state[1], "uint32"), *state[2:]))  # noqa: NPY002

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        if self.save_freq != "epoch":
            self._counter.begin_epoch()

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        if self._counter.due(batch):
            self._save(self._epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1)

    def _save(self, epoch: int) -> None:
        """Keep the present values; a run that goes on begins with `epoch`."""
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        variables = self._variables()
        state = np.random.get_state()  # noqa: NPY002
        meta = {"epoch": epoch, "numpy": [state[0], state[1].tolist(), *state[2:]]}
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(variables)}
        temporary = self._file.with_name(_PART)
        with open(temporary, "wb") as file:
            np.savez(file, meta=np.array(json.dumps(meta)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        if self.double_checkpoint and self._file.exists():
            os.replace(self._file, self._earlier_file)
        os.replace(temporary, self._file)

    def on_train_end(self, logs: Any = None) -> None:
        if not self.delete_checkpoint:
            return
        for file in (self._file, self._earlier_file, self._file.with_name(_PART)):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else lies there too
            self.backup_dir.rmdir()
