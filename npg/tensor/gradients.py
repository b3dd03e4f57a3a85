"""backward() and grad(): the arguments, checked in PyTorch's words; npg/engine does the work."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any, NamedTuple

import numpy as np

from npg import _errors
from npg._words import size_text
from npg.engine import AccumulateGrad, TensorBase, apply, run_backward, wrap
from npg.ops.elementwise import clone
from npg.ops.joining import stack
from npg.ops.shape import contiguous
from npg.ops.strided import overlaps


class GradientEdge(NamedTuple):
    """Where a gradient goes: an output of a node. `node` of a leaf is its AccumulateGrad.

    backward and grad take it in place of the tensor, which need not be alive.

    Attributes:
        ownership_token: what else the edge keeps, here the shape and dtype of the tensor.
    Source: torch.autograd.graph.GradientEdge.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None


def _sequence(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, (TensorBase, GradientEdge)) else tuple(given)


def _resolved(x: Any, g: Any = None) -> Any:
    """Return a tensor as it is, and for an edge the leaf, or a stand-in for the tensor with that history.

    Args:
        g: the gradient that is given for it, or None.
    Raises: RuntimeError: for a tensor whose graph is not its own (npg.func's batched ones), with the text that it has.
    """
    if not isinstance(x, GradientEdge):
        refusal = getattr(x, "_without_gradients", None)
        if refusal is not None:
            raise RuntimeError(refusal)
        return x
    if isinstance(x.node, AccumulateGrad) and x.node.variable is not None:
        return x.node.variable
    like = x.ownership_token if x.ownership_token is not None else np.zeros(()) if g is None else g._array
    t = wrap(np.broadcast_to(np.zeros((), like.dtype), like.shape))  # no memory for values that nobody reads
    if isinstance(x.node, AccumulateGrad):  # of a leaf that is gone: no graph leads there
        t._set_requires_grad(True)
    else:
        t._fn, t._nr = x.node, x.output_nr
    return t


