"""Check gradients against finite differences of function values, in float64.

For an output y and an input x the Jacobian J = dy/dx is computed twice: numerically, column by column, as
(f(x + eps e) - f(x - eps e)) / (2 eps), and analytically, row by row, by a backward pass from each element of y. In
fast mode only the number u J v is compared, for random unit vectors u and v: one difference and one backward pass. Up
to the tolerance, a wrong gradient passes with probability zero. u and v come from a generator of their own, so that a
check changes no random number of the program; the gradients that gradgradcheck starts from are drawn as in PyTorch.
Source: torch.autograd.gradcheck.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._floating import silent
from npg.autograd._differences import Array, difference, numerical_jacobian, sequence
from npg.creation import zeros_like
from npg.engine import enable_grad, wrap
from npg.random import Generator, rand, uniform_
from npg.tensor import Tensor
from npg.tensor.gradients import grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised when gradcheck or gradgradcheck finds a wrong gradient."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of func with finite differences of its values.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them (other values in it are ignored).
        inputs: a tensor or a sequence; those that require grad should be float64.
        eps: the step of the differences.
        atol, rtol: |analytical - numerical| <= atol + rtol |numerical|.
        raise_exception: raise on failure; otherwise return False.
        nondet_tol: the largest difference allowed between two backward passes from the same gradient.
        check_undefined_grad: also check that undefined gradients of outputs are supported and give zeros.
        check_grad_dtypes: also check that gradients have the dtype of their input.
        check_batched_grad, check_batched_forward_grad, check_forward_ad: not supported.
        check_backward_ad: must be True; backward mode is the only one checked.
        fast_mode: compare one random projection of the Jacobian instead of all of it.
        masked: ignored; in PyTorch it concerns sparse tensors only.
    Returns: True when all agree.
    Raises: ValueError: when no input requires grad. TypeError: when func returns no tensor. RuntimeError: for an
        expanded input. GradcheckError: when a gradient is wrong. NotImplementedError: for a mode that is not supported.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    _refuse_modes(check_batched_grad, check_batched_forward_grad, check_forward_ad, check_backward_ad)
    given = sequence(inputs)
    try:
        _check_inputs(given)
        _check(func, given, eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
        _check_proportional(func, given)
        if check_undefined_grad:
            _check_undefined(func, given)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare the gradients of func's gradients with finite differences of the latter.

    Args:
        grad_outputs: the outputs' gradients to start from; None: random ones. They are inputs of the check, too.
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        check_fwd_over_rev: not supported; check_rev_over_rev must be True.
        The others: as for gradcheck.
    Returns and Raises: as gradcheck.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    _refuse_modes(check_batched_grad, False, check_fwd_over_rev, check_rev_over_rev)
    given = sequence(inputs)
    starts: tuple[Any, ...]
    if grad_outputs is None:
        starts = tuple([_random_like(y, gen_non_contig_grad_outputs) for y in _differentiable(func(*given))])
    else:
        starts = sequence(grad_outputs)

    @enable_grad()  # differences are taken with recording off, and these values are gradients
    def gradients(*both: Any) -> Any:
        xs, gs = both[: len(given)], both[len(given) :]
        found = grad(
            _differentiable(func(*xs)), [x for x in xs if _wanted(x)], gs, create_graph=True, allow_unused=True
        )
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients,
        (*given, *starts),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
    )


# ----- Arguments -----


def _refuse_modes(batched: bool, batched_forward: bool, forward: bool, backward: bool) -> None:
    if batched or batched_forward:
        raise NotImplementedError("gradcheck of batched gradients is not supported: npg computes one at a time")
    if forward or not backward:
        raise NotImplementedError("gradcheck of forward-mode gradients is not supported: only reverse mode is checked")


def _wanted(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _differentiable(outputs: Any) -> tuple[Tensor, ...]:
    return tuple([y for y in sequence(outputs) if _wanted(y)])


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    if not any(_wanted(x) for x in inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, x in enumerate(inputs):
        if not _wanted(x):
            continue
        if x._array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=4,
            )
        if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )


def _random_like(y: Tensor, strided: bool) -> Tensor:
    shape = tuple(y.shape)
    strided = strided and y.numel() > 1  # one element is contiguous, however it lies
    values = uniform_(np.empty((*shape[:-1], 2 * shape[-1]) if strided else shape, y._array.dtype), -1, 1)
    return wrap(values[..., 1::2] if strided else values).requires_grad_()  # type: ignore[no-any-return]


# ----- Analytical -----


def _pull(y: Tensor, inputs: list[Tensor], g: Array, nondet_tol: float, check_dtypes: bool) -> list[Array]:
    """Return the inputs' gradients for the gradient g of y, after comparing two runs of the pass."""
    passes = []
    for _ in range(2):
        grads = grad(y, inputs, wrap(g.astype(y._array.dtype)), retain_graph=True, allow_unused=True)
        for part, x in zip(grads, inputs, strict=True):
            if part is not None and part.shape != x.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
            if part is not None and check_dtypes and part.dtype != x.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
        passes.append(
            [np.zeros(x.shape) if part is None else part._array for part, x in zip(grads, inputs, strict=True)]
        )
    for first, second in zip(*passes, strict=True):
        with silent():
            apart = np.max(np.abs(first - second), initial=0.0)
        if not apart <= nondet_tol and not _both_nan(first, second):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                "gives different values, although analytical gradient matches numerical gradient. The tolerance for "
                f"nondeterminism was {nondet_tol}."
            )
    return passes[0]


