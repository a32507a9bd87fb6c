"""Arguments that methods, optimizers, callbacks and functions took in earlier releases."""

from __future__ import annotations

from .. import checkpoints
from ..changes.calls import (
    every_nth_epoch,
    falling_rate,
    former_rate,
    names_of_metrics,
    order_of_adam,
    order_of_rmsprop,
    order_of_sgd,
    quiet,
    rate_of_base,
)  # fmt: skip
from ..changes.generators import workers_of_data_set
from ..row import Row

__all__ = ["ROWS"]

_WORKERS = "callbacks max_queue_size workers use_multiprocessing"
_RATE = {"lr": "learning_rate", "jit_compile": None, "is_legacy_optimizer": None}
_BASE = (
    "learning_rate weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum "
    "ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name"
)
_OPTIMIZER = Row(second=_RATE, change=falling_rate)


def _slower(rate: float, order: str) -> Row:
    """An optimizer whose default rate was another, with its arguments' order."""
    return Row(second=_RATE, order={2: f"learning_rate {order}"}, change=falling_rate).joined(
        Row(change=former_rate(rate))
    )


ROWS: dict[str, Row] = {
    # models
    "Trainer.compile": Row(
        second={
            **dict.fromkeys(["sample_weight_mode", "target_tensors", "distribute", "options",
                             "pss_evaluation_shards", "run_metadata",
                             "experimental_run_tf_function"]),
            "experimental_steps_per_execution": "steps_per_execution",
        },
        order={2: "optimizer loss metrics loss_weights sample_weight_mode weighted_metrics"},
        change=names_of_metrics,
    ),
    "Trainer.fit": Row(
        order={
            2: "x y batch_size epochs verbose callbacks validation_split validation_data shuffle "
            "class_weight sample_weight initial_epoch steps_per_epoch validation_steps "
            "validation_batch_size validation_freq max_queue_size workers use_multiprocessing"
        },
        change=workers_of_data_set,
    ),
    "Trainer.evaluate": Row(
        order={2: f"x y batch_size verbose sample_weight steps {_WORKERS}"},
        change=workers_of_data_set,
    ),
    "Trainer.predict": Row(
        order={2: f"x batch_size verbose steps {_WORKERS}"}, change=workers_of_data_set
    ).joined(Row(change=quiet)),
    "Model.load_weights": Row(instead=checkpoints.load_weights),
    "Model.save": Row(instead=checkpoints.save),
    "Model.save_weights": Row(instead=checkpoints.save_weights),
    "Trainer.train_on_batch": Row(second={"reset_metrics": None}),
    "Trainer.test_on_batch": Row(second={"reset_metrics": None}),
    # optimizers
    "Adadelta": _slower(1.0, "rho epsilon decay"),
    "Adafactor": _OPTIMIZER,
    "Adagrad": _slower(0.01, "epsilon decay"),
    "Adam": Row(second=_RATE, order={2: order_of_adam}, change=falling_rate),
    "AdamW": _OPTIMIZER,
    "Adamax": _slower(0.002, "beta_1 beta_2 epsilon decay"),
    "Ftrl": _OPTIMIZER,
    "Lion": _OPTIMIZER,
    "Nadam": _slower(0.002, "beta_1 beta_2 epsilon schedule_decay").joined(
        Row(second={"schedule_decay": None})
    ),
    "RMSprop": Row(second=_RATE, order={2: order_of_rmsprop}, change=falling_rate),
    "SGD": Row(second=_RATE, order={2: order_of_sgd}, change=falling_rate),
    "Optimizer": Row(
        second=_RATE,
        order={2: _BASE},
        change=rate_of_base,
    ),
    # callbacks
    "ModelCheckpoint": Row(
        second={"options": None, "load_weights_on_restart": None},
        order={2: "filepath monitor verbose save_best_only save_weights_only mode period"},
        change=every_nth_epoch,
    ),
    "ProgbarLogger": Row(second={"count_mode": None, "stateful_metrics": None}),
    "ReduceLROnPlateau": Row(second={"epsilon": "min_delta"}),
    "TensorBoard": Row(
        second=dict.fromkeys(["batch_size", "write_grads", "embeddings_layer_names",
                              "embeddings_data", "profile_batch_range"])
    ),
    # regularizers
    "L1": Row(second={"l": "l1"}),
    "L2": Row(second={"l": "l2"}),
}  # fmt: skip
