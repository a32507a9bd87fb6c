"""Random numbers, activations by name, initializers, regularizers, constraints, trees, policies,
settings: the smaller rooms."""

from __future__ import annotations

import numpy as np

from .entries import call, entry, mark, spec, use
from .inputs import DTYPES, FLOATS, A, C, V, as_type, draw, typed

# -- random numbers: moments instead of bits


def moments_of(case, result):
    """Shape, dtype and what many draws have in common."""
    if not hasattr(result, "dtype"):
        return result
    x = np.asarray(result)
    wide = x.astype("float64").ravel()
    if wide.size < 1000:
        return [result.shape, x.dtype.name]
    if x.dtype.kind not in "f" and x.dtype.name != "bfloat16":
        return [result.shape, x.dtype.name, np.array([wide.mean(), wide.std()], "float32")]
    quantiles = np.quantile(wide, [0.1, 0.5, 0.9])
    return [result.shape, x.dtype.name, np.array([wide.mean(), wide.std(), *quantiles], "float32")]


MANY = (200, 100)
call("random: normal truncated_normal", MANY, seed=1)
call("random: normal truncated_normal", MANY, mean=3.0, stddev=0.5, seed=1)
call("random: uniform", MANY, seed=1)
call("random: uniform", MANY, minval=-2.0, maxval=3.0, seed=1)
call("random: randint", MANY, -3, 8, seed=1)
call("random: gamma", MANY, 2.0, seed=1)
call("random: beta", MANY, 2.0, 3.0, seed=1)
call("random: binomial", MANY, 10.0, 0.3, seed=1)
call("random: categorical", np.log(np.array([[0.1, 0.2, 0.7]] * 2, "float32")), 10000, seed=1)
call("random: shuffle", np.arange(2000, dtype="float32"), seed=1)
call("random: dropout", np.ones((200, 100), "float32"), 0.3, seed=1)
call("random: dropout", np.ones((200, 100), "float32"), 0.3, noise_shape=(200, 1), seed=1)
for _shape in ((), (3,), (2, 3), [2, 1, 3], (0, 2), (2, 1, 3, 2)):
    spec("random: normal truncated_normal uniform", _shape, seed=1)
    spec("random: randint", _shape, 0, 5, seed=1)
    spec("random: gamma", _shape, 2.0, seed=1)
    spec("random: beta binomial", _shape, 0.5, 0.5, seed=1)
for _dtype in (*FLOATS, "float64", "int32", "bool", None, "other"):
    spec("random: normal truncated_normal uniform", (3,), dtype=_dtype, seed=1)
    spec("random: gamma", (3,), 2.0, dtype=_dtype, seed=1)
    spec("random: beta binomial", (3,), 0.5, 0.5, dtype=_dtype, seed=1)
for _dtype in ("int32", "uint8", "int8", "int64", "float32", "bool", None):
    spec("random: randint", (3,), 0, 5, dtype=_dtype, seed=1)
    spec("random: categorical", draw(2, 3), 4, dtype=_dtype, seed=1)
for _seed in ("text", 1.0, -1, None.__class__, [1]):
    spec("random: normal truncated_normal uniform", (3,), seed=_seed)
spec("random: gamma", (3,), draw(3, low=1, high=2), seed=1)
spec("random: gamma", (2, 3), draw(3, low=1, high=2), seed=1)
spec("random: beta binomial", (3,), draw(3, low=0.2, high=0.9), draw(3, low=0.2, high=0.9), seed=1)
spec("random: normal", (2, 3), draw(3), seed=1)
spec("random: categorical", draw(3), 2, seed=1)
spec("random: categorical", C, 2, seed=1)
for _axis in (0, 1, -1, 2):
    spec("random: shuffle", A, axis=_axis, seed=1)
for _dtype in DTYPES:
    spec("random: shuffle", typed(_dtype, 3, 4), seed=1)
    spec("random: dropout", typed(_dtype, 3, 4), 0.5, seed=1)
for _rate in (0.0, 0, 1.0, 1.5, -0.1):
    spec("random: dropout", A, _rate, seed=1)
