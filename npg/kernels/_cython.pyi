"""The compiled names of npg.kernels, for type checkers; csrc/kernels documents them."""

from collections.abc import Callable
from typing import Any, TypeAlias, final

import numpy as np

_Array: TypeAlias = np.ndarray[Any, Any]

name: str
can_fold: bool

@final
class Loops: ...

@final
class Compiled: ...

def compile_steps(program: Any) -> Callable[..., Any] | None: ...
def is_for_blas(x: np.ndarray[Any, Any]) -> bool: ...
def multiply(a: _Array, b: _Array, out: _Array | None, row: _Array | None) -> _Array | None: ...
def linear(x: _Array, w: _Array, bias: _Array | None) -> _Array | None: ...
def attend(
    q: _Array,
    k: _Array,
    v: _Array,
    y: _Array,
    p: _Array | None,
    total: _Array | None,
    mask: _Array | None,
    scale: float,
    most: float,
    least: float,
) -> bool: ...
def attend_back(
    q: _Array,
    k: _Array,
    v: _Array,
    g: _Array,
    p: _Array | None,
    logs: _Array | None,
    gq: _Array | None,
    gk: _Array | None,
    gv: _Array | None,
    mask: _Array | None,
    scale: float,
    adds: bool,
) -> bool: ...
def fold(data: Any, crc: int) -> bytes: ...
def correlate(x: _Array, w: _Array, bias: _Array | None, y: _Array, window: Any, plan: Any, groups: int) -> bool: ...
def select(keep: _Array, a: _Array, b: _Array | None, out: _Array) -> None: ...
def spread(x: _Array, w: _Array, y: _Array, window: Any, plan: Any, groups: int, phases: Any) -> bool: ...
def weigh(x: _Array, y: _Array, parts: _Array, window: Any, plan: Any, groups: int) -> bool: ...
def transpose(x: _Array, y: _Array) -> bool: ...
def winograd(x: _Array, u: _Array, bias: _Array | None, y: _Array, shape: Any, plan: Any) -> bool | None: ...
def winograd_weigh(x: _Array, y: _Array, sums: _Array, shape: Any, plan: Any) -> bool | None: ...
def depthwise(x: _Array, w: _Array, bias: _Array | None, y: _Array, plan: Any) -> bool: ...
def depthwise_spread(x: _Array, w: _Array, y: _Array, plan: Any) -> bool: ...
def depthwise_weigh(x: _Array, y: _Array, parts: _Array, plan: Any) -> bool: ...
def recurrent(
    kind: int,
    of_input: _Array,
    w: _Array,
    bias: _Array | None,
    h: _Array,
    other_h: _Array,
    cells: _Array | None,
    y: _Array,
    gates: _Array | None,
    all_cells: _Array | None,
    more: _Array | None,
    units: int,
    walk: _Array,
) -> bool: ...
def recurrent_back(
    kind: int,
    gates: _Array | None,
    w: _Array,
    gy: _Array | None,
    gh: _Array,
    gc: _Array | None,
    y: _Array,
    h: _Array,
    cells: _Array | None,
    all_cells: _Array | None,
    more: _Array | None,
    gx: _Array,
    gs: _Array,
    units: int,
    walk: _Array,
) -> bool: ...
def largest(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], index: np.ndarray[Any, Any] | None, windows: Any
) -> bool: ...
def put(
    x: np.ndarray[Any, Any], g: np.ndarray[Any, Any], index: np.ndarray[Any, Any], is_sum: bool, is_apart: bool
) -> bool: ...
def put_even(
    x: np.ndarray[Any, Any], g: np.ndarray[Any, Any], index: np.ndarray[Any, Any], plan: Any, distances: Any
) -> bool: ...
def holds_words(source: Any, key: np.ndarray[Any, Any], place: int) -> bool: ...
def take_words(source: Any, count: int) -> np.ndarray[Any, Any]: ...
def take_long_words(source: Any, count: int) -> np.ndarray[Any, Any]: ...
def take_trials(source: Any, count: int, upper: int, lower: int) -> np.ndarray[Any, Any]: ...
def end_mpi_later(finalize: int, finalized: int, abort_all: int, world: int) -> bool: ...
def end_mpi_with(status: int) -> None: ...
def address(array: np.ndarray[Any, Any]) -> int: ...
def memory_held() -> tuple[int, int]: ...
def drop_memory() -> None: ...

__test__: dict[str, str]
__pyx_capi__: dict[str, Any]
