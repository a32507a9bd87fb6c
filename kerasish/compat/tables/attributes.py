"""Methods and attributes that objects had: class, then name, then target and today's spelling.

A target that is a property is read, a function becomes a method. Rows of a class hold for its
subclasses.
"""

from __future__ import annotations

__all__ = ["ATTRIBUTES"]

_M, _L = "compat.methods.models:", "compat.methods.layers:"
_T, _O = "compat.methods.tensors:", "compat.methods.optimizers:"
_GET_SHAPE = (_T + "get_shape", "x.shape")
_EAGER = (_M + "make_function", "nothing: steps are compiled when they first run")

ATTRIBUTES: dict[str, dict[str, tuple[str, str | None]]] = {
    "Model": {
        "_make_predict_function": _EAGER,
        "_make_test_function": _EAGER,
        "_make_train_function": _EAGER,
        "compiled_loss": ("compat.methods.compiled:compiled_loss", "model.compute_loss"),
        "compiled_metrics": ("compat.methods.compiled:compiled_metrics", "model.compute_metrics"),
        "evaluate_generator": (_M + "evaluate_generator", "model.evaluate"),
        "fit_generator": (_M + "fit_generator", "model.fit"),
        "get_losses_for": (_M + "losses_for", "model.losses"),
        "get_weight_paths": (_M + "get_weight_paths", "variable.path"),
        "model": (_M + "itself", "the model itself"),
        "predict_classes": (_M + "predict_classes", "model.predict(x).argmax(axis=-1)"),
        "predict_generator": (_M + "predict_generator", "model.predict"),
        "predict_proba": (_M + "predict_proba", "model.predict"),
        "reset_states": (_M + "reset_states", "layer.reset_states of its layers"),
        "sample_weights": (_M + "sample_weights", None),
        "state_updates": (_M + "nothing", None),
        "targets": (_M + "targets", None),
        "to_yaml": (_M + "to_yaml", "model.to_json"),
        "total_loss": (_M + "total_loss", "model.compute_loss"),
    },
    "Layer": {
        "_trainable_weights": (_L + "trainable_list", "layer.add_weight"),
        "_non_trainable_weights": (_L + "non_trainable_list", "layer.add_weight"),
        "add_update": (_L + "add_update", "variable.assign"),
        "apply": (_L + "apply", "layer(x)"),
        "assert_input_compatibility": (_L + "assert_input_compatibility", None),
        "dynamic": (_L + "no", None),
        "finalize_state": (_L + "finalize_state", None),
        "get_input_at": (_L + "get_input_at", "layer.input"),
        "get_input_mask_at": (_L + "get_input_mask_at", None),
        "get_input_shape_at": (_L + "get_input_shape_at", "layer.input.shape"),
        "get_losses_for": (_M + "losses_for", "layer.losses"),
        "get_output_at": (_L + "get_output_at", "layer.output"),
        "get_output_mask_at": (_L + "get_output_mask_at", None),
        "get_output_shape_at": (_L + "get_output_shape_at", "layer.output.shape"),
        "get_updates_for": (_M + "none_for", None),
        "inbound_nodes": (_L + "inbound_nodes", None),
        "input_mask": (_L + "input_mask", None),
        "input_shape": (_L + "input_shape", "layer.input.shape"),
        "outbound_nodes": (_L + "outbound_nodes", None),
        "output_mask": (_L + "output_mask", None),
        "output_shape": (_L + "output_shape", "layer.output.shape"),
        "scope_name": (_L + "scope_name", "layer.name"),
        "stateful": (_L + "no", None),
        "updates": (_M + "nothing", None),
        "uses_learning_phase": (_M + "uses_learning_phase", "training=... of calls"),
    },
    "Metric": {
        "reset_states": ("compat.methods.metrics:reset_states", "metric.reset_state"),
        "trainable_weights": (_M + "nothing", None),
        "weights": (_O + "weights", "metric.variables"),
        "non_trainable_weights": (_O + "weights", "metric.variables"),
    },
    "Optimizer": {
        "decay": (_O + "decay", "keras.optimizers.schedules.InverseTimeDecay"),
        "get_gradients": (_O + "get_gradients", "keras.GradientTape"),
        "get_updates": (_O + "get_updates", "optimizer.apply"),
        "lr": (_O + "lr", "optimizer.learning_rate"),
        "updates": (_O + "updates", None),
        "weights": (_O + "weights", "optimizer.variables"),
    },
    "KerasTensor": {
        "_keras_shape": (_T + "keras_shape", "x.shape"),
        "get_shape": _GET_SHAPE,
        "op": (_T + "op", "x._keras_history[0]"),
        "set_shape": (_T + "set_shape", None),
    },
    "Variable": {
        "eval": (_T + "evaluate", "variable.numpy()"),
        "get_shape": _GET_SHAPE,
        "get_value": (_T + "get_value", "variable.numpy()"),
        "read_value": (_T + "read_value", "variable.value"),
        "set_value": (_T + "set_value", "variable.assign"),
    },
}  # fmt: skip