spec("random: dropout", A, 0.5, noise_shape=(3,), seed=1)
spec("random: dropout", A, 0.5, noise_shape=(None, 1), seed=1)
mark(
    "random: normal truncated_normal uniform randint gamma beta binomial categorical shuffle "
    "dropout",
    canonical=moments_of, tolerance=0.05, gradient="",
)  # fmt: skip


def _advances(k):
    made = k.random.SeedGenerator(7)
    before = np.asarray(made.state).tolist()
    k.random.normal((2,), seed=made)
    after = np.asarray(made.state).tolist()
    made.next()
    return before, after, np.asarray(made.state).tolist(), np.asarray(made.next()).shape


use("random.SeedGenerator", "advances", _advances)
use("random.SeedGenerator", "config", lambda k: k.random.SeedGenerator(3, name="n").get_config())
use("random.SeedGenerator", "from config", lambda k: k.random.SeedGenerator.from_config(
    {"seed": 5, "name": "x"}).get_config())  # fmt: skip
use("random.SeedGenerator", "drawn alike", lambda k: bool(
    (np.asarray(k.random.uniform((3,), seed=k.random.SeedGenerator(3)))
     == np.asarray(k.random.uniform((3,), seed=k.random.SeedGenerator(3)))).all()))  # fmt: skip
for _seed in ("text", 1.5, -1):
    use("random.SeedGenerator", f"seed {_seed}", lambda k, s=_seed: k.random.SeedGenerator(s).name)
use("random.SeedGenerator", "unknown", lambda k: k.random.SeedGenerator(1, other=2).name)
mark("random: SeedGenerator", batch=False)

# -- what can be named and written down

NAMED = {
    "activations": ["relu", "linear", "swish", "hard_swish", "log_softmax", "gelu"],
    "initializers": ["zeros", "Ones", "he_normal", "HeNormal", "glorot_uniform", "orthogonal"],
    "regularizers": ["l1", "L2", "L1L2", "orthogonal_regularizer"],
    "constraints": ["max_norm", "MaxNorm", "non_neg", "unit_norm", "min_max_norm"],
}


def _named(x):
    """What a thing is, by its name."""
    name = getattr(x, "__name__", None) or type(x).__name__
    return name if x is not None else None


for _room, _names in NAMED.items():
    for _name in [*_names, None, "no such thing", 3, {"class_name": "no such thing", "config": {}}]:
        use(f"{_room}.get", repr(_name), lambda k, r=_room, n=_name: _named(getattr(k, r).get(n)))
    for _name in _names:

        def _there(k, r=_room, n=_name):
            room = getattr(k, r)
            return room.serialize(room.get(n))

        def _and_back(k, r=_room, n=_name):
            room = getattr(k, r)
            return _named(room.deserialize(room.serialize(room.get(n))))

        use(f"{_room}.serialize", _name, _there)
        use(f"{_room}.deserialize", _name, _and_back)
    use(f"{_room}.deserialize", "custom", lambda k, r=_room: _named(getattr(k, r).deserialize(
        "mine", custom_objects={"mine": _named})))  # fmt: skip
    mark(f"{_room}: get serialize deserialize", batch=False)
use("activations.get", "a function", lambda k: _named(k.activations.get(_named)))
use("initializers.get", "a class", lambda k: _named(k.initializers.get(k.initializers.Zeros)))
use("initializers.get", "an object", lambda k: _named(k.initializers.get(k.initializers.Zeros())))


def build(room, name, kwargs):
    return lambda k: getattr(getattr(k, room), name)(**kwargs)


def made(room, name, **kwargs):
    """The config of an object, also through a config."""
    make = build(room, name, kwargs)
    label = repr(kwargs)
    use(f"{room}.{name}", f"config {label}", lambda k: make(k).get_config())
    use(
        f"{room}.{name}", f"again {label}",
        lambda k: type(make(k)).from_config(make(k).get_config()).get_config(),
    )  # fmt: skip
    mark(f"{room}: {name}", batch=False)


