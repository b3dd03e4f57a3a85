"""backward() and grad(): the arguments, checked in PyTorch's words; npg/engine does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npg import _errors
from npg.engine import TensorBase, run_backward, wrap

__all__ = ["backward", "grad"]


def _sequence(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, TensorBase) else tuple(given)


def _gradients(given: Any, count: int) -> tuple[Any, ...]:
    """Return one gradient (a tensor or None) per root.

    Raises: TypeError: for what is neither. RuntimeError: for another number of them.
    """
    gradients = (None,) * count if given is None else _sequence(given)
    for g in gradients:
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(gradients) != count:
        raise RuntimeError(f"got {count} tensors and {len(gradients)} gradients")
    return gradients


def _refuse_implicit(roots: tuple[Any, ...], gradients: tuple[Any, ...]) -> None:
    for root, g in zip(roots, gradients):
        if g is None and root.requires_grad and root._array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
    implicit: bool = False,
) -> None:
    """Add the gradients of `tensors` to .grad of the leaves.

    Args:
        tensors: a tensor or a sequence of them.
        grad_tensors: the gradient of each, None where it has one element.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, for gradients of higher order.
        grad_variables: the old name of grad_tensors.
        inputs: only these tensors get their gradient in .grad; leaves or not.
        implicit: start from ones where no gradient is given, whatever the shape.
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
    roots = _sequence(tensors)
    wanted = None
    if inputs is not None:
        wanted = _sequence(inputs)
        if not wanted:
            raise RuntimeError(_errors.EMPTY_INPUTS)
        for x in wanted:
            if not x.requires_grad:
                raise RuntimeError(_errors.RETAIN_LEAFLESS)
    gradients = _gradients(grad_tensors, len(roots))
    if not implicit:
        _refuse_implicit(roots, gradients)
    run_backward(roots, gradients, create_graph if retain_graph is None else retain_graph, create_graph, wanted)


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
        outputs: a tensor or a sequence of them.
        inputs: a tensor or a sequence of them, leaves or not.
        grad_outputs: the gradient of each output, None where it has one element.
        retain_graph: keep the graph for another backward; None: as create_graph.
        create_graph: record the backward pass, so that the results can be differentiated.
        only_inputs: as in PyTorch without effect.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.
        is_grads_batched: not supported.
        materialize_grads: give zeros for such an input.
    Returns: one tensor (or None) per input.
    Raises: RuntimeError: when there is no graph, it was freed, the shapes do not fit, an input is unused.
    Source: torch.autograd.grad.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched=True is not supported; call grad once for each gradient")
    if isinstance(outputs, Sequence) and not isinstance(outputs, (str, bytes)):
        roots = tuple(outputs)
    else:
        roots = (outputs,)
    for root in roots:
        if not isinstance(root, TensorBase):
            raise AssertionError("Expected output to be a npg.Tensor")
    wanted = tuple(inputs) if isinstance(inputs, (list, tuple)) else (inputs,)
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for x in wanted:
        if not isinstance(x, TensorBase):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
    gradients = _gradients(grad_outputs, len(roots))
    _refuse_implicit(roots, gradients)
    for x in wanted:
        if not x.requires_grad:
            raise RuntimeError(_errors.INPUT_WITHOUT_GRAD)
    found = run_backward(
        roots, gradients, create_graph if retain_graph is None else retain_graph, create_graph, wanted, False
    )
    if materialize_grads:
        return tuple(wrap(np.zeros_like(x._array)) if g is None else g for g, x in zip(found, wanted))
    if not allow_unused:
        for i, g in enumerate(found):
            if g is None:
                raise RuntimeError(_errors.UNUSED_INPUT.format(index=i))
    return tuple(found)
