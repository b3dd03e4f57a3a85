"""Custom functions: a forward on tensors and its backward.

    class Exp(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    y = Exp.apply(x)

A call becomes one node. In a recorded backward (create_graph) `backward` receives tensors with a history, so it is
recorded itself, and the function has gradients of any order.
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import _errors
from npg._words import shape_text
from npg.autograd._saved import PackedSaved, Saved
from npg.engine import TensorBase, apply, attach, is_grad_enabled, no_grad, wrap
from npg.engine._saved import hooks
from npg.ops._broadcast import unbroadcast
from npg.ops._op import Like, Op, fused, primitive
from npg.ops.strided import alias

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """The context of a call, which carries saved tensors and attributes from forward to backward.

    Attributes:
        needs_input_grad: a tuple of bool: for each argument of forward whether its gradient may be needed.
    Source: torch.autograd.function.FunctionCtx.
    """

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._node: Any = None  # a weak reference, since the node refers to this object
        self._inputs: tuple[Like | None, ...] = ()
        self._outputs: tuple[Like | None, ...] = ()
        self._function: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Save tensors (or None) for backward; `saved_tensors` returns them, or raises if they were changed in place.

        Call it once, in forward or setup_context, with inputs, outputs or intermediate tensors.
        """
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Do nothing: npg has no forward-mode differentiation of custom functions."""

    def mark_dirty(self, *tensors: Any) -> None:
        """Declare the inputs that forward has changed in place; they must be among its outputs."""
        for i, x in enumerate(tensors):
            if not isinstance(x, TensorBase):
                raise TypeError(f"mark_dirty can only accept variables, but argument {i} is of type {type(x).__name__}")
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Declare outputs that have no gradient. Integer outputs need not be declared."""
        for x in tensors:
            if not isinstance(x, TensorBase):
                raise TypeError(f"mark_non_differentiable only accepts variable arguments, but got {type(x).__name__}")
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Set whether backward receives zeros (True, the default) or None for an output without a gradient."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors passed to save_for_backward.

        Raises: RuntimeError: when one has been changed in place since, or the graph has been freed.
        """
        if self._node is None:  # forward is still running
            return self._to_save
        node = self._node()
        saved = None if node is None else node.saved
        if saved is None:
            raise RuntimeError(_errors.FREED_GRAPH)
        return tuple([None if s is None else s.unpack(node) for s in saved])

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of saved_tensors."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors


# ----- Functions -----


class Function:
    """Base class of custom functions; see the top of this file.

    forward(ctx, *args) -> a tensor, or a tuple of tensors and other values; or forward(*args) beside
    setup_context(ctx, inputs, output). backward(ctx, *grads) -> one gradient per argument of forward, None for those
    that have none. All are static methods; `apply` calls the function.

    forward runs with recording off. An input that forward returns unchanged becomes a view of it. A view that forward
    returns must not be changed in place.
    Source: torch.autograd.Function.
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version of npg.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; subclasses define it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save the tensors that backward needs; subclasses whose forward takes no ctx define it."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of each argument of forward; subclasses define it, also under the name `vjp`."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function and record it as one node.

        Args:
            args, kwargs: forward's arguments; gradients flow to the tensors among them, not to those inside lists.
        Returns: forward's result.
        Raises: RuntimeError: for a leaf that requires grad and was changed in place, or a changed input that is not
            returned. TypeError: when anything but tensors is saved.
        """
        separate = cls.setup_context is not Function.setup_context
        context: tuple[Any, ...] = () if separate else (FunctionCtx(),)
        if separate or kwargs:
            bound = inspect.signature(cls.forward).bind(*context, *args, **kwargs)
            bound.apply_defaults()
            args = bound.args[len(context) :]
        ctx = context[0] if context else FunctionCtx()
        ctx._function = cls
        ctx.needs_input_grad = tuple([isinstance(x, TensorBase) and x.requires_grad for x in args])
        recorded = is_grad_enabled() and any(ctx.needs_input_grad)
        former = tuple([_former(x) for x in args]) if recorded else args
        with no_grad():
            output = cls.forward(*context, *args)
            if separate:
                cls.setup_context(ctx, args, output)
        outputs = output if isinstance(output, tuple) else (output,)
        returned = _recorded(ctx, args, former, outputs) if recorded else _unrecorded(ctx, args, outputs)
        return returned if isinstance(output, tuple) else returned[0]


def _among(x: Any, tensors: tuple[Any, ...]) -> bool:
    return any(x is t for t in tensors)


def _former(x: Any) -> Any:
    """Return a placeholder with x's history before forward, or x itself where forward cannot change its history."""
    if not isinstance(x, TensorBase) or x._base is None or not x._kind:
        return x
    former = wrap(x._array)
    former._fn, former._nr, former._requires_grad = x.grad_fn, x._nr, x._requires_grad
    return former


