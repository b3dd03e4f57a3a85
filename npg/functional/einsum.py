"""einsum and tensordot: sums of products over named dimensions.

Operands are first simplified (diagonals taken, dimensions of size 1 dropped, labels of only one operand summed), then
contracted in pairs; each contraction is one op, which maps it to a matrix product.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from npg._errors import OUT_OF_TENSORDOT
from npg._words import type_name
from npg.engine import TensorBase, apply, array_of
from npg.functional._arguments import checked_array
from npg.functional._matrices import check_same, no_bool
from npg.functional._public import promote, public_function, to_dtype, writes
from npg.functional._types import T
from npg.ops import elementwise, shape
from npg.ops.einsum import contract
from npg.ops.reduction import sum_dim

Labels = tuple[int, ...]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ELLIPSIS = -1  # in parsed subscripts; its dimensions get the labels from 52 up, counted from the last one


# ----- Subscripts -----


def _read(subscripts: str, where: str) -> tuple[list[int], int]:
    """Return the labels of one operand, up to the next comma or arrow, and the number of characters read."""
    labels: list[int] = []
    i = 0
    while i < len(subscripts):
        c = subscripts[i]
        if c == ",":
            break
        if c == " ":
            i += 1
            continue
        if c == ".":
            if _ELLIPSIS in labels:
                raise RuntimeError(f"einsum(): found '.' for {where} for which an ellipsis was already found")
            if subscripts[i : i + 3] != "...":
                raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis (...)")
            labels.append(_ELLIPSIS)
            i += 3
            continue
        if c not in _LETTERS:
            raise _Invalid(i)
        labels.append(_LETTERS.index(c))
        i += 1
    return labels, i


class _Invalid(Exception):
    """Raised for a character that is no subscript, with its position."""


def _invalid(at: int) -> RuntimeError:
    return RuntimeError(
        f"einsum(): invalid subscript given at index {at} in the equation string, subscripts must be in [a-zA-Z]"
    )


@functools.lru_cache(maxsize=512)
def _parse(equation: str, count: int) -> tuple[tuple[Labels, ...], Labels | None]:
    """Return the subscripts of each operand, and those of the result (None if left out)."""
    arrow = equation.find("->")
    operands_text = equation if arrow < 0 else equation[:arrow]
    operands: list[Labels] = []
    start = 0
    while True:
        try:
            labels, n = _read(operands_text[start:], f"operand {len(operands)}")
        except _Invalid as at:
            raise _invalid(start + at.args[0]) from None
        operands.append(tuple(labels))
        start += n + 1
        if start > len(operands_text):
            break
    if len(operands) > count:
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    if len(operands) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if arrow < 0:
        return tuple(operands), None
    try:
        labels, n = _read(equation[arrow + 2 :], "output")
    except _Invalid as at:
        raise _invalid(arrow + 2 + at.args[0]) from None
    if n != len(equation) - arrow - 2:
        raise _invalid(arrow + 2 + n)
    return tuple(operands), tuple(labels)


def _sublists(args: tuple[Any, ...]) -> tuple[list[Any], tuple[Labels, ...], Labels | None]:
    """Return (operands, their subscripts, the result's or None) of `einsum(x, [0, 1], y, [1, 2], [0, 2])`."""

    def labels(subscripts: Any) -> Labels:
        read = []
        for s in subscripts:
            if s is Ellipsis:
                read.append(_ELLIPSIS)
            elif 0 <= s < len(_LETTERS):
                read.append(s)
            else:
                raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        return tuple(read)

    odd = len(args) % 2
    result = labels(args[-1]) if odd else None
    pairs = args[: len(args) - odd]
    return list(pairs[::2]), tuple(labels(s) for s in pairs[1::2]), result


def _text(label: int) -> str:
    return _LETTERS[label]


def _resolve(
    operands: tuple[Labels, ...], result: Labels | None, shapes: tuple[tuple[int, ...], ...]
) -> tuple[list[Labels], Labels, dict[int, int]]:
    """Return a label for each dimension of the operands and of the result, and the size of each label."""
    sizes: dict[int, int] = {}
    resolved: list[Labels] = []
    widest = 0
    for i, (labels, dims) in enumerate(zip(operands, shapes, strict=True)):
        count = len(labels) - (_ELLIPSIS in labels)
        if count > len(dims) or (count < len(dims) and _ELLIPSIS not in labels):
            dots = _ELLIPSIS in labels
            relation = "is more than" if dots else "does not match"
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({count}) {relation} the number of dimensions "
                f"({len(dims)}) for operand {i}" + ("" if dots else " and no ellipsis was given")
            )
        width = len(dims) - count
        widest = max(widest, width)
        full: list[int] = []
        for label in labels:
            full.extend(range(51 + width, 51, -1) if label == _ELLIPSIS else (label,))
        own: dict[int, int] = {}
        for label, n in zip(full, dims, strict=True):
            if own.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {_text(label)} is repeated for operand {i} but the sizes don't match, "
                    f"{n} != {own[label]}"
                )
        for label, n in own.items():
            before = sizes.get(label, 1)
            if n != 1 and before != 1 and n != before:
                raise _mismatch(label, i, n, before, width)
            if n != 1 or label not in sizes:
                sizes[label] = n
        resolved.append(tuple(full))
    return resolved, _result(resolved, result, widest), sizes