def _both_nan(a: Array, b: Array) -> bool:
    return np.array_equal(a, b, equal_nan=True)


# ----- The checks -----


def _check(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    check_dtypes: bool,
    fast: bool,
) -> None:
    results = sequence(func(*inputs))
    if results and not any(isinstance(y, Tensor) for y in results):
        raise TypeError(f"expected func to return a tensor or a tuple of tensors, got {type(results[0]).__name__}")
    outputs = [y for y in results if isinstance(y, Tensor) and y._array.dtype.kind == "f"]
    places = [i for i, x in enumerate(inputs) if _wanted(x)]
    checked = [inputs[i] for i in places]
    compare = _compare_fast if fast else _compare_all
    compare(func, inputs, places, checked, outputs, eps, atol, rtol, nondet_tol, check_dtypes)


def _near(a: Array, n: Array, atol: float, rtol: float) -> bool:
    return np.allclose(a, n, rtol, atol)  # a nan never passes


def _mismatch(y: int, x: int, numerical: Any, analytical: Any) -> GradcheckError:
    return GradcheckError(
        f"Jacobian mismatch for output {y} with respect to input {x},\nnumerical:{wrap(numerical)}\n"
        f"analytical:{wrap(analytical)}\n"
    )


def _compare_all(
    func: Any, inputs: Any, places: Any, checked: Any, outputs: Any, eps: float, atol: float, rtol: float,
    nondet: float, dtypes: bool,
) -> None:  # fmt: skip
    numerical = [numerical_jacobian(func, inputs, x, eps) for x in checked]  # [input][output]
    for i, y in enumerate(outputs):
        if not y.requires_grad:
            if any(not _near(columns[i], np.zeros_like(columns[i]), atol, 0.0) for columns in numerical):
                raise GradcheckError("Numerical gradient for function expected to be zero")
            continue
        analytical = [np.zeros((x.numel(), y.numel())) for x in checked]
        for j, place in enumerate(np.ndindex(y._array.shape)):
            g = np.zeros(y._array.shape)
            g[place] = 1
            for matrix, part in zip(analytical, _pull(y, checked, g, nondet, dtypes), strict=True):
                matrix[:, j] = part.reshape(-1)
        for at, columns, matrix in zip(places, numerical, analytical, strict=True):
            if not _near(matrix, columns[i], atol, rtol):
                raise _mismatch(i, at, columns[i], matrix)


def _unit(shape: tuple[int, ...], generator: Generator) -> Array:
    v = rand(shape, generator=generator).astype(np.float64)
    norm = np.sqrt((v * v).sum())
    return np.asarray(v / norm if norm else v)


def _compare_fast(
    func: Any, inputs: Any, places: Any, checked: Any, outputs: Any, eps: float, atol: float, rtol: float,
    nondet: float, dtypes: bool,
) -> None:  # fmt: skip
    generator = Generator()
    steps = [_unit(x._array.shape, generator) for x in checked]
    differences = [difference(func, inputs, x, u, eps) for x, u in zip(checked, steps, strict=True)]
    for i, y in enumerate(outputs):
        if not y.requires_grad:
            if any(
                not _near(numerical_parts[i], np.zeros_like(numerical_parts[i]), atol, 0.0)
                for numerical_parts in differences
            ):
                raise GradcheckError("Numerical gradient for function expected to be zero")
            continue
        v = _unit(y._array.shape, generator)
        pulled = _pull(y, checked, v, nondet, dtypes)
        for at, u, numerical_parts, part in zip(places, steps, differences, pulled, strict=True):
            numerical, analytical = np.array((v * numerical_parts[i]).sum()), np.array((u * part).sum())
            if not _near(analytical, numerical, atol, rtol):
                raise _mismatch(i, at, numerical, analytical)


def _check_proportional(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Check that zero gradients of all outputs give zero gradients."""
    outputs = _differentiable(func(*inputs))
    if outputs:
        zeros = [zeros_like(y, requires_grad=False) for y in outputs]
        grads = grad(outputs, [x for x in inputs if _wanted(x)], zeros, allow_unused=True)
        if any(g is not None and np.any(g._array != 0) for g in grads):
            raise GradcheckError("backward not multiplied by grad_output")


def _check_undefined(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Check that undefined gradients, of all outputs or of one with zeros for the rest, give zero gradients."""
    from npg.autograd.function import Function  # loaded when it is first used

    class Undefined(Function):
        @staticmethod
        def forward(_ctx: Any, y: Any) -> Any:
            return y

        @staticmethod
        def backward(_ctx: Any, _g: Any) -> None:
            return None

    checked = [x for x in inputs if _wanted(x)]
    count = len(_differentiable(func(*inputs)))
    for missing in (set(range(count)), *({i} for i in range(count if count > 1 else 0))):
        results = _differentiable(func(*inputs))
        outputs = [Undefined.apply(y) if i in missing else y for i, y in enumerate(results)]
        if not outputs:
            continue
        try:
            grads = grad(outputs, checked, [zeros_like(y, requires_grad=False) for y in outputs], allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError("Expected backward function to handle undefined output grads.") from error
        if any(g is not None and np.any(g._array != 0) for g in grads):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero."
            )
