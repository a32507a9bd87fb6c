"""Calibrating a model's layers by sample data, block after block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..layers.quantization.calibrated import CalibratedMatrix

__all__ = ["calibrate", "check_data", "token_windows"]


def check_data(model: Any, config: Any) -> dict[str, Any]:
    """The structure that calibration goes by.

    Args:
        model: Its `get_quantization_layer_structure` tells it if the settings do not.
        config: A `GPTQConfig` or `AWQConfig`.

    Raises:
        ValueError: There is no structure, no block in it, or no data.
    """
    mode = config.mode
    structure = config.quantization_layer_structure
    if structure is None:
        structure = model.get_quantization_layer_structure(mode)
    if structure is None:
        raise ValueError(
            f"For mode='{mode}', a valid quantization structure must be provided either via "
            "`config.quantization_layer_structure` or by overriding "
            "`model.get_quantization_layer_structure(mode)`: a dictionary with keys "
            "'pre_block_layers' and 'sequential_blocks'."
        )
    if config.dataset is None or config.tokenizer is None:
        raise ValueError(
            f"{mode.upper()} quantization requires a dataset and a tokenizer. Please provide them "
            f"in the `{type(config).__name__}`. Received: dataset={config.dataset}, "
            f"tokenizer={config.tokenizer}"
        )
    if not structure.get("sequential_blocks"):
        raise ValueError(
            "No sequential blocks found in the provided structure to quantize. "
            f"Received: {structure}"
        )
    return structure


def token_windows(config: Any) -> np.ndarray[Any, Any]:
    """Windows of the joined samples, at equal strides from the first token on.

    Too few tokens are repeated.

    Args:
        config: With `dataset`, `tokenizer`, `num_samples` and `sequence_length`.

    Returns:
        int32 (num_samples, 1, sequence_length).

    Raises:
        TypeError: The data set is no iterable of samples.
        ValueError: It is empty.
    """
    data, count, length = config.dataset, config.num_samples, config.sequence_length
    if not hasattr(data, "__iter__") or isinstance(data, str | bytes):
        raise TypeError(
            "The `dataset` argument must be an iterable (e.g., a list of strings, a generator, or "
            f"a NumPy array). Got type: {type(data).__name__}. Please pass the loaded dataset "
            "directly."
        )
    read = getattr(config.tokenizer, "tokenize", config.tokenizer)
    pieces = [np.asarray(read(s) if isinstance(s, str) else s).reshape(-1) for s in data]
    tokens = np.concatenate(pieces).astype("int32") if pieces else np.zeros(0, "int32")
    if not len(tokens):
        raise ValueError("Provided dataset is empty: calibration needs samples with tokens.")
    if len(tokens) < count * length:
        tokens = np.tile(tokens, math.ceil(count * length / len(tokens)))
    windows = np.lib.stride_tricks.sliding_window_view(tokens, length)
    stride = max(1, len(windows) // count)
    return windows[np.arange(count) * stride % len(windows), None]


def calibrate(config: Any, structure: dict[str, Any], chosen: Any) -> None:
    """Round the kernels of blocks one after another, each on the outputs of the rounded before it.

    Args:
        config: The settings.
        structure: `"pre_block_layers"` and `"sequential_blocks"`.
        chosen: Function of a layer: whether it takes part.
    """
    inputs = []
    for sample in token_windows(config):
        for layer in structure.get("pre_block_layers", []):
            sample = layer(sample)
        inputs.append(sample[None] if len(sample.shape) == 2 else sample)
    blocks = structure["sequential_blocks"]
    for block in blocks:
        layers = [
            each
            for each in block._flatten_layers()
            if isinstance(each, CalibratedMatrix) and each.awaits_calibration and chosen(each)
        ]
        for layer in layers:
            layer.start_calibration()
        try:
            for x in inputs:
                _run(block, x)
            for layer in layers:
                layer.finish_calibration(config)
        finally:
            for layer in layers:
                layer.stop_calibration()
        if block is not blocks[-1]:
            inputs = [_run(block, x) for x in inputs]


def _run(block: Any, x: Any) -> Any:
    # With `training`, a block runs as written: as a program, its layers could not watch.
    y = block(x, training=False)
    return y[0] if isinstance(y, list | tuple) else y