def initial(name, shape, dtype=None, **kwargs):
    make = build("initializers", name, kwargs)
    use(
        f"initializers.{name}", f"{shape} {dtype} {kwargs}",
        lambda k: make(k)(shape, dtype=dtype) if dtype else make(k)(shape),
    )  # fmt: skip


SCALED = ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]
RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal"]
for _name in [*SCALED, *RANDOM, "VarianceScaling", "Orthogonal"]:
    made("initializers", _name, seed=3)
    initial(_name, (100, 200), seed=1)
    initial(_name, (100, 20), "float16", seed=1)
    initial(_name, (2, 3), "other", seed=1)
    entry(f"initializers.{_name}").canonical = moments_of
    entry(f"initializers.{_name}").tolerance = 0.03
for _name in [*SCALED, "VarianceScaling"]:
    made("initializers", _name, seed=3, input_axes=(0,), output_axes=(1,))
    initial(_name, (3, 3, 40, 50), seed=1)
    initial(_name, (20, 30, 40), seed=1, input_axes=(0, 1), output_axes=(2,))
    for _shape in ((), (5,), (0, 3)):
        initial(_name, _shape, seed=1)
for _name in RANDOM:
    initial(_name, (100, 200), "int32", seed=1)
initial("RandomNormal", (100, 200), mean=2.0, stddev=0.1, seed=1)
initial("RandomUniform", (100, 200), minval=1.0, maxval=3.0, seed=1)
initial("TruncatedNormal", (100, 200), mean=2.0, stddev=0.1, seed=1)
for _mode in ("fan_in", "fan_out", "fan_avg", "other"):
    for _law in ("truncated_normal", "untruncated_normal", "uniform", "normal", "other"):
        initial("VarianceScaling", (100, 200), scale=2.0, mode=_mode, distribution=_law, seed=1)
made("initializers", "VarianceScaling", distribution="normal")
initial("VarianceScaling", (10, 20), scale=-1.0)
initial("Orthogonal", (20, 100), gain=2.0, seed=1)
initial("Orthogonal", (3, 4, 5, 6), seed=1)
initial("Orthogonal", (5,), seed=1)
use("initializers.Orthogonal", "is orthogonal", lambda k: (lambda q: np.round(
    q @ q.T, 3))(np.asarray(k.initializers.Orthogonal(seed=1)((8, 50)))))  # fmt: skip
for _name, _options in [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 2.5}), ("Constant", {"value": [1.0, 2.0]}),
    ("Identity", {}), ("Identity", {"gain": 2.0}),
]:  # fmt: skip
    made("initializers", _name, **_options)
    for _shape in ((3, 2), (2,), (2, 2, 2), ()):
        initial(_name, _shape, **_options)
    for _dtype in ("float16", "int32", "bool", "other"):
        initial(_name, (3, 2), _dtype, **_options)
for _options in [
    {}, {"side": "imag"}, {"side": "imag", "scaling": "spectrum", "periodic": True},
    {"window": "hamming", "scaling": None}, {"window": None}, {"side": "other"},
    {"scaling": "other"}, {"window": "other"},
]:  # fmt: skip
    made("initializers", "STFT", **_options)
    initial("STFT", (8, 1, 5), **_options)
mark("initializers: STFT", tolerance=1e-4)
use("initializers.Initializer", "is abstract", lambda k: k.initializers.Initializer()((2, 3)))
use("initializers.Initializer", "config", lambda k: k.initializers.Initializer().get_config())
use("initializers.Initializer", "clone", lambda k: _named(k.initializers.Zeros().clone()))
mark("initializers: Initializer", batch=False)

for _name, _options in [
    ("L1", {}), ("L1", {"l1": 0.3}), ("L2", {"l2": 0.3}), ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}), ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "columns"}),
]:  # fmt: skip
    made("regularizers", _name, **_options)
    for _x in (A, as_type(A, "float16"), as_type(A, "bfloat16"), C, V, draw(0, 4)):
        use(f"regularizers.{_name}", f"{_options} {_x.dtype}{list(_x.shape)}",
            lambda k, x, m=build("regularizers", _name, _options): m(k)(x), _x)  # fmt: skip
