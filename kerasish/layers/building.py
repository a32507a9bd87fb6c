"""Building: a layer's weights are made once, under its name, from the shapes of its inputs."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import kerasish_core as core

from ..naming import current_path, name_scope
from ..ops.symbolic import batch_fill, evaluate
from .call_spec import CallSignature, build_arguments, shapes_of
from .shapes import as_shape, is_shape

__all__ = ["Building", "argument_names", "wrap_build"]


def wrap_build(build: Any) -> Any:
    """Run a `build` under the layer's name, once, and lock the layer's state after it."""

    @functools.wraps(build)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building"):  # super().build()
            build(self, *args, **kwargs)
            return
        self._building = True
        try:
            with core.eager_scope(), self._scope():
                self._path = current_path()
                build(self, *args, **kwargs)
        finally:
            self._building = False
        shapes = {**dict(zip(argument_names(build), args, strict=False)), **kwargs}
        fill = batch_fill()
        self._build_shapes = shapes if fill is None else _without(fill, shapes)
        self.built = True
        self._tracker.locked = self._locks

    wrapper._wrapped = True
    return wrapper


def _without(fill: int, shapes: Any) -> Any:
    """Shapes with an unknown batch size again."""
    if is_shape(shapes):
        return (None, *shapes[1:]) if shapes and shapes[0] == fill else shapes
    if isinstance(shapes, dict):
        return {k: _without(fill, v) for k, v in shapes.items()}
    return [_without(fill, v) for v in shapes] if isinstance(shapes, list | tuple) else shapes


@functools.cache
def argument_names(build: Any) -> tuple[str, ...]:
    """The names of what a method takes, without `self`."""
    parameters = list(inspect.signature(build).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


class Building:
    """What a layer knows of being built. `Layer` is the only heir."""

    name: str
    built: bool
    _path: str | None
    _layers: list[Any]
    _build_shapes: dict[str, Any] | None
    _signature: CallSignature
    call: Any
    _clear_losses: Any

    @wrap_build
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape. Subclasses override it."""

    def _scope(self) -> Any:
        # What is made later, by `quantize` for one, stands where the first weights did.
        parent = None if self._path is None else self._path.rpartition("/")[0]
        return name_scope(self.name, caller=self, override_parent=parent)

    def _maybe_build(self, args: Any, kwargs: Any, symbolic: bool) -> None:
        """Build from the first call's arguments, under the layer's name."""
        shapes = shapes_of(self._signature, args, kwargs)
        if type(self).build is Building.build and any(not x.built for x in self._layers):
            # Sublayers are built, under this layer's name, when `call` runs abstractly.
            with self._scope():
                try:
                    evaluate(self.call, args, kwargs)
                except Exception as error:
                    if not symbolic:
                        return  # The call itself will build them, or raise.
                    warnings.warn(
                        f"Layer '{self.name}' looks like it has unbuilt state, but its `call()` "
                        f"can't be traced to build it automatically ({type(error).__name__}: "
                        f"{error}). Implement `build()`.",
                        stacklevel=4,
                    )
                finally:
                    self._clear_losses()
        self._run_build(shapes)

    def _run_build(self, shapes: dict[str, Any]) -> None:
        """Call `build` with those of the shapes (named after arguments) that it takes."""
        build = getattr(type(self).build, "__wrapped__", type(self).build)
        names = list(argument_names(build))
        chosen = build_arguments(names, shapes, self._signature.names, type(self).__name__)
        self.build(**chosen)

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": dict(shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as the saved layer was."""
        if not config or self.built:
            return
        if "shapes_dict" in config:
            self.build(**{k: as_shape(v) for k, v in config["shapes_dict"].items()})
        elif "input_shape" in config:
            self.build(as_shape(config["input_shape"]))
