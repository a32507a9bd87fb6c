"""Figures for TensorBoard."""

from __future__ import annotations

import gzip
import json
import os
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ... import older
from ...layers.core.embedding import Embedding
from ...settings import image_data_format
from ..events import EventWriter, summaries
from .callback import Callback

__all__ = ["TensorBoard"]

# The name under which Keras's checkpoints hold the first layer's table.
_TABLE = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"


@older.classes
class TensorBoard(Callback):
    """Write logs that `tensorboard --logdir LOG_DIR` shows. TensorFlow is not needed.

    Folder `train` gets figures of training, the graph of layers, weights and step times;
    folder `validation` those of validation and evaluation.

    Args:
        log_dir: Where folders of event files are made.
        histogram_freq: Write histograms of weights every so many epochs; 0 is never.
        write_graph: Whether to write the graph of layers.
        write_images: Whether to show weights as images too, where histograms are written.
        write_steps_per_second: Whether to write training steps per second.
        update_freq: "epoch", "batch" or a number: also write figures every so many batches.
        profile_batch: The batch (or a pair: the first and the last one), counted from 1, whose
            time is written for the profiler as a trace. 0 is none.
        embeddings_freq: Save weights for the projector every so many epochs; 0 is never.
        embeddings_metadata: Name of a file with the rows' labels, or a dictionary of them by
            layer name.

    Raises:
        ValueError: `profile_batch` is no such number or pair, or `embeddings_metadata` names a
            layer that is no embedding.

    Source: https://keras.io/api/callbacks/tensorboard/
    """

    def __init__(
        self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True,
        write_images: bool = False, write_steps_per_second: bool = False,
        update_freq: Any = "epoch", profile_batch: Any = 0, embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph, self.write_images = (
            histogram_freq, write_graph, write_images
        )  # fmt: skip
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq, self.embeddings_metadata = embeddings_freq, embeddings_metadata
        self._start_batch, self._stop_batch = _batches_to_profile(profile_batch)
        self._writers: dict[str, EventWriter] = {}
        self._trace: list[dict[str, Any]] = []
        self._batch = 0
        if self.update_freq != "epoch" or self._start_batch:  # else batches may run in chunks
            self.on_train_batch_begin = self._before_batch
            self.on_train_batch_end = self._after_batch

    # -- files
    def _writer(self, name: str) -> EventWriter:
        if name not in self._writers:
            self._writers[name] = EventWriter(os.path.join(self.log_dir, name))
        return self._writers[name]

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        if self.write_graph:
            self._write_graph()
        if self.embeddings_freq:
            self._describe_embeddings()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.flush()
        self._writers = {}

    def _write_graph(self) -> None:
        if type(self.model).__name__ not in ("Functional", "Sequential"):
            return
        try:
            config = self.model.to_json()
        except Exception as error:  # whatever a user's get_config raises must not end training
            warnings.warn(
                f"TensorBoard: the model can't be written as JSON, so no graph is: {error}",
                stacklevel=2,
            )
            return
        self._writer("train").add(summaries.keras_graph("keras", config), 0)

    @property
    def summary(self) -> _Summaries:
        """`scalar`, `histogram` and `image` for figures of your own, in the folder `train`."""
        return _Summaries(self._writer("train"))

    # -- figures
    def on_train_begin(self, logs: Any = None) -> None:
        self._batch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.write_steps_per_second:
            self._epoch_start = (int(self.model.optimizer.iterations), time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._save_embeddings(epoch)
        for writer in self._writers.values():
            writer.flush()

    def _write_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        of_training = {k: v for k, v in logs.items() if not k.startswith("val_")}
        of_training |= self._learning_rates()
        if self.write_steps_per_second:
            steps, start = self._epoch_start
            done = int(self.model.optimizer.iterations) - steps
            of_training["steps_per_second"] = done / max(time.perf_counter() - start, 1e-9)
        for name, value in of_training.items():
            self._scalar("train", f"epoch_{name}", value, epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                self._scalar("validation", f"epoch_{name.removeprefix('val_')}", value, epoch)

    def _scalar(self, writer: str, tag: str, value: Any, step: int) -> None:
        self._writer(writer).add(summaries.scalar(tag, float(value)), step)

    def _learning_rates(self) -> dict[str, float]:
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if hasattr(optimizer, "optimizers"):
            return {f"learning_rate_{o.name}": float(o.learning_rate) for o in optimizer.optimizers}
        if optimizer is None:
            return {}
        return {"learning_rate": float(optimizer.learning_rate)}

    def on_test_end(self, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if optimizer is None or not logs:
            return
        for name, value in logs.items():
            tag = f"evaluation_{name}_vs_iterations"
            self._scalar("validation", tag, value, int(optimizer.iterations))
        self._writer("validation").flush()

    # -- batches
    def _before_batch(self, batch: int, logs: Any = None) -> None:
        self._batch += 1
        self._batch_start = time.perf_counter()

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._batch_start
        if self.update_freq != "epoch" and self._batch % self.update_freq == 0:
            if self.write_steps_per_second:
                rate = 1.0 / max(seconds, 1e-9)
                self._scalar("train", "batch_steps_per_second", rate, self._batch)
            for name, value in (logs or {}).items():
                self._scalar("train", f"batch_{name}", value, self._batch)
        if self._start_batch <= self._batch <= self._stop_batch:
            self._trace.append({
                "name": f"train {self._batch}", "ph": "X", "pid": 1, "tid": 1,
                "ts": self._batch_start * 1e6, "dur": seconds * 1e6,
                "args": {"step_num": self._batch},
            })  # fmt: skip
            if self._batch == self._stop_batch:
                self._write_trace()

    def _write_trace(self) -> None:
        """The steps' times, in the format of Chrome's traces that the profiler reads."""
        if not self._trace:
            return
        run = time.strftime("%Y_%m_%d_%H_%M_%S")
        folder = Path(self.log_dir, "train", "plugins", "profile", run)
        folder.mkdir(parents=True, exist_ok=True)
        names = {"process_name": "kerasish", "thread_name": "Steps"}
        heads = [
            {"name": k, "ph": "M", "pid": 1, "tid": 1, "args": {"name": v}}
            for k, v in names.items()
        ]
        content = {"displayTimeUnit": "ns", "traceEvents": heads + self._trace}
        with gzip.open(folder / f"{platform.node()}.trace.json.gz", "wt") as file:
            json.dump(content, file)
        self._trace = []

    def on_train_end(self, logs: Any = None) -> None:
        self._write_trace()
        self._close()

    # -- weights
    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name, value = weight.path.replace(":", "_"), weight.numpy()
                writer.add(summaries.histogram(f"{name}/histogram", value), epoch)
                pictures = _pictures(value) if self.write_images else None
                if pictures is not None:
                    writer.add(summaries.image(f"{name}/image", pictures), epoch)

    def _describe_embeddings(self) -> None:
        """Tell the projector of the embeddings and of their labels."""
        given = self.embeddings_metadata
        names = dict(given) if isinstance(given, dict) else {}
        lines = []
        for layer in self.model.layers:
            if isinstance(layer, Embedding):
                file = given if isinstance(given, str) else names.pop(layer.name, None)
                lines += ["embeddings {", f"  tensor_name: {json.dumps(_TABLE)}"]
                # Keras's checkpoint is none of TensorFlow's: what the projector reads is this.
                lines += [f"  tensor_path: {json.dumps(self._table_of(layer))}"]
                lines += [f"  metadata_path: {json.dumps(file)}"] if file else []
                lines += ["}"]
        if names:
            raise ValueError(
                "Unrecognized `Embedding` layer names passed to `keras.callbacks.TensorBoard` "
                f"`embeddings_metadata` argument: {names.keys()}"
            )
        os.makedirs(self.log_dir, exist_ok=True)
        Path(self.log_dir, "projector_config.pbtxt").write_text("\n".join([*lines, ""]))

    def _table_of(self, layer: Any) -> str:
        return f"{layer.name}.tsv"

    def _save_embeddings(self, epoch: int) -> None:
        folder = Path(self.log_dir, "train")
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_weights(folder / f"keras_embedding.ckpt-{epoch}.weights.h5")
        for layer in self.model.layers:
            if isinstance(layer, Embedding):
                table = Path(self.log_dir, self._table_of(layer))
                np.savetxt(table, np.asarray(layer.embeddings), fmt="%.6g", delimiter="\t")


class _Summaries:
    """What a program may write beside the callback's own figures."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer

    def scalar(self, name: str, data: Any, step: int) -> None:
        self._writer.add(summaries.scalar(name, float(data)), step)

    def histogram(self, name: str, data: Any, step: int) -> None:
        self._writer.add(summaries.histogram(name, np.asarray(data)), step)

    def image(self, name: str, data: Any, step: int) -> None:
        """Pictures [count, height, width, channels] of values from 0 to 1."""
        self._writer.add(summaries.image(name, np.asarray(data)), step)


def _batches_to_profile(given: Any) -> tuple[int, int]:
    """The first and the last batch to profile, (0, 0) for none.

    Raises:
        ValueError: It is no number, nor a pair of them in order.
    """
    found = [int(x) for x in given.split(",")] if isinstance(given, str) else given
    if isinstance(found, list | tuple) and len(found) == 1:
        found = found[0]
    if isinstance(found, int):
        found = (found, found)
    if not isinstance(found, list | tuple) or len(found) != 2 or not 0 <= found[0] <= found[1]:
        raise ValueError(
            "profile_batch must be a non-negative integer or 2-tuple of positive integers. A pair "
            f"of positive integers signifies a range of batches to profile. Found: {given}"
        )
    return found[0], found[1]


def _pictures(value: np.ndarray) -> np.ndarray | None:
    """A weight as pictures [count, height, width, channels], or None if it is none."""
    value = np.squeeze(np.asarray(value, "float32"))
    if value.ndim == 1:
        return value.reshape(1, -1, 1, 1)
    if value.ndim == 2:
        value = value.T if value.shape[0] > value.shape[1] else value
        return value[None, :, :, None]
    if value.ndim == 3:
        if image_data_format() == "channels_last":
            value = value.transpose(2, 0, 1)  # each channel is a picture
        return value[..., None]
    return value if value.ndim == 4 and value.shape[-1] in (1, 3, 4) else None