for _name, _options in [
    ("L1", {"l1": "text"}), ("L2", {"l2": None}), ("L1L2", {"l1": None, "l2": 0.1}),
    ("OrthogonalRegularizer", {"mode": "other"}),
]:  # fmt: skip
    made("regularizers", _name, **_options)
mark("regularizers: L1 L2 L1L2 OrthogonalRegularizer", symbolic=False, tolerance=1e-4)
use("regularizers.Regularizer", "is abstract", lambda k, x: k.regularizers.Regularizer()(x), A)
use("regularizers.Regularizer", "config", lambda k: k.regularizers.Regularizer().get_config())
mark("regularizers: Regularizer", batch=False, symbolic=False, gradient="")

for _name, _options in [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 0.5, "axis": 1}), ("MaxNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.5, "rate": 0.3}), ("MinMaxNorm", {"axis": 1}),
    ("NonNeg", {}), ("UnitNorm", {}), ("UnitNorm", {"axis": 1}), ("UnitNorm", {"axis": [0, 1]}),
]:  # fmt: skip
    made("constraints", _name, **_options)
    for _x in (A, as_type(A, "float16"), as_type(A, "bfloat16"), C, V):
        use(f"constraints.{_name}", f"{_options} {_x.dtype}{list(_x.shape)}",
            lambda k, x, m=build("constraints", _name, _options): m(k)(x), _x)  # fmt: skip
mark("constraints: MaxNorm MinMaxNorm NonNeg UnitNorm", symbolic=False, tolerance=1e-4)
use("constraints.Constraint", "changes nothing", lambda k, x: k.constraints.Constraint()(x), A)
use("constraints.Constraint", "config", lambda k: k.constraints.Constraint().get_config())
mark("constraints: Constraint", batch=False, symbolic=False, gradient="")

# -- trees

NESTED = {"b": [1, (2, None)], "a": {"c": 3}}
for _name, _label, _use in [
    ("flatten", "nested", lambda t: t.flatten(NESTED)),
    ("flatten", "a leaf", lambda t: t.flatten(3)),
    ("flatten", "nothing", lambda t: t.flatten(None)),
    ("flatten", "empty", lambda t: t.flatten([])),
    ("flatten_with_path", "nested", lambda t: t.flatten_with_path(NESTED)),
    ("flatten_with_path", "a leaf", lambda t: t.flatten_with_path(3)),
    ("is_nested", "each kind", lambda t: [t.is_nested(x) for x in ([], (), {}, 3, None, "ab")]),
    ("lists_to_tuples", "nested", lambda t: repr(t.lists_to_tuples(NESTED))),
    ("map_structure", "one", lambda t: t.map_structure(lambda x: [x], NESTED)),
    ("map_structure", "two", lambda t: t.map_structure(lambda a, b: (a, b), NESTED, NESTED)),
    ("map_structure", "none is no leaf",
     lambda t: t.map_structure(lambda x: x + 1, NESTED, none_is_leaf=False)),
    ("map_structure", "other structures", lambda t: t.map_structure(max, [1], [[1]])),
    ("map_structure", "nothing to map", lambda t: t.map_structure(max)),
    ("map_structure", "nothing to call", lambda t: t.map_structure(3, [1])),
    ("map_structure_up_to", "shallow",
     lambda t: t.map_structure_up_to([0, 0], lambda x: repr(x), [1, [2, 3]])),
    ("map_structure_up_to", "two",
     lambda t: t.map_structure_up_to((0, 0), lambda a, b: repr((a, b)), (1, [2]), (3, 4))),
    ("map_structure_up_to", "other", lambda t: t.map_structure_up_to([0, 0], repr, [1])),
    ("map_shape_structure", "shapes",
     lambda t: t.map_shape_structure(len, {"a": (None, 3), "b": [(2,), [4, 4]]})),
    ("pack_sequence_as", "nested", lambda t: t.pack_sequence_as(NESTED, [1, 2, 3, 4])),
    ("pack_sequence_as", "a leaf", lambda t: t.pack_sequence_as(0, [5])),
    ("pack_sequence_as", "too few", lambda t: t.pack_sequence_as(NESTED, [1])),
    ("pack_sequence_as", "too many", lambda t: t.pack_sequence_as([0], [1, 2])),
    ("pack_sequence_as", "no sequence", lambda t: t.pack_sequence_as([0], 1)),
    ("assert_same_structure", "alike", lambda t: t.assert_same_structure(NESTED, NESTED)),
    ("assert_same_structure", "deeper", lambda t: t.assert_same_structure([1], [[1]])),
    ("assert_same_structure", "other kind", lambda t: t.assert_same_structure([1], (1,))),
    ("assert_same_structure", "longer", lambda t: t.assert_same_structure([1], [1, 2])),
    ("assert_same_structure", "other keys", lambda t: t.assert_same_structure({"a": 1}, {"b": 1})),
    ("assert_same_paths", "alike", lambda t: t.assert_same_paths([1, (2,)], (3, [4]))),
    ("assert_same_paths", "other", lambda t: t.assert_same_paths([1], {"a": 2})),
    ("traverse", "leaves", lambda t: t.traverse(
        lambda x: x * 10 if isinstance(x, int) else None, NESTED)),
    ("traverse", "from below", lambda t: t.traverse(
        lambda x: len(x) if isinstance(x, tuple) else None, NESTED, top_down=False)),
    ("traverse", "to nothing", lambda t: t.traverse(
        lambda x: t.MAP_TO_NONE if x == 1 else None, NESTED)),
    ("traverse", "nothing to call", lambda t: t.traverse(3, NESTED)),
    ("MAP_TO_NONE", "is a class", lambda t: isinstance(t.MAP_TO_NONE, type)),
]:  # fmt: skip
    use(f"tree.{_name}", _label, lambda k, u=_use: u(k.tree))
    mark(f"tree: {_name}", batch=False)