def _mismatch(label: int, operand: int, n: int, before: int, width: int) -> RuntimeError:
    if label < 52:
        return RuntimeError(
            f"einsum(): subscript {_text(label)} has size {n} for operand {operand} which does not broadcast with "
            f"previously seen size {before}"
        )
    return RuntimeError(
        f"einsum(): dimension {51 + width - label} covered by ellipsis in operand {operand}has size {n} which does not "
        f"broadcast with previously seen ellipsis with size {before} for the respective dimension"
    )


def _result(operands: list[Labels], result: Labels | None, widest: int) -> Labels:
    dots = tuple(range(51 + widest, 51, -1))
    letters = [label for labels in operands for label in labels if label < 52]
    if result is None:  # the ellipsis' dimensions, then the labels that appear once, in order
        return dots + tuple(sorted(label for label in set(letters) if letters.count(label) == 1))
    full: list[int] = []
    for label in result:
        if label == _ELLIPSIS:
            full.extend(dots)
            continue
        if label in full:
            raise RuntimeError(f"einsum(): output subscript {_text(label)} appears more than once in the output")
        if label not in letters:
            raise RuntimeError(
                f"einsum(): output subscript {_text(label)} does not appear in the equation for any input operand"
            )
        full.append(label)
    return tuple(full)


# ----- Contracting -----


