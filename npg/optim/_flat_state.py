"""Parameters stepped as one flat array.

A step is up to about fifteen passes over arrays. For a bias of ten numbers a pass costs only its call, so the state of
a group's small parameters is stored in one flat array for each entry, of which `state` has views: one call then serves
them all. A large parameter is stepped alone, in its own memory. Every tensor stays an ordinary tensor; when one is
replaced, as load_state_dict does, the next step builds the flat arrays anew.
"""

from __future__ import annotations

from operator import is_
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from npg.creation import from_numpy
from npg.functional._in_place import array_to_write
from npg.random import memory_order
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]

_NOTHING: dict[str, Any] = {}
_SMALL = 1 << 14  # elements; for larger parameters the passes themselves take the time


class FlatState:
    """The state of some parameters of one dtype that have taken equally many steps.

    Attributes:
        params: the parameters.
        entries: for each name except "step", the flat array of that entry.
        steps: how many steps each has taken; None where steps are not counted.
        t: the number of the current step, if steps are counted.
        fresh: whether entries were created for that step, as zeros.
    """

    def __init__(self, params: list[Tensor], states: Any, names: tuple[str, ...]) -> None:
        """Copy the parameters' entries from `states` and replace them there by views; missing ones start at 0."""
        self.params, self.t = params, 0.0
        arrays = [p._array for p in params]
        self._orders = [None if a.flags.c_contiguous else memory_order(a.shape, a.strides) for a in arrays]
        ends = np.cumsum([a.size for a in arrays]).tolist()
        self._slices = [slice(end - a.size, end) for end, a in zip(ends, arrays, strict=True)]
        dtype = arrays[0].dtype
        self.fresh = _is_fresh(states.get(params[0], {}), names)
        self.entries: dict[str, Array] = {}
        self.steps: Array | None = None
        for name in names:
            if name == "step":
                continue
            known = [states[p].get(name) for p in params]
            flat = _in_its_place(known, self._orders)
            if flat is None:
                flat = np.zeros(ends[-1], dtype)
                for p, view, value in zip(params, self._views(flat), known, strict=True):
                    states[p][name] = _filled(view, value)
            self.entries[name] = flat
        if "step" in names:
            self.steps = np.empty(len(params), states[params[0]]["step"]._array.dtype)
            for i, p in enumerate(params):
                states[p]["step"] = _filled(self.steps[i : i + 1].reshape(()), states[p]["step"])
        self._values = self._gradient = None
        if len(params) > 1:
            self._values, self._gradient = np.empty(ends[-1], dtype), np.empty(ends[-1], dtype)
            self._value_views, self._gradient_views = self._views(self._values), self._views(self._gradient)

    def _views(self, flat: Array) -> list[Array]:
        """Return each parameter's part of a flat array, in its shape and memory order."""
        views = []
        for p, part, order in zip(self.params, self._slices, self._orders, strict=True):
            shape = p._array.shape
            if order is None:
                views.append(flat[part].reshape(shape))
            else:
                back = sorted(range(len(shape)), key=order.__getitem__)
                views.append(flat[part].reshape([shape[i] for i in order]).transpose(back))
        return views

    def run(self, update: Any, group: dict[str, Any]) -> None:
        """Step the parameters: update(p, g, state, group) changes flat arrays in place, except g."""
        arrays = [array_to_write(p) for p in self.params]
        gradients = [p._grad._array for p in self.params]
        if self.steps is not None:
            self.steps += 1
            self.t = self.steps[0].item()
        if self._values is None:
            p, g = _line(arrays[0], self._orders[0]), _line(gradients[0], self._orders[0])
            update(p, g, self, group)
            if not _is_line(arrays[0], self._orders[0]):
                arrays[0][...] = self._views(p)[0]
        else:
            for view, array in zip(self._value_views, arrays, strict=True):
                view[...] = array
            for view, array in zip(self._gradient_views, gradients, strict=True):
                view[...] = array
            update(self._values, self._gradient, self, group)
            for view, array in zip(self._value_views, arrays, strict=True):
                array[...] = view
        self.fresh = False

    @property
    def is_even(self) -> bool:
        """Tell whether all have taken equally many steps; writing to the counts may change that."""
        return self.steps is None or len(self.params) == 1 or len(set(self.steps.tolist())) == 1


class FlatStates:
    """The flat states of a group's parameters: a shared one for the small, one for each large parameter."""

    def __init__(self, params: list[Tensor], states: Any, names: tuple[str, ...]) -> None:
        """Flatten the entries of `states` with these names, for the parameters that have a gradient."""
        lots: dict[Any, list[Tensor]] = {}
        shared = _shared(params)
        for p in params:
            array, state = p._array, states.get(p, {})
            key: Any = id(p)
            if array.size <= _SMALL and array.shape == p._grad._array.shape and key not in shared:
                step = state.get("step")
                key = array.dtype, _is_fresh(state, names), step is not None and (step.dtype, step.item())
            lots.setdefault(key, []).append(p)
        self.lots = [FlatState(lot, states, names) for lot in lots.values()]
        self._objects, self._rest = _signature(params, states, names)

    def serve(self, params: list[Tensor], states: Any, names: tuple[str, ...]) -> bool:
        """Tell whether they are still the state of these parameters, at the same places in memory."""
        try:
            objects, rest = _signature(params, states, names)
        except (KeyError, AttributeError):  # an entry is missing or is no tensor
            return False
        return (
            rest == self._rest
            and len(objects) == len(self._objects)
            and all(map(is_, objects, self._objects))
            and all(lot.is_even for lot in self.lots)
        )


def _shared(params: list[Tensor]) -> set[int]:
    """Return the ids of parameters whose memory may overlap: they are stepped one after another."""
    spans = sorted([(*byte_bounds(p._array), id(p)) for p in params])
    overlapping: set[int] = set()
    end = owner = 0
    for start, stop, key in spans:
        if start < end:
            overlapping |= {owner, key}
        if stop > end:
            end, owner = stop, key
    return overlapping


def _is_fresh(state: dict[str, Any], names: tuple[str, ...]) -> bool:
    return any(state.get(name) is None for name in names)


def _signature(params: list[Tensor], states: Any, names: tuple[str, ...]) -> tuple[list[Any], Any]:
    """Return what flat states depend on: the objects (arrays of parameters and entries), and the rest."""
    gradients = [p._grad._array for p in params]
    objects = [*params, *[p._array for p in params], *[g.dtype for g in gradients]]
    if names:
        entries = [states.get(p, _NOTHING) for p in params]
        objects += [entry[name]._array for entry in entries for name in names]
    return objects, (names, [g.shape for g in gradients])


# ----- Lines -----


def _line(array: Array, order: list[int] | None) -> Array:
    return array.reshape(-1) if order is None else array.transpose(order).reshape(-1)


def _is_line(array: Array, order: list[int] | None) -> bool:
    return order is None or array.transpose(order).flags.c_contiguous


def _in_its_place(known: list[Tensor | None], orders: list[list[int] | None]) -> Array | None:
    """Return the entry of a single parameter as a flat view of its own memory, or None where there is none."""
    if len(known) == 1 and known[0] is not None:
        transposed = known[0]._array if orders[0] is None else known[0]._array.transpose(orders[0])
        if transposed.flags.c_contiguous:
            return transposed.reshape(-1)
    return None


def _filled(view: Array, value: Tensor | None) -> Tensor:
    if value is not None:
        np.copyto(view, value._array)
    return from_numpy(view)