# -- dtype policies

ATTRIBUTES = ("name", "compute_dtype", "variable_dtype", "quantization_mode")


def _policy(p):
    return {a: getattr(p, a) for a in ATTRIBUTES} | {"config": p.get_config(), "repr": repr(p)}


def policy(name, label, make):
    use(f"dtype_policies.{name}", label, lambda k: _policy(make(k.dtype_policies)))
    mark(f"dtype_policies: {name}", batch=False)


for _name in [
    "float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16", "int32", "bool",
    "string", "complex64", "foo", "int8", "mixed_float32", 3, None,
]:  # fmt: skip
    for _class in ("DTypePolicy", "FloatDTypePolicy"):
        policy(_class, repr(_name), lambda d, c=_class, n=_name: getattr(d, c)(n))
    policy("get", repr(_name), lambda d, n=_name: d.get(n))
for _name in [
    "int8_from_float32", "int8_from_mixed_bfloat16", "int4_from_float32", "float8_from_float32",
    "int4/64_from_float32", "gptq/4/128_from_float32", "awq/4/-1_from_float32",
    "int8_from_float16", "gptq_from_float32", "awq/3/1_from_float32", "int4/0_from_float32",
]:  # fmt: skip
    policy("get", _name, lambda d, n=_name: d.get(n))
    policy("serialize", _name, lambda d, n=_name: d.get(d.serialize(d.get(n))))
    policy("deserialize", _name, lambda d, n=_name: d.deserialize(d.serialize(d.get(n))))
use("dtype_policies.serialize", "as written", lambda k: k.dtype_policies.serialize(
    k.dtype_policies.get("mixed_float16")))  # fmt: skip
policy("deserialize", "unknown", lambda d: d.deserialize({"class_name": "foo", "config": {}}))
for _mode, _source in [("int8", "float32"), ("int8", None), ("int8", "mixed_bfloat16"),
                       ("int8", "float16"), ("foo", "float32")]:  # fmt: skip
    policy("QuantizedDTypePolicy", f"{_mode} {_source}",
           lambda d, m=_mode, s=_source: d.QuantizedDTypePolicy(m, s))  # fmt: skip
for _mode, _source in [("float8", "float32"), ("float8", "mixed_float16"), ("int8", "float32")]:
    policy("QuantizedFloat8DTypePolicy", f"{_mode} {_source}",
           lambda d, m=_mode, s=_source: d.QuantizedFloat8DTypePolicy(m, s))  # fmt: skip