def _diagonal(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """Return x with one dimension per label: repeated labels take the diagonal."""
    while len(set(labels)) < len(labels):
        label = next(s for s in labels if labels.count(s) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        x = apply(shape.diagonal, (x,), {"offset": 0, "dim1": first, "dim2": second})
        labels = (*(s for i, s in enumerate(labels) if i not in (first, second)), label)
    return x, labels


def _without(x: Any, labels: Labels, dropped: Any) -> tuple[Any, Labels]:
    """Return x summed over these labels."""
    if not dropped:
        return x, labels
    dims = tuple(i for i, s in enumerate(labels) if s in dropped)
    return apply(sum_dim, (x,), {"dim": dims, "keepdim": False}), tuple(s for s in labels if s not in dropped)


def _narrow(x: Any, labels: Labels, sizes: dict[int, int]) -> tuple[Any, Labels]:
    """Return x without the dimensions of size 1 that have another size in other operands."""
    array = array_of(x)
    dims = tuple(i for i, (n, s) in enumerate(zip(array.shape, labels, strict=True)) if n == 1 and sizes[s] != 1)
    if not dims:
        return x, labels
    rest_sizes = tuple(n for i, n in enumerate(array.shape) if i not in dims)
    return apply(shape.reshape, (x,), {"shape": rest_sizes}), tuple(s for i, s in enumerate(labels) if i not in dims)


@functools.lru_cache(maxsize=512)
def _path(labels: tuple[Labels, ...], shapes: tuple[tuple[int, ...], ...], result: Labels) -> list[tuple[int, ...]]:
    """Return the order of contractions, in the form of np.einsum_path: each result is appended to the list."""
    number: dict[int, int] = {}
    for s in (s for operand in labels for s in operand):
        number.setdefault(s, len(number))
    args: list[Any] = []
    for operand, dims in zip(labels, shapes, strict=True):
        args += [np.broadcast_to(np.float32(0), dims), [number[s] for s in operand]]
    return np.einsum_path(*args, [number[s] for s in result if s in number], optimize="greedy")[0][1:]


def contracted(tensors: list[Any], operands: list[Labels], result: Labels, sizes: dict[int, int]) -> Any:
    """Return the sum of products of tensors whose dimensions have these labels, in the order of `result`."""
    simple = [_narrow(*_diagonal(x, labels), sizes) for x, labels in zip(tensors, operands, strict=True)]
    for i, (x, labels) in enumerate(simple):
        others = set(result).union(*(s for j, (_, s) in enumerate(simple) if j != i))
        simple[i] = _without(x, labels, [s for s in labels if s not in others])
    if len(simple) > 2:
        order = _path(tuple(s for _, s in simple), tuple(tuple(x.shape) for x, _ in simple), result)
    else:
        order = [(0, 1)] if len(simple) == 2 else []
    for at in order:
        parts = [simple[i] for i in sorted(at)]
        simple = [s for i, s in enumerate(simple) if i not in at]
        product = parts[0]
        for k, part in enumerate(parts[1:], 2):
            later = set(result).union(*(s for _, s in simple), *(s for _, s in parts[k:]))
            product = _pair(product, part, later, result)
        simple.append(product)
    x, labels = simple[0]
    if labels == result and not any(x is t for t in tensors):
        return x
    return apply(shape.permute, (x,), {"dims": tuple(labels.index(s) for s in result)})


def _pair(first: Any, second: Any, later: set[int], result: Labels) -> tuple[Any, Labels]:
    """Contract two pairs of (tensor, labels): labels that do not occur later are summed."""
    (a, left), (b, right) = first, second
    a, left = _without(a, left, [s for s in left if s not in later and s not in right])
    b, right = _without(b, right, [s for s in right if s not in later and s not in left])
    remaining = [s for s in left if s in later] + [s for s in right if s in later and s not in left]
    out = tuple(result) if set(result) == set(remaining) else tuple(remaining)
    x, y = (array_of(t) for t in (a, b))
    summed = [i for i, s in enumerate(left) if s in right and s not in later]
    if any(x.shape[i] != 1 for i in summed):  # a sum over one element is a plain product
        check_same(x, y)
        no_bool(x, "bmm")
    elif x.dtype != y.dtype:
        a, b = promote(elementwise.mul, (a, b))
    return apply(contract, (a, b), {"left": left, "right": right, "out": out}), out


# ----- Public -----


@overload
def einsum(equation: str, /, *operands: T | Sequence[T]) -> T: ...
@overload
def einsum(operand: T, subscripts: Sequence[Any], /, *others: Any) -> T: ...
@public_function
def einsum(*args: Any) -> Any:
    """Return the sums of products of elements whose dimensions are named by an equation.

    Calls:
        einsum("bhid,bhjd->bhij", q, k)
        einsum(q, [0, 1, 2, 3], k, [0, 1, 4, 3], [0, 1, 2, 4])

    Args:
        args: an equation and the operands, or operands each followed by its subscripts (0 to 51), and those of the
            result. A repeated subscript takes a diagonal, "..." stands for the unnamed dimensions, which broadcast, as
            do dimensions of size 1. Without "->" the result has the subscripts that appear once, sorted.
    Returns: the dimensions of the result, in its order.
    Raises: RuntimeError: when the equation does not fit the operands. ValueError: for a bad list of subscripts.
    Source: torch.einsum.
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if not isinstance(args[0], (str, TensorBase, np.ndarray)):
        kind = type(args[0]).__name__
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {kind}")
    if isinstance(args[0], str):
        equation, *tensors = args
        if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
            tensors = list(tensors[0])
        subscripts, result = _parse(equation, len(tensors))
    else:
        tensors, subscripts, result = _sublists(args)
    shapes = []
    for i, x in enumerate(tensors):
        if not isinstance(x, (TensorBase, np.ndarray)):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type_name(x)}")
        shapes.append(array_of(x).shape)
    operands, out, sizes = _resolve(subscripts, result, tuple(shapes))
    return contracted(tensors, operands, out, sizes)


@public_function
@writes(OUT_OF_TENSORDOT, looks=())
def tensordot(a: T, b: Any, dims: Any = 2, *, out: Any = None) -> T:
    """Return the sums of products over some dimensions of both.

    Args:
        a, b: of one dtype.
        dims: the number of last dimensions of a and first ones of b; or two lists, of dimensions of a and of b.
    Returns: the other dimensions of a, then those of b.
    Raises: RuntimeError: when the lists or the sizes do not fit, or the dtypes differ.
    Source: torch.tensordot.
    """
    x, y = checked_array("tensordot", a, "a"), checked_array("tensordot", b, "b", 2)
    if isinstance(dims, TensorBase):
        dims = dims._array.tolist()
    if isinstance(dims, (tuple, list)):
        left, right = (list(d) if isinstance(d, (tuple, list)) else [d] for d in dims)
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        left, right = list(range(-dims, 0)), list(range(dims))
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    if x.dtype != y.dtype:
        raise RuntimeError("both inputs should have same dtype")
    for i, j in zip(left, right):
        if x.shape[i] != y.shape[j] and 1 not in (x.shape[i], y.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and second has size "
                f"{y.shape[j]} in dim {j}"
            )
    labels_a = list(range(x.ndim))
    labels_b = list(range(x.ndim, x.ndim + y.ndim))
    for i, j in zip(left, right):
        labels_b[j] = labels_a[i]
    sizes = dict(zip(labels_a, x.shape))
    for s, n in zip(labels_b, y.shape):
        sizes[s] = max(n, sizes.get(s, 0)) if 0 not in (n, sizes.get(s, 1)) else 0
    summed = {labels_a[i] for i in left}
    out = tuple(s for s in labels_a + labels_b if s not in summed)
    return to_dtype(
        contracted([a, b], [tuple(labels_a), tuple(labels_b)], out, sizes), x.dtype
    )  # integers are summed in int64
