"""The engine in plain Python: the text to read first, the fallback where nothing was compiled, the baseline for timing.

`csrc/engine.pyx` has the same names and does the same things in the same order; the tests hold the two together bit for
bit.

A *node* stands for one call of an op. It keeps what the op's rule will need, and an *edge* to where each input came
from: the node that produced it, or the tensor itself when that is a leaf. Nodes are numbered in the order of their
creation (`seq`), so an edge always leads from a higher number to a lower one. That makes the backward pass short: keep
the nodes that have been reached in a heap and always take the highest number. When a node is taken, every node that
could still add to its gradient has a higher number and is therefore done.

Read tensor.py, node.py, applying.py, backward.py, in this order.
"""

from npg._blocks import Block
from npg.engine._python.applying import apply, apply_in_place, attach, bump_version, check_in_place
from npg.engine._python.backward import run_backward
from npg.engine._python.function import Function, write_out
from npg.engine._python.modes import (
    ModeBlock,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    set_grad_mode,
    set_inference_mode,
    set_interceptor,
    set_observer,
    switches,
)
from npg.engine._python.node import Node
from npg.engine._python.tensor import TensorBase, VersionCounter, register_operators, register_tensor_class, wrap

name = "python"


def memory_held() -> tuple[int, int]:
    """Return the bytes of arrays in blocks of the engine's own, and of blocks kept for later: it has none."""
    return 0, 0


def drop_memory() -> None:
    """Give the blocks kept for later back to the operating system."""


__all__ = [
    "Block",
    "Function",
    "ModeBlock",
    "Node",
    "TensorBase",
    "VersionCounter",
    "apply",
    "apply_in_place",
    "attach",
    "bump_version",
    "check_in_place",
    "drop_memory",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "memory_held",
    "switches",
    "name",
    "register_operators",
    "register_tensor_class",
    "run_backward",
    "set_grad_mode",
    "set_inference_mode",
    "set_interceptor",
    "set_observer",
    "wrap",
    "write_out",
]