def _unrecorded(ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the outputs, with inputs that are returned unchanged detached."""
    inputs = [x for x in args if isinstance(x, TensorBase) and not _among(x, ctx._dirty)]
    return tuple([y.detach() if any(y is x for x in inputs) else y for y in outputs])


def _recorded(
    ctx: FunctionCtx, args: tuple[Any, ...], former: tuple[Any, ...], outputs: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Return the outputs with this call as their history, on top of the histories of `former`."""
    for i, x in enumerate(ctx._to_save):
        if x is not None and not isinstance(x, TensorBase):
            raise TypeError(
                f"save_for_backward can only save variables, but argument {i} is of type {type(x).__name__}"
            )
    for x in ctx._dirty:
        if not _among(x, outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function."
            )
        if x.requires_grad and x.is_leaf:
            raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    returned: list[Any] = []
    attached: list[Any] = []  # the outputs that get a history, None for the others
    for i, output in enumerate(outputs):
        result = output
        flows = isinstance(output, TensorBase) and output._array.dtype.kind == "f" and not _among(output, ctx._constant)
        if isinstance(output, TensorBase) and not _among(output, ctx._dirty):
            # An input, a tensor with a history, or a repeated output: each output gets a history of its own.
            if _among(output, args) or output.requires_grad or _among(output, outputs[:i]):
                with no_grad():
                    result = apply(alias, (output,), {})
        returned.append(result)
        attached.append(result if flows else None)
    numbers = {id(x): i for i, x in enumerate(outputs) if attached[i] is not None}
    keep = PackedSaved if hooks.pairs else Saved
    saved = tuple([None if x is None else keep(x, _number(x, numbers, args, ctx)) for x in ctx._to_save])
    ctx._to_save = ()
    ctx._inputs = tuple([Like(x._array.shape, x._array.dtype) if isinstance(x, TensorBase) else None for x in args])
    ctx._outputs = tuple([None if x is None else Like(x._array.shape, x._array.dtype) for x in attached])
    # Arguments marked as dirty are recorded as they are; for the others the history before forward counts.
    inputs = tuple([x if _among(x, ctx._dirty) else f for x, f in zip(args, former, strict=True)])
    node = attach(_op_of(ctx._function), inputs, {"ctx": ctx}, saved, tuple(attached), ctx._dirty)
    ctx._node = weakref.ref(node)
    ctx._dirty = ctx._constant = ()
    return tuple(returned)


def _number(x: Any, numbers: dict[int, int], args: tuple[Any, ...], ctx: FunctionCtx) -> int | None:
    # The output number of a saved tensor. An input that is returned unchanged is saved as an input.
    return None if _among(x, args) and not _among(x, ctx._dirty) else numbers.get(id(x))


# ----- The op behind a function -----


def _op_of(function: Any) -> Op:
    op: Op | None = function.__dict__.get("_op")
    if op is None:

        @fused()
        def custom(*inputs: Any) -> Any:
            raise NotImplementedError("a custom function is called by its apply")

        op = custom
        op.__doc__, op.is_multi, op.node_name = function.__doc__, True, f"{function.__name__}Backward"
        op.joint = op.recorded = _rule
        op.runs_without_gradient = True
        function._op = op
    return op


def _rule(g: Any, _y: Any, *_inputs: Any, saved: Any, needs: Any, ctx: Any) -> list[Any]:
    """Call the function's backward."""
    recorded = is_grad_enabled()  # in a backward pass: whether it is itself recorded
    given = [
        _materialized(like) if part is None and ctx._materialize else part if recorded or part is None else wrap(part)
        for part, like in zip(g, ctx._outputs, strict=True)
    ]
    function = ctx._function
    name = f"{function.__name__}Backward"
    rule = function.backward
    if rule is Function.backward:
        rule = function.vjp
    elif function.vjp is not Function.vjp:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
            "one of them."
        )
    found = rule(ctx, *given)
    results = found if isinstance(found, tuple) else (found,)
    count = len(ctx._inputs)
    if len(results) > count and all(x is None for x in results[count:]):
        results = results[:count]
    if len(results) != count:
        raise RuntimeError(
            f"function {name} returned an incorrect number of gradients (expected {count}, got {len(results)})"
        )
    grads = [_checked(name, i, gx, like) for i, (gx, like) in enumerate(zip(results, ctx._inputs, strict=True))]
    return [gx if recorded or gx is None else gx._array for gx in grads]


def _materialized(like: Like | None) -> Any:
    return None if like is None else wrap(np.zeros(like.shape, like.dtype))


def _checked(name: str, i: int, gx: Any, like: Like | None) -> Any:
    """Return a gradient from backward in the shape and dtype of its input."""
    if gx is None:
        return None
    if not isinstance(gx, TensorBase):
        raise RuntimeError(f"expected Variable or None (got {type(gx).__name__})")
    if like is None:
        raise RuntimeError(
            f"function {name} returned a gradient different than None at position {i + 1}, but the corresponding "
            "forward input was not a Variable"
        )
    shape: tuple[int, ...] = gx._array.shape
    if shape != like.shape:
        padded = (1,) * (len(shape) - len(like.shape)) + like.shape
        if len(padded) != len(shape) or any(m not in (1, n) for m, n in zip(padded, shape, strict=True)):
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {i} - got {shape_text(shape)} but "
                f"expected shape compatible with {shape_text(like.shape)}"
            )
        gx = unbroadcast(gx, like.shape)
    return gx if gx._array.dtype == like.dtype else gx.to(like.dtype)


# ----- Backward functions that cannot be differentiated -----


def _refuse(g: Any, _y: Any, *_xs: Any, needs: Any) -> Any:
    raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


@primitive(view=True)
def _final(input: Any, *others: Any) -> Any:
    return input.view()


_final.joint = _refuse
_final.node_name = "NotDifferentiable"


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward whose own gradient would be wrong: differentiating it raises.

    Raises: RuntimeError: in a backward pass through its results.
    Source: torch.autograd.function.once_differentiable.
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            found = function(ctx, *grads)
        wanting = [x for x in grads if isinstance(x, TensorBase) and x.requires_grad]
        if not is_grad_enabled() or not wanting:
            return found
        results = found if isinstance(found, tuple) else (found,)
        marked = tuple([x if x is None else apply(_final, (x, *wanting), {}) for x in results])
        return marked if isinstance(found, tuple) else marked[0]

    return wrapper
