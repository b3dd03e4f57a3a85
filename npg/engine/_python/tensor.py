"""The tensor as the graph sees it: an array, its history, its gradient, its version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npg import _errors
from npg.dtypes import KNOWN, check_known
from npg.engine._arguments import OPERATORS
from npg.engine._checks import NO_GRAD_VIEW, VIEW, refuse_view
from npg.engine._hooks import RemovableHandle, retain
from npg.engine._python.modes import state
from npg.ops.strided import as_strided, geometry

if TYPE_CHECKING:
    from npg.engine._python.node import Node


class VersionCounter:
    """The number of times a buffer was written in place; a tensor and its views share one."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class TensorBase:
    """An ndarray with a place in the graph.

    Attributes:
        _array: the ndarray.
        _grad: the accumulated gradient, a tensor, or None.
        _requires_grad: set on a leaf whose gradient is to be computed.
        _fn, _nr: the node that produced it (None for a leaf), and its number among that node's outputs.
        _counter: its VersionCounter.
        _accumulator: its AccumulateGrad, once it has been asked for.
        _base: for a view, the tensor whose buffer it shares (never itself a view); _kind: how the view was created;
            _seen: the version at which _fn was valid. See the comment in `grad_fn`.
    """

    # Defaults stand on the class, so that creating a tensor sets only what differs.
    _array: np.ndarray[Any, Any]
    _grad: Any = None
    _requires_grad = False
    _fn: Node | None = None
    _nr = 0
    _base: TensorBase | None = None
    _kind = VIEW
    _seen = 0
    _hooks: dict[int, Any] | None = None
    _post_hooks: dict[int, Any] | None = None
    _accumulator: Any = None
    _retains = False
    _inference = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # For calls from Python, which may never set an array: the tensor is empty until then. The engine uses `wrap`.
        t = object.__new__(cls)
        t._array = np.empty(0, np.float32)
        t._counter = VersionCounter()
        return t

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def _set_array(self, array: np.ndarray[Any, Any]) -> None:
        """Make this a new leaf on `array`. For constructors."""
        if array.dtype not in KNOWN:
            check_known(array.dtype)
        self._array = array
        self._counter = VersionCounter()
        if state.inference:
            self._inference = True

    def _swap_array(self, array: np.ndarray[Any, Any]) -> None:
        """Replace the buffer; the place in the graph and the version stay. For `x.data = y`."""
        if array.dtype not in KNOWN:
            check_known(array.dtype)
        version = self._counter.value
        self._array = array
        self._counter = VersionCounter()
        self._counter.value = version

    def _share_version(self, other: TensorBase) -> None:
        self._counter = other._counter

    @property
    def grad_fn(self) -> Node | None:
        """Return the node that produced this tensor, or None for a leaf."""
        base = self._base
        # A view's history follows its base's: after an in-place change of the base (or of another view of it), the view
        # is a new slice of the changed base. That slice is recorded here, on demand.
        if base is not None and self._seen != self._counter.value:
            if self._fn is not None or base.requires_grad:
                from npg.engine._python.recording import record  # here, because it imports this module

                if self._kind:
                    refuse_view(self, self._fn, _errors.INDIRECTLY)
                node = record(as_strided, (base,), geometry(base._array, self._array), self._array, None)
                self._fn, self._nr = node, 0
                if self._retains:
                    retain(self, node, 0)
            self._seen = self._counter.value
        return self._fn

    @property
    def requires_grad(self) -> bool:
        """Tell whether gradients flow to or through this tensor."""
        base = self._base
        if self._kind and base is not None and self._seen != self._counter.value:
            # grad_fn would raise, because this view's history is no longer defined; this question has an answer.
            base_requires = self._kind != NO_GRAD_VIEW and base.requires_grad
            return self._requires_grad or self._fn is not None or base_requires
        return self._requires_grad or self.grad_fn is not None

    @property
    def is_leaf(self) -> bool:
        """Tell whether no recorded operation produced this tensor."""
        return self.grad_fn is None

    @property
    def output_nr(self) -> int:
        """Return this tensor's number among the outputs of grad_fn."""
        return self._nr

    @property
    def retains_grad(self) -> bool:
        """Tell whether this non-leaf tensor keeps its gradient in .grad."""
        return self._retains and self.grad_fn is not None

    def is_inference(self) -> bool:
        """Tell whether this tensor was made in inference mode."""
        return self._inference

    def _set_requires_grad(self, flag: bool) -> None:
        if self.grad_fn is not None:
            if not flag:
                raise RuntimeError(_errors.NOT_LEAF_FLAG)
            return
        if flag and self._array.dtype.kind not in "fc":
            raise RuntimeError(_errors.FLOAT_ONLY)
        if flag and self._inference and not state.inference:
            raise RuntimeError(_errors.INFERENCE_REQUIRES_GRAD)
        self._requires_grad = bool(flag)

    def _detach_in_place(self) -> None:
        self._fn, self._nr, self._requires_grad, self._base = None, 0, False, None

    def retain_grad(self) -> None:
        """Keep this tensor's gradient in .grad although it is not a leaf."""
        fn = self.grad_fn
        if fn is None:
            if not self._requires_grad:
                raise RuntimeError(_errors.RETAIN_LEAFLESS)
            return
        self._retains = True
        retain(self, fn, self._nr)

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad) when the gradient of this tensor is complete; a tensor that it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        fn = self.grad_fn
        if fn is None:
            if self._hooks is None:
                self._hooks = {}
            return RemovableHandle(self._hooks, hook)
        # Hooks belong to the node: after an in-place change the tensor has another node, with hooks of its own.
        if fn.tensor_hooks is None:
            fn.tensor_hooks = {}
        return RemovableHandle(fn.tensor_hooks.setdefault(self._nr, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(tensor) after a gradient was added to this leaf's .grad."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        if self.grad_fn is not None:
            raise RuntimeError(_errors.POST_HOOK_NOT_LEAF)
        if self._post_hooks is None:
            self._post_hooks = {}
        return RemovableHandle(self._post_hooks, hook)

    @staticmethod
    def __npg_apply__(op: Any, inputs: Any, params: Any) -> Any:
        from npg.engine._python.applying import apply

        return apply(op, inputs, params)


def register_operators(table: dict[str, Any]) -> None:
    """Install these functions, by name, as the operators of tensors. npg/tensor calls this once.

    They are set on TensorBase, because its twin in the Cython engine has them in C.
    """
    for name in OPERATORS:
        setattr(TensorBase, name, table[name])


_new: Any = object.__new__  # a subclass may define __new__ for its users
_tensor_class: type[TensorBase] = TensorBase


def register_tensor_class(cls: type[TensorBase]) -> None:
    """Let outputs be instances of `cls` from now on. npg/tensor calls this once."""
    global _tensor_class
    _tensor_class = cls


def wrap(array: Any) -> Any:
    """Return a new leaf tensor that shares an ndarray (or holds a NumPy scalar).

    Raises: TypeError, ValueError: for a dtype that npg does not have.
    """
    if not isinstance(array, np.ndarray):
        array = np.asarray(array)
    if array.dtype not in KNOWN:
        check_known(array.dtype)
    t = _new(_tensor_class)
    t._array = array
    t._counter = VersionCounter()
    if state.inference:
        t._inference = True
    return t
