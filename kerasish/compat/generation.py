"""For which Keras a program is written: 1, 2 or 3 (the present one)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import older
from . import meanings
from .changes import names_of_logs
from .tables.marks import (
    BACKEND,
    CALLS,
    FIRST_KEYWORDS,
    FIRST_OF_LAYERS,
    LAYERS,
    NEWER_KEYWORDS,
    SECOND_ATTRIBUTES,
    SECOND_KEYWORDS,
    SECOND_MODULES,
    SECOND_NAMES,
    SHORT,
)  # fmt: skip

__all__ = ["Guess", "decide", "guess", "read_on", "seen", "set_generation"]


@dataclass
class Guess:
    """What the text of a program says.

    Attributes:
        generation: 1, 2 or 3.
        reasons: Line and spelling of what shows the generation.
        texts: The strings in it, by which it may read logs.
    """

    generation: int = older.MODERN
    reasons: list[tuple[int, str]] = field(default_factory=list)
    texts: frozenset[str] = frozenset()


def set_generation(number: int, texts: frozenset[str] = frozenset()) -> None:
    """Read the program as one for this generation of Keras.

    Args:
        number: 1, 2 or 3.
        texts: The strings in the program, by which it may read logs.

    Raises:
        ValueError: It is none of these.
    """
    if number not in (1, 2, 3):
        raise ValueError(f"The generation of Keras is 1, 2 or 3. Received: {number!r}")
    older.state.generation = number
    names_of_logs.read(texts)
    meanings.install(number)


def seen(number: int) -> None:
    """A call of the program was of this generation: it is no later one."""
    if older.state.generation is None or older.state.generation > number:
        set_generation(number)


def decide(source: bytes | str) -> int:
    """Read the program as its text asks for; returns the generation."""
    found = guess(source)
    set_generation(found.generation, found.texts)
    return found.generation


def read_on(cell: str) -> None:
    """Take what one more cell of a notebook shows."""
    lines = [line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!"))]
    found = guess("\n".join(lines))
    names_of_logs.read(names_of_logs.known() | found.texts)
    if found.generation < (older.state.generation or older.MODERN):
        set_generation(found.generation, names_of_logs.known())


def guess(source: bytes | str) -> Guess:
    """The generation of a program's text, and what shows it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Guess()
    first: list[tuple[int, str]] = []
    second: list[tuple[int, str]] = []
    newer, texts, keys = False, set(), set()
    others = _of_others(tree)
    own = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
        keys.update(_log_keys(node))
        if isinstance(node, ast.Call | ast.Attribute) and _root(node) in others:
            continue
        if isinstance(node, ast.Call):
            if not (isinstance(node.func, ast.Name) and node.func.id in own):
                first += _first_in_call(node)
            newer = newer or any(k.arg in NEWER_KEYWORDS for k in node.keywords)
        second += _second_in(node)
    if _k_is_another(tree):
        second = [(line, text) for line, text in second if not text.startswith("K.")]
    second += _frozen_after_compile(tree)
    # Keras 2 still took the keywords of Keras 1: beside its own they do not make a program old.
    generation = 1 if first and not newer else 2 if first or second else 3
    if any(_third_in(node) for node in ast.walk(tree)):
        return Guess(texts=frozenset(texts))
    # A name or a label "acc" is of any Keras; reading a log by it is of Keras 2, if no metric
    # was given that name.
    keys -= {
        f"{prefix}{keyword.value.value}"
        for node in ast.walk(tree) if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
        for prefix in ("", "val_")
    }  # fmt: skip
    # So it is where a metric is meant by the short name.
    if any(_is_short_metric(node) for node in ast.walk(tree)):
        keys -= set(SHORT)
    short = "accuracy" in texts and not keys.isdisjoint(SHORT)
    if generation == older.MODERN and short and keys.isdisjoint(("accuracy", "val_accuracy")):
        generation = 2
        second.append((1, "'accuracy' and 'acc'"))
    return Guess(generation, sorted(first + second), frozenset(texts))


