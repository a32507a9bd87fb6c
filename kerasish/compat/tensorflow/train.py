"""`tf.train`: checkpoints of variables, layers, optimizers and modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import optimizers
from ...metrics import Metric
from ...variable import Variable
from .. import checkpoints
from ..checkpoints import Status, latest_checkpoint

__all__ = ["Checkpoint", "CheckpointManager", "get_checkpoint_state", "latest_checkpoint"]


def named_variables(holder: Any) -> dict[str, Any]:
    """The variables in the attributes of an object, also in lists, dictionaries and metrics."""
    found: dict[str, Any] = {}

    def visit(name: str, x: Any) -> None:
        if isinstance(x, core.Variable):
            found[name] = x
        elif isinstance(x, Metric):
            visit(name, x.variables)
        elif isinstance(x, list | tuple):
            for i, part in enumerate(x):
                visit(f"{name}.{i}", part)
        elif isinstance(x, dict):
            for key, part in x.items():
                # A slash would be a folder in the file.
                visit(f"{name}.{key}".replace("%", "%25").replace("/", "%2F"), part)

    for name, x in sorted(vars(holder).items()):
        visit(name, x)
    return found


def save_own_variables(holder: Any, store: Any) -> None:
    """Put the variables of an object into a store, by the names of attributes."""
    for name, variable in named_variables(holder).items():
        store[name] = variable.value


def load_own_variables(holder: Any, store: Any) -> None:
    """Assign those that the store has.

    Raises:
        ValueError: A shape differs.
    """
    for name, variable in named_variables(holder).items():
        if name not in store:
            continue
        stored = store[name]
        if tuple(stored.shape) != tuple(variable.shape):
            raise ValueError(
                f"{name} has shape {tuple(variable.shape)}; the checkpoint has "
                f"{tuple(stored.shape)}."
            )
        variable.assign(np.asarray(stored))


class Checkpoint:
    """What is saved and restored together, by the names of arguments.

    The file is `<name>.weights.h5`, an HDF5 file; checkpoints of TensorFlow are not read.

    Args:
        root: An object under the name "root".
        **kwargs: Models, layers, optimizers, metrics, modules, variables; lists and dictionaries
            of them.

    Raises:
        ValueError: An argument holds nothing that can be saved.
    """

    _optimizers_first = True

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        if root is not None:
            kwargs = {"root": root, **kwargs}
        for name, x in kwargs.items():
            setattr(self, name, x)
        self.save_counter = Variable(0, dtype="int64", trainable=False, name="save_counter")

    def __setattr__(self, name: str, x: Any) -> None:
        kinds = (core.Variable, Metric, list, tuple, dict)
        if not (isinstance(x, kinds) or hasattr(x, "save_own_variables")):
            raise ValueError(
                f"`Checkpoint` was expecting {name} to be something with variables (a model, "
                f"layer, optimizer, metric, module, variable, or a list of them). Received: {x!r}"
            )
        object.__setattr__(self, name, x)

    save_own_variables, load_own_variables = save_own_variables, load_own_variables

    @property
    def variables(self) -> list[Any]:
        """All variables that are there now."""
        found = {id(v): v for v in _all_variables(self)}
        return list(found.values())

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write to `<file_prefix>.weights.h5`, without counting."""
        checkpoints.write(self, file_prefix)
        return os.fspath(file_prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Count, write, and note it as the latest of its folder; returns `<prefix>-<number>`."""
        self.save_counter.assign_add(1)
        path = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter)}")
        checkpoints.note(path, [path])
        return path

    def read(self, save_path: Any, options: Any = None) -> Status:
        """Read what was written under a name."""
        return checkpoints.restore(self, save_path)

    def restore(self, save_path: Any, options: Any = None) -> Any:
        """Read what was saved under a name; nothing if it is None."""
        return _Nothing() if save_path is None else self.read(save_path)


def _all_variables(x: Any) -> Iterator[Any]:
    if isinstance(x, Checkpoint):
        x = vars(x)
    if isinstance(x, core.Variable):
        yield x
    elif isinstance(x, dict | list | tuple):
        for part in x.values() if isinstance(x, dict) else x:
            yield from _all_variables(part)
    elif hasattr(x, "variables"):
        yield from x.variables
        yield from _all_variables(getattr(x, "optimizer", None))


class _Nothing:
    """The status of no checkpoint."""

    def expect_partial(self) -> _Nothing:
        return self

    def assert_consumed(self) -> Any:
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing to do."""

    run_restore_ops = initialize_or_restore


class CheckpointManager:
    """Numbered checkpoints in a folder, of which the last ones are kept.

    Args:
        checkpoint: What to save.
        directory: The folder; what it holds of an earlier run is known again.
        max_to_keep: How many; None keeps all.
        keep_checkpoint_every_n_hours: Has no effect.
        checkpoint_name: What the names begin with.
        step_counter: A variable that counts steps, for `checkpoint_interval`.
        checkpoint_interval: How many steps must lie between two checkpoints.
        init_fn: What `restore_or_initialize` calls where there is no checkpoint.
    """

    def __init__(
        self, checkpoint: Any, directory: Any, max_to_keep: int | None,
        keep_checkpoint_every_n_hours: Any = None, checkpoint_name: str = "ckpt",
        step_counter: Any = None, checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None, last_checkpoint_step: int | None = None,
    ) -> None:  # fmt: skip
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got "
                             f"{max_to_keep}.")  # fmt: skip
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError(
                "`step_counter` should be passed if `checkpoint_interval` is not None."
            )
        self.checkpoint, self.directory = checkpoint, os.fspath(directory)
        self.checkpoint_interval = checkpoint_interval
        self._most, self._name, self._init = max_to_keep, checkpoint_name, init_fn
        self._steps, self._last_step = step_counter, last_checkpoint_step
        _, kept = checkpoints.noted(self.directory)
        self._kept = [path for path in kept if checkpoints.file_of(path).is_file()]

    @property
    def checkpoints(self) -> list[str]:
        """The names of those that are kept, the latest one last."""
        return list(self._kept)

    @property
    def latest_checkpoint(self) -> str | None:
        """The name of the latest one."""
        return self._kept[-1] if self._kept else None

    def save(
        self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None
    ) -> str | None:
        """Save one more and remove the oldest; None if too few steps have passed."""
        step = None if self._steps is None else int(self._steps)
        if check_interval and self.checkpoint_interval is not None and self._last_step is not None:
            assert step is not None
            if step < self._last_step + self.checkpoint_interval:
                return None
        self._last_step = step
        counter = self.checkpoint.save_counter
        counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        path = self.checkpoint.write(os.path.join(self.directory, f"{self._name}-{number}"))
        self._kept = [p for p in self._kept if p != path] + [path]
        old = self._kept[: -self._most] if self._most is not None else []
        self._kept = self._kept[len(old) :]
        checkpoints.note(path, self._kept)
        for each in old:
            checkpoints.file_of(each).unlink(missing_ok=True)
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the latest one and return its name; call `init_fn` if there is none."""
        latest = self.latest_checkpoint
        if latest is not None:
            self.checkpoint.restore(latest)
            self._last_step = None if self._steps is None else int(self._steps)
        elif self._init is not None:
            self._init()
        return latest


class CheckpointState(NamedTuple):
    """What a folder has."""

    model_checkpoint_path: str
    all_model_checkpoint_paths: list[str]


def get_checkpoint_state(
    checkpoint_dir: Any, latest_filename: str | None = None
) -> CheckpointState | None:
    """The latest checkpoint and all that are kept; None if there is none."""
    latest, kept = checkpoints.noted(checkpoint_dir, latest_filename)
    return None if latest is None else CheckpointState(latest, kept)


# -- optimizers of TensorFlow 1, for `model.compile`


def _optimizer(kind: str, order: str, **defaults: Any) -> Any:
    """A function with TensorFlow 1's arguments in their order that makes one of ours."""
    names = order.split()

    def make(*args: Any, **given: Any) -> Any:
        if len(args) > len(names):
            raise TypeError(f"{make.__name__} takes {len(names)} arguments: {order}.")
        settings = {**defaults, **dict(zip(names, args, strict=False)), **given}
        today = {_TODAY.get(name, name): value for name, value in settings.items()}
        for without_effect in ("use_locking", "name"):
            today.pop(without_effect, None)
        return getattr(optimizers, kind)(**today)

    make.__name__ = make.__qualname__ = f"{kind}Optimizer"
    make.__doc__ = f"`optimizers.{kind}` with the names and defaults of TensorFlow 1."
    return make


_TODAY = {"beta1": "beta_1", "beta2": "beta_2", "decay": "rho", "use_nesterov": "nesterov"}
_ENDS = "use_locking name"

AdamOptimizer = _optimizer("Adam", f"learning_rate beta1 beta2 epsilon {_ENDS}", epsilon=1e-8)
GradientDescentOptimizer = _optimizer("SGD", f"learning_rate {_ENDS}")
MomentumOptimizer = _optimizer("SGD", f"learning_rate momentum {_ENDS} use_nesterov")
RMSPropOptimizer = _optimizer(
    "RMSprop", "learning_rate decay momentum epsilon use_locking centered name", epsilon=1e-10
)
AdagradOptimizer = _optimizer("Adagrad", f"learning_rate initial_accumulator_value {_ENDS}")
AdadeltaOptimizer = _optimizer("Adadelta", f"learning_rate rho epsilon {_ENDS}", epsilon=1e-8)
FtrlOptimizer = _optimizer(
    "Ftrl",
    "learning_rate learning_rate_power initial_accumulator_value l1_regularization_strength "
    f"l2_regularization_strength {_ENDS}",
)
