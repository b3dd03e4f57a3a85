"""The compiled names of npg.kernels, for type checkers; csrc/kernels documents them."""

from collections.abc import Callable
from typing import Any, final

import numpy as np

name: str

@final
class Loops: ...

@final
class Compiled: ...

def compile_steps(program: Any) -> Callable[..., Any] | None: ...
def multiply(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], out: np.ndarray[Any, Any] | None
) -> np.ndarray[Any, Any] | None: ...
def attend(
    q: np.ndarray[Any, Any],
    k: np.ndarray[Any, Any],
    v: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
    p: np.ndarray[Any, Any] | None,
    total: np.ndarray[Any, Any] | None,
    mask: np.ndarray[Any, Any] | None,
    scale: float,
    most: float,
    least: float,
) -> bool: ...
def memory_held() -> tuple[int, int]: ...
def drop_memory() -> None: ...

__test__: dict[str, str]
__pyx_capi__: dict[str, Any]
