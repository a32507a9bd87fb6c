"""The few names of `tensorflow` beside `tensorflow.keras` that have an exact counterpart here.

Namespace, then name, then target; a target without a colon is a value.
"""

from __future__ import annotations

__all__ = ["TENSORFLOW"]

_OPS = {
    name: f"ops:{name}"
    for name in (
        "abs", "add", "argsort", "convert_to_tensor", "cos", "einsum", "equal", "exp",
        "expand_dims", "greater", "greater_equal", "less", "less_equal", "logical_and",
        "logical_not", "logical_or", "matmul", "maximum", "minimum", "multiply", "norm",
        "not_equal", "ones_like", "round", "sign", "sin", "sort", "sqrt", "square", "squeeze",
        "stack", "subtract", "tanh", "tile", "unstack", "where", "zeros_like",
    )
}  # fmt: skip
_MATH = {
    **_OPS,
    "ceil": "ops:ceil", "divide": "ops:divide", "erf": "ops:erf", "floor": "ops:floor",
    "is_nan": "ops:isnan", "log": "ops:log", "log1p": "ops:log1p", "pow": "ops:power",
    "reduce_all": "ops:all", "reduce_any": "ops:any", "reduce_logsumexp": "ops:logsumexp",
    "reduce_max": "ops:max", "reduce_mean": "ops:mean", "reduce_min": "ops:min",
    "reduce_prod": "ops:prod", "reduce_std": "ops:std", "reduce_sum": "ops:sum",
    "reduce_variance": "ops:var", "rsqrt": "ops:rsqrt", "sigmoid": "ops:sigmoid",
    "softplus": "ops:softplus", "argmax": "compat.tensorflow:argmax",
    "argmin": "compat.tensorflow:argmin", "l2_normalize": "compat.tensorflow:l2_normalize",
}  # fmt: skip
_SEED = {"set_seed": "utils:set_random_seed", "set_random_seed": "utils:set_random_seed"}
_DTYPES = (
    "bfloat16", "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "string",
)  # fmt: skip

TENSORFLOW: dict[str, dict[str, str | None]] = {
    "": {
        **{name: name for name in _DTYPES},
        **{k: v for k, v in _MATH.items() if k not in ("log", "log1p", "erf", "ceil")},
        "GradientTape": "autodiff:GradientTape",
        "Tensor": "compat.tensorflow:Tensor",
        "Variable": "compat.tensorflow:Variable",
        "__version__": "2.15.0",
        "cast": "ops:cast",
        "clip_by_norm": "compat.tensorflow:clip_by_norm",
        "clip_by_value": "ops:clip",
        "cond": "ops:cond",
        "convert_to_tensor": "compat.tensorflow:convert_to_tensor",
        "newaxis": None,
        "TensorSpec": "compat.tensorflow:TensorSpec",
        "concat": "ops:concatenate",
        "constant": "compat.tensorflow:constant",
        "eye": "ops:eye",
        "fill": "ops:full",
        "function": "compat.tensorflow:function",
        "gather": "compat.tensorflow:gather",
        "identity": "compat.tensorflow:identity",
        "linspace": "ops:linspace",
        "one_hot": "compat.tensorflow:one_hot",
        "ones": "compat.tensorflow:ones",
        "range": "ops:arange",
        "reshape": "ops:reshape",
        "set_random_seed": "utils:set_random_seed",
        "shape": "ops:shape",
        "size": "ops:size",
        "stop_gradient": "ops:stop_gradient",
        "transpose": "compat.tensorflow:transpose",
        "zeros": "compat.tensorflow:zeros",
    },
    "math": _MATH,
    "nn": {
        name: f"ops:{name}"
        for name in ("elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu",
                     "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh")
    },
    "linalg": {"matmul": "ops:matmul", "norm": "ops:norm", "inv": "ops:inv", "det": "ops:det"},
    "random": {
        **_SEED,
        "normal": "compat.tensorflow:normal",
        "uniform": "compat.tensorflow:uniform",
    },
    "data": {
        "AUTOTUNE": "compat.tensorflow:AUTOTUNE",
        "Dataset": "utils.dataset:Dataset",
        "INFINITE_CARDINALITY": "utils.dataset:INFINITE",
        "UNKNOWN_CARDINALITY": "utils.dataset:UNKNOWN",
    },
    "data.experimental": {"AUTOTUNE": "compat.tensorflow:AUTOTUNE"},
    "compat": {},
    "compat.v1": {**_SEED},
    "config": {"list_physical_devices": "compat.tensorflow:no_devices"},
}  # fmt: skip
