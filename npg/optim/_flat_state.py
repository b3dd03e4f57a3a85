"""Small parameters stepped as one.

A step of Adam is some fifteen passes over arrays. Of a bias of ten numbers each pass costs only its call, so what is
remembered of a group's small parameters lies side by side in one flat array for each kind, of which `state` has views:
one call then serves them all. Every tensor stays an ordinary tensor; whoever replaces one, as load_state_dict does,
makes the next step lay them side by side anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy
from npg.tensor import Tensor

__all__ = ["Together", "fits", "side_by_side"]

_SMALL = 1 << 14  # elements; of larger ones the passes themselves take the time


def fits(p: Tensor) -> bool:
    """Tell whether a parameter with its gradient may be stepped together with others."""
    array, g = p._array, p.grad._array  # type: ignore[union-attr]  # those without a gradient are passed over
    return (
        array.size <= _SMALL
        and array.dtype == g.dtype
        and array.shape == g.shape
        and array.flags.c_contiguous
        and array.dtype.char in "fd"
    )


class Together:
    """The flat state of some parameters of one dtype.

    Attributes:
        params: the parameters.
        flat: per name what is remembered of all of them; "step" has one number for each.
        slices: per parameter its part of the flat arrays.
    """

    def __init__(self, params: list[Tensor], states: Any, names: tuple[str, ...]) -> None:
        """Lay side by side what `states` remembers of the parameters (zeros: nothing yet), and give it views."""
        self.params = params
        dtype = params[0]._array.dtype
        ends = np.cumsum([p._array.size for p in params]).tolist()
        self.slices = [slice(end - p._array.size, end) for end, p in zip(ends, params, strict=True)]
        self.flat = {name: np.zeros(ends[-1], dtype) for name in names}
        self.flat["step"] = np.zeros(len(params), states[params[0]]["step"]._array.dtype)
        self.gradient, self.values = np.empty(ends[-1], dtype), np.empty(ends[-1], dtype)
        self._views: list[dict[str, Tensor]] = []
        for i, (p, part) in enumerate(zip(params, self.slices, strict=True)):
            known = states.get(p, {})
            views = {"step": from_numpy(self.flat["step"][i : i + 1].reshape(()))}
            for name in names:
                views[name] = from_numpy(self.flat[name][part].reshape(p._array.shape))
            for name, view in views.items():
                if name in known:
                    np.copyto(view._array, known[name]._array)
            states[p] = {**known, **views}
            self._views.append(views)

    def serves(self, params: list[Tensor], states: Any, names: tuple[str, ...]) -> bool:
        """Tell whether these parameters' states are still the views."""
        if len(params) != len(self.params) or len(names) + 1 != len(self.flat):
            return False
        for p, mine, views in zip(params, self.params, self._views, strict=True):
            if p is not mine:
                return False
            state = states.get(p)
            if state is None or any(state.get(name) is not view for name, view in views.items()):
                return False
        return True


def side_by_side(arrays: list[np.ndarray[Any, Any]], out: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Copy arrays one after the other into `out`, which is flat, and return it."""
    return np.concatenate([a.reshape(-1) for a in arrays], out=out)