policy("QuantizedFloat8DTypePolicy", "history", lambda d: d.QuantizedFloat8DTypePolicy(
    "float8", "float32", amax_history_length=7))  # fmt: skip
policy("QuantizedFloat8DTypePolicy", "bad history", lambda d: d.QuantizedFloat8DTypePolicy(
    "float8", "float32", amax_history_length="7"))  # fmt: skip
for _class, _modes in [
    ("Int4DTypePolicy", ("int4/64", "int4/-1", "int4/0", "int4", "int4/x")),
    ("GPTQDTypePolicy", ("gptq/4/128", "gptq/2/-1", "gptq/5/1", "gptq", "gptq/4/0")),
    ("AWQDTypePolicy", ("awq/4/128", "awq/4/-1", "awq/3/1", "awq", "awq/4/0")),
]:
    for _mode in _modes:
        policy(_class, _mode, lambda d, c=_class, m=_mode: getattr(d, c)(m, "float32"))


def _map(d):
    found = d.DTypePolicyMap("float32", {"a/b": d.get("float16")})
    found["layer.*"] = "mixed_bfloat16"
    return found


for _label, _use in [
    ("found", lambda d: [_map(d)[k].name for k in ("a/b", "layer_1", "other")]),
    ("length", lambda d: (len(_map(d)), list(_map(d)), _map(d).name)),
    ("config", lambda d: _map(d).get_config()),
    ("twice", lambda d: _map(d).__setitem__("a/b", "float32")),
    ("no policy", lambda d: _map(d).__setitem__("x", "foo")),
    ("removed", lambda d: (lambda m: (m.pop("a/b").name, len(m)))(_map(d))),
    ("no default", lambda d: d.DTypePolicyMap().name),
    ("no map", lambda d: d.DTypePolicyMap("float32", [1])),
]:
    use("dtype_policies.DTypePolicyMap", _label, lambda k, u=_use: u(k.dtype_policies))
mark("dtype_policies: DTypePolicyMap", batch=False)

# -- settings


def setting(room, setter, getter, values):
    """What is set is found again; what is refused changes nothing."""
    for value in values:

        def run(k, v=value):
            settings = getattr(k, room)
            before = getattr(settings, getter)()
            try:
                getattr(settings, setter)(v)
                return getattr(settings, getter)()
            finally:
                getattr(settings, setter)(before)

        use(f"{room}.{setter}", repr(value), run)
    use(f"{room}.{getter}", "default", lambda k: getattr(getattr(k, room), getter)())
    mark(f"{room}: {setter} {getter}", batch=False)


for _room in ("config", "backend"):
    setting(_room, "set_floatx", "floatx", ["float16", "bfloat16", "float64", "int8", 3, None])
    setting(_room, "set_epsilon", "epsilon", [1e-3, 1])
    setting(_room, "set_image_data_format", "image_data_format",
            ["channels_first", "Channels_Last", "other"])  # fmt: skip
setting("config", "set_max_epochs", "max_epochs", [3, None])
setting("config", "set_max_steps_per_epoch", "max_steps_per_epoch", [3, None])


def _policy_set(k, value):
    before = k.config.dtype_policy()
    try:
        k.config.set_dtype_policy(value)
        return k.config.dtype_policy().name
    finally:
        k.config.set_dtype_policy(before)


for _value in ("mixed_float16", "float64", "foo"):
    use("config.set_dtype_policy", _value, lambda k, v=_value: _policy_set(k, v))
use("config.dtype_policy", "default", lambda k: k.config.dtype_policy().name)
mark("config: set_dtype_policy dtype_policy", batch=False)


def _switched(k, name):
    on, off = getattr(k.config, f"enable_{name}"), getattr(k.config, f"disable_{name}")
    asked = getattr(k.config, f"is_{name}_enabled")
    before, found = asked(), []
    for turn in (on, off):
        turn()
        found.append(asked())
    (off if before is False else on)()
    return [before, *found]


