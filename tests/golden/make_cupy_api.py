"""Lists what CuPy offers: names, parameters, the dtypes of its ufuncs. Needs CuPy, no GPU.

Without ml_dtypes in reach, with which CuPy 14 lists loops for bfloat16 that earlier ones lack.

python tests/golden/make_cupy_api.py > tests/golden/cupy_api.json
"""

import inspect
import json
import re

import cupy

ROOMS = {
    "": cupy,
    "linalg": cupy.linalg,
    "fft": cupy.fft,
    "lib.stride_tricks": cupy.lib.stride_tricks,
}


def parameters(function):
    """Names of a function's parameters; None if they can't be asked for."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [("*" * (p.kind == 2) or "**" * (p.kind == 4)) + p.name for p in found]


def of_method(function):
    """Names of a compiled method's parameters, by the first line of its text; None without."""
    found = re.match(r"[\w.]+\(self(?:, )?(.*?)\)", function.__doc__ or "")
    if not callable(function) or found is None:
        return None
    return [p.split("=")[0].split()[-1] for p in found[1].split(", ") if p]


def members(room):
    found = {}
    for name in sorted(vars(room)):
        value = getattr(room, name)
        if name.startswith("_") or inspect.ismodule(value):
            continue
        if isinstance(value, cupy.ufunc):
            found[name] = " ".join(value.types)
        elif inspect.isclass(value):
            found[name] = "class"
        elif callable(value):
            found[name] = parameters(value)
        else:
            found[name] = "constant"
    return found


api = {
    "version": cupy.__version__,
    "rooms": {name: members(room) for name, room in ROOMS.items()},
    "ndarray": {
        n: of_method(getattr(cupy.ndarray, n))
        for n in sorted(dir(cupy.ndarray))
        if not n.startswith("_")
    },
}
text = json.dumps(api, separators=(",", ":"))
print(text.replace('},"', '},\n"').replace('","', '", "').replace('],"', '],\n"'))
