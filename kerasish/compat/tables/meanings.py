"""What meant something else in Keras 1 and 2: where, and what takes its place there.

What takes the place of a method or function gets it as its first argument; of a property, it is
called with the property and returns another one; of nothing, it is what is put there.
"""

from __future__ import annotations

__all__ = ["MEANINGS"]

_HOOKS = "training.callbacks.callback_list:CallbackList"

MEANINGS: dict[str, str] = {
    "random:make_default_seed": "compat.randomness:default_seed",
    "random.seed_generator:make_default_seed": "compat.randomness:default_seed",
    "training.trainer:Trainer.compile": "compat.training:compile",
    "training.trainer:Trainer.fit": "compat.training:fit",
    "training.trainer:Trainer.train_on_batch": "compat.training:train_on_batch",
    "training.trainer:Trainer.metrics_names": "compat.training:metrics_names",
    f"{_HOOKS}.set_params": "compat.training:set_params",
    f"{_HOOKS}.on_train_batch_begin": "compat.training:batch_hook",
    f"{_HOOKS}.on_train_batch_end": "compat.training:batch_hook",
    "activations:get": "compat.activations:get",
    "activations:hard_sigmoid": "compat.activations:hard_sigmoid",
    "training.callbacks.history:History.on_train_begin": "compat.training:on_train_begin",
    "layers:Input": "compat.symbolic:input_at",
    "layers.loss_tracking:LossTracking.add_loss": "compat.training:add_loss",
    "layers.weights:Stateful.add_metric": "compat.methods.layers:add_metric",
    "layers.weights:Stateful.trainable_weights": "compat.methods.layers:settable_trainable",
    "layers.weights:Stateful.non_trainable_weights": "compat.methods.layers:settable_non_trainable",
    "training.compile_utils:CompileMetrics.reset_states": "compat.methods.metrics:reset_states",
    "training.pydataset:PyDataset.workers": "compat.data:without_warning",
    "training.pydataset:PyDataset.use_multiprocessing": "compat.data:without_warning",
    "training.pydataset:PyDataset.max_queue_size": "compat.data:without_warning",
    "ops.symbolic:_at_two_sizes": "compat.batch_sizes:at_two_sizes",
    "ops.symbolic:Operation.input": "compat.methods.layers:input_of_first",
    "optimizers.base:Optimizer.apply": "compat.optimizers:apply",
    "optimizers.base:Optimizer.build": "compat.optimizers:build",
    "optimizers.base:Optimizer.lr": "compat.methods.optimizers:lr",
    "kerasish_core:Tensor.get_shape": "compat.methods.tensors:get_shape",
    "metrics.mean:MeanMetricWrapper.update_state": "compat.batch_metrics:with_column_of_labels",
    "layers:Lambda.__call__": "compat.symbolic:call_of_lambda",
    "models.sequential:Sequential.build": "compat.symbolic:build",
    "models.sequential:Sequential.add": "compat.layers.merge:add_to_sequential",
    "utils:get_file": "compat.utils.data_utils:instead_of_get_file",
    "utils:to_categorical": "compat.utils.np_utils:instead_of_to_categorical",
}
