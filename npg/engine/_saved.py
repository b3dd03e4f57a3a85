"""Saved tensors: the hooks that pack and unpack them, and the error for one that was changed in place."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from npg import _errors
from npg._naming import named
from npg._words import op_text, scalar_name, shape_text
from npg.ops.strided import alias


class _Hooks(threading.local):
    """The hooks in force in a thread.

    Attributes:
        pairs: the (pack, unpack) pairs, the innermost last.
        refused: why hooks are disabled, or None.
        on_write: is called with an array that is about to be written in place; or None.
    """

    def __init__(self) -> None:
        self.pairs: tuple[tuple[Any, Any], ...] = ()
        self.refused: str | None = None
        self.on_write: Any = None


hooks = _Hooks()


class Packed:
    """The result of pack for one saved tensor, and the matching unpack."""

    __slots__ = ("unpack", "value")

    def __init__(self, tensor: Any) -> None:
        pack, self.unpack = hooks.pairs[-1]
        self.value = pack(tensor)

    def tensor(self, tensor_base: Any) -> Any:
        """Return the tensor. Raises: TypeError: when unpack returns something else."""
        tensor = self.unpack(self.value)
        if not isinstance(tensor, tensor_base):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(tensor).__name__}"
            )
        return tensor


def before_write(array: np.ndarray[Any, Any]) -> None:
    """Call `on_write` with an array that is about to be written. Called only while hooks are in force."""
    if hooks.on_write is not None:
        hooks.on_write(array)


def pack(node: Any, wrap: Any, tensor_base: Any, results: bool = True) -> tuple[Any, Any, Any, bool]:
    """Pass what a new node has saved through the innermost pack hook.

    The hook sees tensors without a history: one that led back to the node would keep it alive.

    Args:
        results: pack the output and a kernel's arrays too. Before an in-place change they do not exist yet, while the
            inputs must be packed before it.
    Returns: the node's inputs, output and saved, and whether it is packed: the versions of packed values are not
        checked.
    """
    packed = node.packed

    def put(a: Any) -> Any:
        nonlocal packed
        if not isinstance(a, np.ndarray):
            return a
        packed = True
        return Packed(wrap(a))

    output, saved = node.output, node.saved
    inputs = tuple([put(x._array) if isinstance(x, tensor_base) else x for x in node.inputs])
    if results:
        output = tuple([put(a) for a in output]) if isinstance(output, tuple) else put(output)
    if results and isinstance(saved, tuple):
        saved = tuple([put(a) for a in saved])
    return inputs, output, saved, packed


def _are_equal(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


def unpack(node: Any, wrap: Any, tensor_base: Any, recorded: bool) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """Return the inputs, the output and a kernel's arrays that a node has saved, unpacked, and the inputs' versions.

    In a recorded backward the inputs get back their history.
    """
    inputs = []
    for x, edge in zip(node.inputs, node.edges, strict=True):
        if isinstance(x, Packed):
            x = wrap(x.tensor(tensor_base)._array)
            if recorded and edge is not None:
                target, nr = edge
                if not isinstance(target, tensor_base):
                    x._fn, x._nr = target, nr
                elif _are_equal(x._array, target._array):
                    x = target  # the leaf itself, so that gradients are added in the order of a graph without hooks
                else:
                    x._fn = alias(target).grad_fn
        inputs.append(x)
    versions = tuple([x._counter.value if isinstance(x, tensor_base) else 0 for x in inputs])

    def get(a: Any) -> Any:
        return a.tensor(tensor_base)._array if isinstance(a, Packed) else a

    output = tuple([get(a) for a in node.output]) if isinstance(node.output, tuple) else get(node.output)
    saved = tuple([get(a) for a in node.saved]) if isinstance(node.saved, tuple) else node.saved
    return tuple(inputs), output, saved, versions


def modified(array: Any, source: Any, place: str, node: Any, version: int, expected: int) -> str:
    """Return the error text for a saved array that was changed in place.

    Args:
        source: (node, output_nr) that produced the array; (None, 0) for a leaf.
        place: the role of the array in `node`, which saved it: "input 0".
    """
    fn, nr = source
    text = _errors.MODIFIED.format(
        kind=scalar_name(array),
        shape=shape_text(array.shape),
        source="" if fn is None else f", which is output {nr} of {op_text(fn.name())},",
        place=place,
        node=node.name(),
        version=version,
        expected=expected,
    )
    return named(text)
