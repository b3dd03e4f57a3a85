"""Reordered dimensions, as views: transposes, permutations, T."""

from __future__ import annotations

from typing import Any

from npg._errors import warn
from npg.engine import apply, apply_transpose
from npg.functional._arguments import checked_array, dim_index, sizes_of
from npg.functional._public import exposed, public_function
from npg.functional._types import Dims, T
from npg.functional.shape import reshape_in_place
from npg.ops import shape as ops

# ----- Two dimensions swapped -----


@exposed
def transpose(input: T, dim0: int, dim1: int) -> T:
    """Return a view with two dimensions swapped. Source: torch.transpose."""
    y = apply_transpose(ops.transpose, input, dim0, dim1)
    if y is not None:  # nearly every call
        return y
    ndim = checked_array("transpose", input).ndim
    d0, d1 = dim_index("transpose", dim0, ndim), dim_index("transpose", dim1, ndim)
    return apply(ops.transpose, (input,), {"dim0": d0, "dim1": d1})


@public_function
def swapaxes(input: T, axis0: int, axis1: int) -> T:
    """Return a view with two dimensions swapped. Source: torch.swapaxes."""
    return transpose(input, axis0, axis1)


@public_function
def swapdims(input: T, dim0: int, dim1: int) -> T:
    """Return a view with two dimensions swapped. Source: torch.swapdims."""
    return transpose(input, dim0, dim1)


@public_function
def t(input: T) -> T:
    """Return the transpose of a matrix, or a tensor of fewer dimensions unchanged, as a view. Source: torch.t."""
    ndim = checked_array("t", input).ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return apply(ops.t, (input,), {"dim0": 0, "dim1": 1} if ndim == 2 else {"dim0": 0, "dim1": 0})


# ----- Any order -----


@exposed
def permute(input: T, *order: Any, dims: Dims | None = None) -> T:
    """Return a view with the dimensions in this order, passed one by one, as a sequence or as dims=.

    Raises: RuntimeError: when dims is no permutation of the dimensions.
    Source: torch.permute.
    """
    ndim = checked_array("permute", input).ndim
    dims = sizes_of("permute", order, "dims", dims)
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    permutation = tuple([dim_index("permute", d, ndim) for d in dims])
    if len(set(permutation)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return apply(ops.permute, (input,), {"dims": permutation})


@public_function
def movedim(input: T, source: int | tuple[int, ...] | list[int], destination: int | tuple[int, ...] | list[int]) -> T:
    """Return a view with dimensions moved to other positions; the others keep their order.

    Args:
        input: any shape.
        source, destination: an int each, or tuples of the same length.
    Raises: RuntimeError: when the lengths differ or a dimension is repeated.
    Source: torch.movedim.
    """
    ndim = checked_array("movedim", input).ndim
    source = source if isinstance(source, (tuple, list)) else (source,)
    destination = destination if isinstance(destination, (tuple, list)) else (destination,)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the same number "
            f"of dims as destination ({list(destination)} dims)"
        )
    moved = []
    for name, dims in (("source", source), ("destination", destination)):
        canonical = [dim_index("movedim", d, ndim) for d in dims]
        if len(set(canonical)) != len(canonical):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
        moved.append(canonical)
    if not ndim:
        return apply(ops.permute, (input,), {"dims": ()})
    order = [d for d in range(ndim) if d not in moved[0]]
    for to, d in sorted(zip(moved[1], moved[0], strict=True)):
        order.insert(to, d)
    return apply(ops.permute, (input,), {"dims": tuple(order)})


@public_function
def moveaxis(input: T, source: int | tuple[int, ...] | list[int], destination: int | tuple[int, ...] | list[int]) -> T:
    """Return a view with dimensions moved; see movedim. Source: torch.moveaxis."""
    return movedim(input, source, destination)


# ----- The attributes T, mT, H and mH -----


def _deprecated(text: str) -> None:
    warn(text)


def reversed_dims(input: Any) -> Any:
    """Return a view with all dimensions in reverse order: the attribute T. Source: torch.Tensor.T."""
    ndim = input._array.ndim
    if ndim == 0:
        _deprecated("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.")
    elif ndim != 2:
        _deprecated(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
            "throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*npg.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
        )
    return apply(ops.permute, (input,), {"dims": tuple(range(ndim - 1, -1, -1))})


def matrix_transpose(input: Any) -> Any:
    """Return a view with the last two dimensions swapped: the attribute mT. Source: torch.Tensor.mT."""
    if not input._array.ndim:
        _deprecated("Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.")
    return _last_two_swapped("mT", input)


def conjugate_transpose(input: Any) -> Any:
    """Return a view of a matrix with its dimensions swapped: the attribute H. Source: torch.Tensor.H."""
    ndim = input._array.ndim
    if ndim == 0:
        _deprecated("Tensor.H is deprecated on 0-D tensors. Consider using x.conj().")
        return input
    if ndim != 2:
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor."
            + (" For batches of matrices, consider using tensor.mH" if ndim > 2 else "")
        )
    return transpose(input, 0, 1)


def matrix_conjugate_transpose(input: Any) -> Any:
    """Return a view with the last two dimensions swapped: the attribute mH. Source: torch.Tensor.mH."""
    if not input._array.ndim:
        _deprecated("Tensor.mH is deprecated on 0-D tensors. Consider using x.conj().")
    return _last_two_swapped("mH", input)


@public_function
def adjoint(input: T) -> T:
    """Return a view with the last two dimensions swapped: for real numbers the conjugate transpose.

    Source: torch.adjoint.
    """
    if not checked_array("adjoint", input).ndim:
        _deprecated("adjoint() is deprecated on 0-D tensors. Consider using x.conj().")
    return _last_two_swapped("adjoint()", input)


def _last_two_swapped(name: str, input: Any) -> Any:
    ndim = checked_array(name, input).ndim
    if ndim == 1:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return input if ndim == 0 else apply(ops.transpose, (input,), {"dim0": ndim - 2, "dim1": ndim - 1})


# ----- In place -----


@public_function
def transpose_(input: T, dim0: int, dim1: int) -> T:
    """Swap two dimensions of the input in place; see transpose."""
    ndim = checked_array("transpose_", input).ndim
    d0, d1 = dim_index("transpose_", dim0, ndim), dim_index("transpose_", dim1, ndim)
    return reshape_in_place(ops.transpose, input, {"dim0": d0, "dim1": d1})


@public_function
def swapaxes_(input: T, axis0: int, axis1: int) -> T:
    """Swap two dimensions of the input in place; see transpose."""
    return transpose_(input, axis0, axis1)


@public_function
def swapdims_(input: T, dim0: int, dim1: int) -> T:
    """Swap two dimensions of the input in place; see transpose."""
    return transpose_(input, dim0, dim1)


@public_function
def t_(input: T) -> T:
    """Transpose a matrix in place; see t."""
    ndim = checked_array("t_", input).ndim
    if ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return reshape_in_place(ops.t, input, {"dim0": 0, "dim1": 1} if ndim == 2 else {"dim0": 0, "dim1": 0})