for _name in ("flash_attention", "interactive_logging", "traceback_filtering"):
    for _setting in (f"enable_{_name}", f"disable_{_name}", f"is_{_name}_enabled"):
        use(f"config.{_setting}", "on and off", lambda k, n=_name: _switched(k, n))
        mark(f"config: {_setting}", batch=False)
use("config.is_nnx_enabled", "default", lambda k: k.config.is_nnx_enabled())
use("config.enable_unsafe_deserialization", "gives nothing", lambda k: callable(
    k.config.enable_unsafe_deserialization))  # fmt: skip
use("config.backend", "is a word", lambda k: isinstance(k.config.backend(), str))
use("backend.backend", "is a word", lambda k: isinstance(k.backend.backend(), str))
use("config.set_backend", "is there", lambda k: callable(k.config.set_backend))
mark("config: is_nnx_enabled enable_unsafe_deserialization backend set_backend", batch=False)

for _dtype in (*DTYPES, "float64", "int64", "float8_e4m3fn", "string", "other", None, int, float,
               bool, np.float16, np.dtype("int8"), 3):  # fmt: skip
    for _name in ("standardize_dtype", "is_float_dtype", "is_int_dtype"):
        use(f"backend.{_name}", repr(_dtype), lambda k, n=_name, d=_dtype: getattr(k.backend, n)(d))
for _first in (*DTYPES, "float64", "int64", "uint32", bool, int, float, None):
    for _second in (*DTYPES, "float64", "int64", "uint32", bool, int, float):
        use("backend.result_type", f"{_first} {_second}",
            lambda k, a=_first, b=_second: k.backend.result_type(a, b))  # fmt: skip
use("backend.result_type", "of nothing", lambda k: k.backend.result_type())
use("backend.result_type", "float8", lambda k: k.backend.result_type("float8_e4m3fn", "int8"))
use("backend.is_keras_tensor", "each kind", lambda k: [
    k.backend.is_keras_tensor(x) for x in (k.KerasTensor((2,)), 3, np.ones(2))])  # fmt: skip
use("backend.get_uid", "counts", lambda k: [k.backend.get_uid("parity") for _ in range(3)][1:] and [
    b - a for a, b in [[k.backend.get_uid("parity_") for _ in range(2)]]])  # fmt: skip
use("backend.clear_session", "starts afresh", lambda k: (
    k.backend.clear_session(), k.backend.get_uid("fresh"), k.backend.clear_session(),
    k.backend.get_uid("fresh"))[1::2])  # fmt: skip
mark(
    "backend: backend standardize_dtype is_float_dtype is_int_dtype result_type is_keras_tensor "
    "get_uid clear_session",
    batch=False,
)

# -- images bent at random

_BENT = draw(2, 32, 32, 3, low=0, high=1)
spec("ops.image: elastic_transform", _BENT, seed=1)
spec("ops.image: elastic_transform", _BENT[0].copy(), seed=1)
spec("ops.image: elastic_transform", _BENT, interpolation="bicubic", seed=1)
spec("ops.image: elastic_transform", _BENT, fill_mode="other", seed=1)
spec("ops.image: elastic_transform", A, seed=1)
call("ops.image: elastic_transform", _BENT, alpha=2.0, sigma=2.0, seed=1)
call("ops.image: elastic_transform", _BENT, alpha=0.0, seed=1)
mark("ops.image: elastic_transform", canonical=moments_of, tolerance=0.1, gradient="",
     symbolic=False)  # fmt: skip

entry("initializers.Constant").differs = {
    "() None {'value': [1.0, 2.0]}": "two values don't fit a scalar; Keras gives a vector"
}
entry("initializers.Identity").differs = {
    f"(3, 2) {dtype} {options}": "Keras gives float32, whatever was asked for"
    for dtype in ("int32", "bool")
    for options in ({}, {"gain": 2.0})
} | {f"{what} {{'gain': 2.0}}": "Keras forgets the gain" for what in ("config", "again")}
mark("regularizers: OrthogonalRegularizer", wider="Keras fails for columns of what is not square")
entry("regularizers.OrthogonalRegularizer").differs = {
    "{} bfloat16[3, 4]": "Keras keeps float16, but not bfloat16"
}
