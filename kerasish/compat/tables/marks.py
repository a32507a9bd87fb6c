"""What shows for which generation of Keras a program is written."""

from __future__ import annotations

__all__ = [
    "BACKEND", "CALLS", "FIRST_KEYWORDS", "FIRST_OF_LAYERS", "LAYERS", "NEWER_KEYWORDS",
    "SECOND_ATTRIBUTES", "SECOND_KEYWORDS", "SECOND_MODULES", "SECOND_NAMES", "SHORT",
]  # fmt: skip

# Keywords that only Keras 1 had (and Keras 2 still took).
FIRST_KEYWORDS = frozenset([
    "nb_epoch", "nb_filter", "nb_row", "nb_col", "nb_feature", "border_mode", "subsample",
    "dim_ordering", "inner_init", "forget_bias_init", "inner_activation",
    "W_regularizer", "U_regularizer", "b_regularizer", "W_constraint", "U_constraint",
    "b_constraint", "filter_length", "subsample_length", "atrous_rate", "pool_length",
    "samples_per_epoch", "nb_val_samples", "val_samples", "nb_worker", "max_q_size",
    "dropout_W", "dropout_U", "consume_less", "show_accuracy",
    "bias_regularizers", "nb_words", "concat_axis", "beta_init", "gamma_init",
])  # fmt: skip
# Those that others use too, in calls of these classes.
FIRST_OF_LAYERS = frozenset(["init", "output_dim", "p", "bias"])
LAYERS = frozenset(
    [
        "Dense",
        "Dropout",
        "LSTM",
        "GRU",
        "SimpleRNN",
        "Convolution1D",
        "Convolution2D",
        "Convolution3D",
        "TimeDistributedDense",
        "Highway",
        "MaxoutDense",
    ]
)
# Classes and functions that only Keras 1 had.
CALLS = frozenset(["Merge", "MaxoutDense", "TimeDistributedDense", "Highway", "SReLU"])
# Keywords that Keras 1 did not know yet.
NEWER_KEYWORDS = frozenset([
    "epochs", "filters", "kernel_size", "padding", "strides", "units", "kernel_initializer",
    "kernel_regularizer", "steps_per_epoch", "data_format", "recurrent_activation",
])  # fmt: skip
# Modules that Keras 3 does not have, below `keras`.
SECOND_MODULES = (
    "engine", "legacy", "objectives", "initializations", "layers.advanced_activations",
    "layers.convolutional", "layers.convolutional_recurrent", "layers.core",
    "layers.cudnn_recurrent", "layers.embeddings", "layers.experimental", "layers.local",
    "layers.merge", "layers.noise", "layers.normalization", "layers.pooling", "layers.recurrent",
    "layers.wrappers", "experimental", "estimator", "preprocessing.text", "utils.conv_utils",
    "utils.data_utils", "utils.generic_utils", "utils.io_utils", "utils.layer_utils",
    "utils.multi_gpu_utils", "utils.np_utils", "utils.training_utils", "utils.vis_utils",
    "utils.visualize_util", "wrappers.scikit_learn", "optimizers.legacy",
)  # fmt: skip
# Names that Keras 3 does not have.
SECOND_NAMES = frozenset([
    "CuDNNGRU", "CuDNNLSTM", "HDF5Matrix", "ImageDataGenerator", "KerasClassifier",
    "KerasRegressor", "LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU",
    "TimeseriesGenerator", "Tokenizer", "multi_gpu_model", "np_utils",
])  # fmt: skip
# Methods and attributes that Keras 3 does not have.
SECOND_ATTRIBUTES = frozenset([
    "_keras_shape", "_make_predict_function", "_make_train_function", "add_metric", "add_update",
    "evaluate_generator", "fit_generator", "get_input_at", "get_output_at", "get_updates", "lr",
    "predict_classes", "predict_generator", "predict_proba", "total_loss", "get_output_shape_for",
    "uses_learning_phase",
])  # fmt: skip
# What `keras.backend` has in Keras 3; the rest of `K` shows an earlier one.
BACKEND = frozenset([
    "KerasTensor", "Variable", "backend", "clear_session", "common_dtype", "epsilon", "floatx",
    "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype", "is_keras_tensor",
    "name_scope", "result_type", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_dtype",
])  # fmt: skip
# Accuracy in logs before Keras 2.3, beside "accuracy" in `compile`.
SHORT = ("acc", "val_acc")
# Calls with keywords that Keras 3 does not have.
_OPTIMIZER = ("lr", "decay")
_RECURRENT = ("input_dim", "input_length", "implementation")
SECOND_KEYWORDS = {
    **dict.fromkeys(
        ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"], _OPTIMIZER
    ),
    **dict.fromkeys(["LSTM", "GRU", "SimpleRNN", "Conv1D", "Convolution1D"], _RECURRENT),
    "Embedding": ("input_length", "dropout"),
    "Dense": ("weights",),
    "EarlyStopping": (),
    "ModelCheckpoint": ("period",),
    "ReduceLROnPlateau": ("epsilon",),
    "TensorBoard": ("write_grads", "batch_size"),
    "fit": ("workers", "use_multiprocessing", "max_queue_size"),
    "compile": ("sample_weight_mode", "target_tensors"),
}
