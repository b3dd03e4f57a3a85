"""Full Jacobians and Hessians; see functional.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg._naming import named
from npg.autograd._pushing import Pushforward
from npg.autograd._reverse_passes import (
    CONSTANT_JACOBIAN,
    OF_GRADIENT,
    STRICT,
    Tensors,
    as_tuple,
    filled,
    gradients,
    outputs_of,
    packed,
    prepared,
    scalar_of,
)
from npg.creation import zeros, zeros_like
from npg.engine import enable_grad
from npg.func._derivatives import refuse_integers
from npg.functional import reshape, stack
from npg.tensor import Tensor


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of func.

    J[i, j] = d output[i] / d input[j], one reverse pass per output element; with strategy="forward-mode" one sweep
    (see jvp) per input element.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        vectorize: accepted; the passes run one after another in any case.
        strategy: "reverse-mode" or, with vectorize=True, "forward-mode".
    Returns: a tensor of shape (*output.shape, *input.shape); a tuple of them over the inputs where these are a tuple,
        a tuple over the outputs where func returns one, nested with the outputs first where both are.
    Raises: TypeError: for something that is no tensor. RuntimeError: under strict, for an independent output.
        AssertionError, NotImplementedError: for an unknown strategy, or one that excludes the other arguments.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                named(
                    'npg.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not '
                    'supported together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
                )
            )
        if strict:
            raise RuntimeError(
                named(
                    'npg.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
                    'together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
                )
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
                "`vectorize=True`."
            )
        return _by_columns(func, inputs)
    if strict and vectorize:
        raise RuntimeError(
            named(
                "npg.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
                "Please either set `strict=False` or `vectorize=False`."
            )
        )
    with enable_grad():
        is_tuple, inputs = as_tuple(inputs, "inputs", "jacobian")
        inputs = prepared(inputs, create_graph)
        many, outputs = outputs_of(func, inputs, "jacobian", strict)
        rows = [_rows(i, y, inputs, create_graph, strict) for i, y in enumerate(outputs)]
    return _nested(rows, many, is_tuple, create_graph)


def _rows(i: int, y: Tensor, inputs: Tensors, create_graph: bool, strict: bool) -> list[Tensor]:
    """Return the Jacobian of one output with respect to each input, a reverse pass per element."""
    rows_of: list[list[Tensor]] = [[] for _ in inputs]
    for j in range(y.numel()):
        one = zeros(y.shape, dtype=y.dtype)  # not like y in memory: it may be transposed
        one.view(-1)[j] = 1
        for at, (g, x) in enumerate(zip(gradients((y,), inputs, (one,), create_graph, True), inputs, strict=True)):
            if strict and g is None:
                raise RuntimeError(f"Output {i} of the user-provided function is independent of input {at}. {STRICT}.")
            if strict and create_graph and not g.requires_grad:
                raise RuntimeError(OF_GRADIENT[1].format(i=i))
            rows_of[at].append(zeros_like(x) if g is None else g)
    return [
        reshape(stack(parts), (*y.shape, *x.shape)) if parts else zeros((*y.shape, *x.shape), dtype=x.dtype)
        for parts, x in zip(rows_of, inputs, strict=True)
    ]


def _by_columns(func: Callable[..., Any], inputs: Any) -> Any:
    is_tuple, inputs = as_tuple(inputs, "inputs", "jacobian")
    refuse_integers(inputs, "primal")
    with enable_grad():
        inputs = prepared(inputs, False)
        many, outputs = outputs_of(func, inputs, "jacobian", False)
    push = Pushforward(outputs, inputs)
    columns: list[list[Tensors]] = []  # per input, per element, per output
    for at, x in enumerate(inputs):
        columns.append([])
        for j in range(x.numel()):
            v = [zeros(part.shape, dtype=part.dtype) for part in inputs]
            v[at].view(-1)[j] = 1
            columns[-1].append(push(tuple(v)))
    rows = []
    for i, y in enumerate(outputs):
        shapes = [(*y.shape, *x.shape) for x in inputs]
        rows.append(
            [
                reshape(stack([column[i] for column in each], -1), shape) if each else zeros(shape, dtype=y.dtype)
                for each, shape in zip(columns, shapes, strict=True)
            ]
        )
    return _nested(rows, many, is_tuple, False)


def _nested(rows: list[list[Tensor]], many: bool, is_tuple: bool, create_graph: bool) -> Any:
    matrices = tuple([packed(row, is_tuple, create_graph) for row in rows])
    return matrices if many else matrices[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of func, which returns one element.

    H[i, j] = d^2 output / d input[i] d input[j]: the Jacobian of the gradient.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        vectorize, outer_jacobian_strategy: as for jacobian.
    Returns: a tensor of shape (*input.shape, *input.shape); nested tuples of them where inputs is a tuple.
    Raises: TypeError: for something that is no tensor. RuntimeError: when func returns more than one element, or under
        strict, for an independent output.
    """
    is_tuple, as_given = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def gradient(*xs: Tensor) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            xs = tuple([x if x.requires_grad else x.detach().requires_grad_() for x in xs])
        output = scalar_of(func, xs, "hessian", strict)
        grads = gradients((output,), xs, (None,), True)
        for i, g in enumerate(grads):
            if strict and (g is None or not g.requires_grad):
                raise RuntimeError(CONSTANT_JACOBIAN.format(i=i))
        return filled(grads, xs, False, True, OF_GRADIENT)

    matrices = jacobian(gradient, as_given, create_graph, strict, vectorize, strategy=outer_jacobian_strategy)
    return matrices if is_tuple else matrices[0][0]
