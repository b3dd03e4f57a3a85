"""backward() and grad(): the arguments, checked in PyTorch's words; npg/engine does the work."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any, NamedTuple

import numpy as np

from npg import _errors, _naming
from npg._words import size_text
from npg.engine import AccumulateGrad, TensorBase, apply, run_backward, wrap
from npg.ops.elementwise import clone
from npg.ops.joining import stack
from npg.ops.shape import contiguous
from npg.ops.strided import overlaps


class GradientEdge(NamedTuple):
    """An edge of the graph: an output of a node; for a leaf, of its AccumulateGrad.

    backward and grad accept it in place of the tensor, which need not be alive.

    Attributes:
        ownership_token: further data of the edge, here the shape and dtype of the tensor.
    Source: torch.autograd.graph.GradientEdge.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None


def _sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, (TensorBase, GradientEdge)) else tuple(tensors)


def _resolved(x: Any, g: Any = None) -> Any:
    """Return a tensor unchanged, and for an edge the leaf, or a placeholder with the same history.

    Args:
        g: its gradient, or None.
    Raises: RuntimeError: for a tensor without a graph of its own, such as npg.func's batched ones.
    """
    if not isinstance(x, GradientEdge):
        refusal = getattr(x, "_without_gradients", None)
        if refusal is not None:
            raise RuntimeError(_naming.named(refusal))
        return x
    if isinstance(x.node, AccumulateGrad) and x.node.variable is not None:
        return x.node.variable
    like = x.ownership_token if x.ownership_token is not None else np.zeros(()) if g is None else g._array
    t = wrap(np.broadcast_to(np.zeros((), like.dtype), like.shape))  # no memory for values that are never read
    if isinstance(x.node, AccumulateGrad):  # of a dead leaf, which no graph reaches
        t._set_requires_grad(True)
    else:
        t._fn, t._nr = x.node, x.output_nr
    return t