def _roots(given: Any, gradients: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the tensors to start from and the gradient (or None) of each.

    Raises: TypeError, AssertionError: for what is no tensor. RuntimeError: for another number of gradients.
    """
    roots = _sequence(given)
    for root in roots:
        if not isinstance(root, (TensorBase, GradientEdge)):
            raise AssertionError("Expected output to be a npg.Tensor")
    found = _gradients(gradients, len(roots))
    return tuple([_resolved(root, g) for root, g in zip(roots, found)]), found


def _wanted(inputs: Any, empty: str) -> tuple[Any, ...]:
    """Return the tensors and edges that inputs= names.

    Raises: RuntimeError: when there are none, or for what is neither.
    """
    if not hasattr(inputs, "__iter__"):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(inputs).__name__}")
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError(empty)
    for x in wanted:
        if not isinstance(x, (TensorBase, GradientEdge)):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
    return wanted


def _gradients(given: Any, count: int) -> tuple[Any, ...]:
    """Return one gradient (a tensor or None) per root.

    Raises: TypeError: for what is neither. RuntimeError: for another number of them.
    """
    if given is not None and not hasattr(given, "__iter__"):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    gradients = (None,) * count if given is None else _sequence(given)
    for g in gradients:
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(gradients) != count:
        raise RuntimeError(f"got {count} tensors and {len(gradients)} gradients")
    return gradients


def _lacks_gradient(roots: tuple[Any, ...], gradients: tuple[Any, ...]) -> bool:
    """Tell whether a root that is no scalar was given no gradient."""
    return any(g is None and r._array.size != 1 and r.requires_grad for r, g in zip(roots, gradients))


def _level_of_user() -> int:
    """Return the stacklevel of a warning of the caller's at which the user's own line is named."""
    frame: Any = sys._getframe(1)
    level = 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("npg."):
        frame, level = frame.f_back, level + 1
    return level


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to .grad of the leaves.

    Args:
        tensors: a tensor or a sequence of them; a GradientEdge stands for its tensor, here and in inputs.
        grad_tensors: the gradient of each, None where it has one element. Without one a tensor of another shape starts
            from ones, as if its sum were differentiated, with a UserWarning: PyTorch refuses it.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, for gradients of higher order.
        grad_variables: the old name of grad_tensors.
        inputs: only these tensors get their gradient in .grad; those that are no leaves retain it from then on.
    Raises: RuntimeError: when a tensor has no graph, when it was freed, when the shapes do not fit.
    Source: torch.autograd.backward.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    wanted = None
    if inputs is not None:
        given = _wanted(inputs, _errors.EMPTY_INPUTS)
        for x in given:
            if isinstance(x, TensorBase):
                x.retain_grad()  # which is all it takes for those that are no leaves
        wanted = tuple([_resolved(x) for x in given])
    roots, gradients = _roots(tensors, grad_tensors)
    if _lacks_gradient(roots, gradients):
        warnings.warn(f"{_errors.ONLY_SCALARS}; starting from ones, as if of its sum", stacklevel=_level_of_user())
    if create_graph:
        _warn_of_cycle()
    _run(roots, gradients, create_graph if retain_graph is None else retain_graph, create_graph, wanted)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the sum of the gradients of `outputs` with respect to each of `inputs`; no .grad is touched.

    Args:
        outputs: a tensor or a sequence of them; a GradientEdge stands for its tensor, here and in inputs.
        inputs: a tensor or a sequence of them, leaves or not.
        grad_outputs: the gradient of each output, None where it has one element.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, so that the results can be differentiated.
        only_inputs: as in PyTorch without effect.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.
        is_grads_batched: the first dimension of each of grad_outputs counts gradients; each is sent on its own, one
            after the other, and so are the results counted by their first dimension.
        materialize_grads: give zeros for such an input.
    Returns: one tensor (or None) per input.
    Raises: RuntimeError: when there is no graph, it was freed, the shapes do not fit, an input is unused.
    Source: torch.autograd.grad.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use npg.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    roots, gradients = _roots(outputs, grad_outputs)
    given = _wanted(inputs, "`inputs` argument to `grad()` cannot be empty.")
    wanted = tuple([_resolved(x) for x in given])
    count = _batch_size(roots, gradients) if is_grads_batched else None
    if count is None:
        if _lacks_gradient(roots, gradients):
            raise RuntimeError(_errors.ONLY_SCALARS)
    for x in wanted:
        if not x.requires_grad:
            raise RuntimeError(_errors.INPUT_WITHOUT_GRAD)
    keep = create_graph if retain_graph is None else retain_graph
    if count is None:
        found = _run(roots, gradients, keep, create_graph, wanted, False)
        found = handed_out(found, gradients) if create_graph else found
    else:
        found = _batched(roots, gradients, keep, create_graph, wanted, count)
    if materialize_grads:
        for x, g in zip(given, found):
            if g is None and isinstance(x, GradientEdge):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
        return tuple([wrap(np.zeros_like(x._array)) if g is None else g for g, x in zip(found, wanted)])
    if not allow_unused:
        for i, g in enumerate(found):
            if g is None:
                raise RuntimeError(_errors.UNUSED_INPUT.format(index=i))
    return tuple(found)


def handed_out(found: Any, given: Any) -> list[Any]:
    """Return the gradients of a recorded pass as they are given to a user: each with memory of its own.

    The engine itself sees to that where nothing is recorded.

    Args:
        given: the gradients that the pass started from.
    """
    taken = {id(g) for g in given}
    results: list[Any] = []
    for g in found:
        if g is not None and (id(g) in taken or g._array.base is not None):
            g = apply(contiguous if overlaps(g._array) else clone, (g,), {})
        taken.add(id(g))
        results.append(g)
    return results


# ----- Passes for some inputs only -----


class _Here(threading.local):
    for_inputs = False


_here = _Here()


def passes_for_inputs() -> bool:
    """Tell whether within a backward pass of this thread that is for some inputs only: of grad(), or with inputs=."""
    return _here.for_inputs


def _run(roots: Any, gradients: Any, keep: bool, create_graph: bool, wanted: Any, accumulate: bool = True) -> Any:
    if wanted is None:
        return run_backward(roots, gradients, keep, create_graph)
    before, _here.for_inputs = _here.for_inputs, True
    try:
        return run_backward(roots, gradients, keep, create_graph, wanted, accumulate)
    finally:
        _here.for_inputs = before


# ----- Several gradients for each output -----


def _batch_size(roots: tuple[Any, ...], gradients: tuple[Any, ...]) -> int:
    """Return how many gradients there are for each root.

    Raises: RuntimeError: when their shape is not (count, *shape of the root). ValueError: when the counts differ or one
        is missing.
    """
    sizes = set()
    for i, (root, g) in enumerate(zip(roots, gradients)):
        if g is None:
            raise ValueError("expected a gradient for every output when is_grads_batched=True, got None")
        shape, own = g._array.shape, root._array.shape
        if not shape or shape[1:] != own:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but a mismatch was detected: grad_output[{i}] has a shape of "
                f"{size_text(shape)} and output[{i}] has a shape of {size_text(own)}."
            )
        sizes.add(shape[0])
    if len(sizes) != 1:
        raise ValueError(f"expected grad_outputs of the same first dimension, got {sorted(sizes)}")
    return int(sizes.pop())


def _batched(
    roots: tuple[Any, ...], gradients: Any, keep: bool, create_graph: bool, wanted: tuple[Any, ...], count: int
) -> list[Any]:
    """Return per input its gradients, one for each entry of the first dimension of `gradients`."""
    if not count:
        return [wrap(np.zeros((0, *x._array.shape), x._array.dtype)) for x in wanted]
    passes = [
        _run(roots, tuple([g[i] for g in gradients]), keep or i + 1 < count, create_graph, wanted, False)
        for i in range(count)
    ]
    found: list[Any] = []
    for parts in zip(*passes):
        arrived = [g for g in parts if g is not None]
        if not arrived:
            found.append(None)
            continue
        filled = tuple([wrap(np.zeros_like(arrived[0]._array)) if g is None else g for g in parts])
        found.append(apply(stack, filled, {"dim": 0}))
    return found


_warned: list[bool] = []


def _warn_of_cycle() -> None:
    """Warn, once in a process as PyTorch does, of what create_graph=True does to leaves."""
    if _warned:
        return
    _warned.append(True)
    warnings.warn(
        "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
        "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
        "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break "
        "the cycle and avoid the leak.",
        stacklevel=_level_of_user(),
    )