def _is_short_metric(node: ast.AST) -> bool:
    """Whether it is `metrics=["acc"]`."""
    if not isinstance(node, ast.keyword) or node.arg not in ("metrics", "weighted_metrics"):
        return False
    return any(isinstance(n, ast.Constant) and n.value in SHORT for n in ast.walk(node.value))


def _log_keys(node: ast.AST) -> Iterator[str]:
    """What may be the name of a log that the program reads."""
    found: list[Any] = []
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        found = [node.slice]
    elif isinstance(node, ast.Compare):
        found = [node.left]
    elif isinstance(node, ast.Call):
        found = node.args[:1] if _name(node.func) == "get" else []
        found += [k.value for k in node.keywords if k.arg == "monitor"]
    for each in found:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# Packages whose objects are none of Keras's; a module that is not known may wrap it.
_OTHERS = frozenset((
    "argparse", "cv2", "easydict", "flax", "gensim", "hydra", "jax", "lightgbm", "matplotlib",
    "nltk", "numpy", "omegaconf", "optax", "pandas", "scipy", "sklearn", "spacy", "statsmodels",
    "tokenizers", "torch", "torchvision", "transformers", "xgboost",
))  # fmt: skip


def _root(node: ast.AST) -> str:
    """The name that a chain of attributes, calls and subscripts begins with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        else:
            return ""
    return node.id


def _of_others(tree: ast.AST) -> set[str]:
    """Names that stand for nothing of Keras: what is imported from `_OTHERS`, and what is bound
    only to what that made (`forest = RandomForestClassifier(9).fit(x, y)`)."""
    imported: set[str] = set()
    made: dict[str, list[ast.Call]] = {}
    binds: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                binds[name] += 1
                if (getattr(node, "module", None) or alias.name).partition(".")[0] in _OTHERS:
                    imported.add(name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    made.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            binds[node.name] += 1
        elif isinstance(node, ast.arg):
            binds[node.arg] += 1
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            binds[node.id] += 1
    found = {name for name in imported if binds[name] == 1}
    for name, calls in made.items():
        if binds[name] == len(calls) and all(_made_by(call, found) for call in calls):
            found.add(name)
    return found


def _made_by(call: ast.Call, names: set[str]) -> bool:
    """Whether a chain of calls begins with one of these names, and that is given no model."""
    if _root(call) not in names:
        return False
    first = call
    while isinstance(first.func, ast.Attribute) and isinstance(first.func.value, ast.Call):
        first = first.func.value
    given = [*first.args, *(k.value for k in first.keywords)]
    used = (n.id for each in given for n in ast.walk(each) if isinstance(n, ast.Name))
    return all(name in names for name in used)


# What other packages' calls and objects have too (`XGBClassifier(subsample=...)`, `args.lr`): it
# shows a generation only where a name says of what it is.
_WINDOWS = re.compile("conv|pool|locally", re.I)
_SHARED_KEYWORDS = {"subsample": _WINDOWS, "border_mode": _WINDOWS}
_SHARED_ATTRIBUTES = {
    "lr": re.compile("opt|adam|sgd|rmsprop", re.I),
    "total_loss": re.compile("model", re.I),
    "predict_proba": re.compile("model", re.I),
}


def _k_is_another(tree: ast.AST) -> bool:
    """Whether `K` is something else than the backend: `import keras as K`, `K = x @ x.T`."""
    bound = [
        f"{getattr(node, 'module', '') or ''}.{alias.name}".rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == "K"
    ]
    if not bound:  # in a cell of a notebook it may be that of another cell
        bound = [
            "" for node in ast.walk(tree)
            if (isinstance(node, ast.Name) and node.id == "K" and isinstance(node.ctx, ast.Store))
            or (isinstance(node, ast.arg) and node.arg == "K")
        ]  # fmt: skip
    return bool(bound) and "backend" not in bound


def _first_in_call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = _name(node.func)
    for keyword in node.keywords:
        shared = _SHARED_KEYWORDS.get(keyword.arg or "")
        if shared and not shared.search(name):
            continue
        if keyword.arg in FIRST_KEYWORDS or (keyword.arg in FIRST_OF_LAYERS and name in LAYERS):
            yield node.lineno, f"{name}({keyword.arg}=...)"
    if name.startswith(("Convolution", "AtrousConvolution")) and len(node.args) > 2:
        yield node.lineno, f"{name} with {len(node.args)} arguments in a row"
    if name in CALLS:
        yield node.lineno, f"{name}(...)"


def _second_in(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _second_module(node.lineno, alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from _second_module(node.lineno, node.module)
        if not _ROOTS.isdisjoint(node.module.split(".")):
            for alias in node.names:
                yield from _second_module(node.lineno, f"{node.module}.{alias.name}")
                if alias.name in SECOND_NAMES:
                    yield node.lineno, f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "K" and node.attr not in BACKEND:
            yield node.lineno, f"K.{node.attr}"
        shared = _SHARED_ATTRIBUTES.get(node.attr)
        if shared and not shared.search(ast.unparse(node.value)):
            return
        if node.attr in SECOND_ATTRIBUTES or node.attr in SECOND_NAMES:
            yield node.lineno, f".{node.attr}"
    elif isinstance(node, ast.FunctionDef):
        if node.name in SECOND_ATTRIBUTES:
            yield node.lineno, f"def {node.name}"
    elif isinstance(node, ast.Call):
        name = _name(node.func)
        wanted = SECOND_KEYWORDS.get(name, ())
        for keyword in node.keywords:
            if keyword.arg in wanted:
                yield node.lineno, f"{name}({keyword.arg}=...)"
        if name in ("save_weights", "load_weights") and node.args:
            path = node.args[0]
            if (
                isinstance(path, ast.Constant)
                and isinstance(path.value, str)
                and (not path.value.endswith((".h5", ".hdf5", ".keras", ".json")))
            ):  # of TensorFlow's format
                yield node.lineno, f"{name}({path.value!r})"


_ROOTS = frozenset(("keras", "tf_keras", "kerasish"))

# Modules that came with Keras 3.
_THIRD = ("ops", "random", "tree", "distribution")


def _third_in(node: ast.AST) -> bool:
    """Whether it imports or names a module that no earlier Keras had."""
    if isinstance(node, ast.Import):
        return any(a.name.startswith(tuple(f"keras.{m}" for m in _THIRD)) for a in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module == "keras":
            return any(alias.name in _THIRD for alias in node.names)
        return node.module.startswith(tuple(f"keras.{m}" for m in _THIRD))
    return (
        isinstance(node, ast.Attribute) and node.attr in _THIRD
        and isinstance(node.value, ast.Name) and node.value.id == "keras"
    )  # fmt: skip


def _second_module(line: int, name: str) -> Iterator[tuple[int, str]]:
    """A module that only earlier releases had."""
    parts = name.split(".")
    for root in sorted(_ROOTS):
        if root in parts[:3]:
            inner = ".".join(parts[parts.index(root) + 1 :])
            if any(inner == m or inner.startswith(m + ".") for m in SECOND_MODULES):
                yield line, name


def _frozen_after_compile(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """`d.compile(...)`, then `d.trainable = False`, then training `d`: it is trained in Keras 2
    alone, where what held at `compile` counts."""
    compiled: dict[str, int] = {}
    frozen: dict[str, int] = {}
    trained: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if node.func.attr == "compile":
                compiled.setdefault(owner, node.lineno)
            elif node.func.attr in ("fit", "train_on_batch"):
                trained[owner] = max(node.lineno, trained.get(owner, 0))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            target = node.targets[0]
            constant = isinstance(node.value, ast.Constant) and node.value.value is False
            if target.attr == "trainable" and constant:
                frozen.setdefault(ast.unparse(target.value), node.lineno)
    for owner, line in frozen.items():
        if compiled.get(owner, line) < line < trained.get(owner, 0):
            yield line, f"{owner}.trainable = False between its compile and its training"