def _roots(tensors: Any, gradients: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the tensors to start from and the gradient (or None) of each.

    Raises: TypeError, AssertionError: for anything but tensors. RuntimeError: for a wrong number of gradients.
    """
    roots = _sequence(tensors)
    for root in roots:
        if not isinstance(root, (TensorBase, GradientEdge)):
            raise AssertionError(_naming.named("Expected output to be a npg.Tensor"))
    grads = _gradients(gradients, len(roots))
    return tuple([_resolved(root, g) for root, g in zip(roots, grads)]), grads


def _input_list(inputs: Any, empty: str) -> tuple[Any, ...]:
    """Return the tensors and edges of inputs= as a tuple.

    Raises: RuntimeError: when there are none, or for anything else.
    """
    if not hasattr(inputs, "__iter__"):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(inputs).__name__}")
    targets = _sequence(inputs)
    if not targets:
        raise RuntimeError(empty)
    for x in targets:
        if not isinstance(x, (TensorBase, GradientEdge)):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
    return targets


def _gradients(grads: Any, count: int) -> tuple[Any, ...]:
    """Return one gradient (a tensor or None) per root.

    Raises: TypeError: for anything else. RuntimeError: for a wrong number of them.
    """
    if grads is not None and not hasattr(grads, "__iter__"):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(grads).__name__}")
    gradients = (None,) * count if grads is None else _sequence(grads)
    for g in gradients:
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(gradients) != count:
        raise RuntimeError(f"got {count} tensors and {len(gradients)} gradients")
    return gradients


def _lacks_gradient(roots: tuple[Any, ...], gradients: tuple[Any, ...]) -> bool:
    """Tell whether a root that is not a scalar has no gradient."""
    return any(g is None and r._array.size != 1 and r.requires_grad for r, g in zip(roots, gradients))


def _level_of_user() -> int:
    """Return the stacklevel with which a warning of the caller points to the user's own line."""
    frame: Any = sys._getframe(1)
    level = 1
    while frame.f_back is not None and _naming.is_own(frame.f_globals.get("__name__", "")):
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
        tensors: a tensor or a sequence of them; a GradientEdge counts as its tensor, here and in inputs.
        grad_tensors: the gradient of each, None if it has one element. Without one, any other tensor starts from ones,
            as if its sum were differentiated, with a UserWarning; PyTorch raises.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, for gradients of higher order.
        grad_variables: the old name of grad_tensors.
        inputs: only these tensors get their gradient in .grad; non-leaves retain theirs from then on.
    Raises: RuntimeError: when a tensor has no graph, the graph was freed, or shapes do not fit.
    Source: torch.autograd.backward.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    targets = None
    if inputs is not None:
        named = _input_list(inputs, _errors.EMPTY_INPUTS)
        for x in named:
            if isinstance(x, TensorBase):
                x.retain_grad()  # suffices for non-leaves
        targets = tuple([_resolved(x) for x in named])
    roots, gradients = _roots(tensors, grad_tensors)
    if _lacks_gradient(roots, gradients):
        warnings.warn(f"{_errors.ONLY_SCALARS}; starting from ones, as if of its sum", stacklevel=_level_of_user())
    if create_graph:
        _warn_of_cycle()
    _run(roots, gradients, create_graph if retain_graph is None else retain_graph, create_graph, targets)


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
    """Return the sum of the gradients of `outputs` with respect to each of `inputs`; no .grad changes.

    Args:
        outputs: a tensor or a sequence of them; a GradientEdge counts as its tensor, here and in inputs.
        inputs: a tensor or a sequence of them, leaves or not.
        grad_outputs: the gradient of each output, None if it has one element.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, so that the results can be differentiated.
        only_inputs: ignored, as in PyTorch.
        allow_unused: return None for an input that the outputs do not depend on, instead of raising.
        is_grads_batched: the first dimension of each of grad_outputs is a batch of gradients, and so is that of the
            results; one backward pass is run for each.
        materialize_grads: return zeros for such an input.
    Returns: one tensor (or None) per input.
    Raises: RuntimeError: when there is no graph, it was freed, shapes do not fit, or an input is unused.
    Source: torch.autograd.grad.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            _naming.named(
                "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
                "other parts of the graph, please use npg.autograd.backward."
            ),
            FutureWarning,
            stacklevel=2,
        )
    roots, gradients = _roots(outputs, grad_outputs)
    named = _input_list(inputs, "`inputs` argument to `grad()` cannot be empty.")
    targets = tuple([_resolved(x) for x in named])
    count = _batch_size(roots, gradients) if is_grads_batched else None
    if count is None:
        if _lacks_gradient(roots, gradients):
            raise RuntimeError(_errors.ONLY_SCALARS)
    for x in targets:
        if not x.requires_grad:
            raise RuntimeError(_errors.INPUT_WITHOUT_GRAD)
    keep = create_graph if retain_graph is None else retain_graph
    if count is None:
        grads = _run(roots, gradients, keep, create_graph, targets, False)
        grads = handed_out(grads, gradients) if create_graph else grads
    else:
        grads = _batched(roots, gradients, keep, create_graph, targets, count)
    if materialize_grads:
        for x, g in zip(named, grads):
            if g is None and isinstance(x, GradientEdge):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
        return tuple([wrap(np.zeros_like(x._array)) if g is None else g for g, x in zip(grads, targets)])
    if not allow_unused:
        for i, g in enumerate(grads):
            if g is None:
                raise RuntimeError(_errors.UNUSED_INPUT.format(index=i))
    return tuple(grads)


def handed_out(grads: Any, initial: Any) -> list[Any]:
    """Return the gradients of a recorded pass, each with memory of its own, for the user.

    The engine itself ensures that when nothing is recorded.

    Args:
        initial: the gradients that the pass started from.
    """
    shared = {id(g) for g in initial}
    results: list[Any] = []
    for g in grads:
        if g is not None and (id(g) in shared or g._array.base is not None):
            g = apply(contiguous if overlaps(g._array) else clone, (g,), {})
        shared.add(id(g))
        results.append(g)
    return results


# ----- Passes for some inputs only -----


class _Here(threading.local):
    for_inputs = False


_here = _Here()


def passes_for_inputs() -> bool:
    """Tell whether this thread is in a backward pass for some inputs only, by grad() or with inputs=."""
    return _here.for_inputs


def _run(roots: Any, gradients: Any, keep: bool, create_graph: bool, targets: Any, accumulate: bool = True) -> Any:
    if targets is None:
        return run_backward(roots, gradients, keep, create_graph)
    before, _here.for_inputs = _here.for_inputs, True
    try:
        return run_backward(roots, gradients, keep, create_graph, targets, accumulate)
    finally:
        _here.for_inputs = before


# ----- Several gradients for each output -----


def _batch_size(roots: tuple[Any, ...], gradients: tuple[Any, ...]) -> int:
    """Return the number of gradients for each root.

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
    roots: tuple[Any, ...], gradients: Any, keep: bool, create_graph: bool, targets: tuple[Any, ...], count: int
) -> list[Any]:
    """Return a batch of gradients per input, one for each entry of the first dimension of `gradients`."""
    if not count:
        return [wrap(np.zeros((0, *x._array.shape), x._array.dtype)) for x in targets]
    passes = [
        _run(roots, tuple([g[i] for g in gradients]), keep or i + 1 < count, create_graph, targets, False)
        for i in range(count)
    ]
    stacked: list[Any] = []
    for parts in zip(*passes):
        present = [g for g in parts if g is not None]
        if not present:
            stacked.append(None)
            continue
        filled = tuple([wrap(np.zeros_like(present[0]._array)) if g is None else g for g in parts])
        stacked.append(apply(stack, filled, {"dim": 0}))
    return stacked


_warned: list[bool] = []


def _warn_of_cycle() -> None:
    """Warn, once per process as PyTorch does, of the reference cycle that create_graph=True makes."""
    if _warned and not _errors.warn_always:
        return
    _warned.append(True)
    warnings.warn(
        "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
        "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
        "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break "
        "the cycle and avoid the leak.",
        stacklevel=_level_of_user(),
    )
