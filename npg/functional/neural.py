"""Layers as functions: linear, bilinear, embedding, normalisation, gelu."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import _errors, dtypes, engine
from npg._errors import OUT_DTYPE_FOUND
from npg.engine import TensorBase, apply
from npg.functional._dims import array_of
from npg.functional._kernels import apply_floating, title
from npg.functional._public import public_function, to_dtype, writes
from npg.functional._types import Dims, Sizes, T
from npg.functional.pointwise import add, div, mul, sub
from npg.functional.reduction import norm, sum
from npg.functional.selecting import clamp_min
from npg.functional.shaping import broadcast_tensors, reshape
from npg.ops import embedding as embedding_ops, gelu as gelu_ops, norm as norm_ops
from npg.ops.linear import linear as linear_op, node_variants

__all__ = [
    "bilinear",
    "cosine_similarity",
    "embedding",
    "gelu",
    "layer_norm",
    "linear",
    "normalize",
    "pairwise_distance",
    "rms_norm",
]


# ----- Linear -----


def linear(input: T, weight: T, bias: T | None = None) -> T:
    """Return input weight^T + bias.

    Args:
        input: (..., in).
        weight: (out, in), of the dtype of input; or (in,), which gives (...).
        bias: (out,) or None; of a vector times a vector 0-d.
    Returns: (..., out).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.nn.functional.linear.
    """
    x = array_of("linear", input)
    w = array_of("linear", weight, "weight", 2)
    b = None if bias is None else array_of("linear", bias, "bias", 3)
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        if w.ndim == 1 and x.ndim and (b is None or (x.ndim == 1 and not b.ndim)):
            y = reshape(linear(input, reshape(weight, (1, -1))), x.shape[:-1])
            return y if bias is None else add(y, bias)
        _refuse_linear(x, w, b)
    if b is not None and b.shape != (w.shape[0],):
        return add(linear(input, weight), _fitting_bias(bias, x, w, b))
    if b is not None and b.dtype != w.dtype:
        kinds = title(b.dtype), title(w.dtype)
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {kinds[0]} and {kinds[1]}")
    op = linear_op if x.ndim == 2 and b is not None else node_variants[x.ndim if x.ndim < 3 else 3, b is not None]
    return apply(op, (input, weight, bias), {})


def _refuse_linear(x: Any, w: Any, b: Any) -> None:
    if not x.ndim:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    if w.ndim != 2:
        raise RuntimeError(f"mat2 must be a matrix, got {w.ndim}-D tensor")
    if x.shape[-1] != w.shape[1]:
        rows = math.prod(x.shape[:-1])
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and {w.shape[1]}x{w.shape[0]})"
        )
    if b is None:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {dtypes.c_name(x.dtype)} != {dtypes.c_name(w.dtype)}"
        )
    raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {title(x.dtype)} and {title(w.dtype)}")


def _fitting_bias(bias: Any, x: Any, w: Any, b: Any) -> Any:
    # Any bias that broadcasts to the result is taken.
    shape = (*x.shape[:-1], w.shape[0])
    rows = (math.prod(x.shape[:-1]), w.shape[0])
    if b.ndim == 2 and b.shape == rows:
        return reshape(bias, shape)
    for i in range(1, b.ndim + 1):
        wanted = rows[-i] if i <= 2 else 1
        if b.shape[-i] not in (1, wanted):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) must match the existing size ({b.shape[-i]}) at "
                f"non-singleton dimension {2 - i}.  Target sizes: {list(rows)}.  Tensor sizes: {list(b.shape)}"
            )
    return bias


@public_function
def bilinear(input1: T, input2: T, weight: T, bias: T | None = None) -> T:
    """Return input1 weight[k] input2^T for each k, plus bias.

    Args:
        input1: (..., in1). input2: (..., in2), of the same leading dimensions.
        weight: (out, in1, in2).
        bias: (out,) or None.
    Returns: (..., out).
    Raises: RuntimeError: when the shapes do not fit.
    Source: torch.nn.functional.bilinear.
    """
    a, b = array_of("bilinear", input1, "input1"), array_of("bilinear", input2, "input2", 2)
    w = array_of("bilinear", weight, "weight", 3)
    c = None if bias is None else array_of("bilinear", bias, "bias", 4)
    if a.ndim != b.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    for i, (m, n) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {m} and {n}")
    for i, array in ((1, a), (2, b)):
        if array.shape[-1] != w.shape[i]:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {array.shape[-1]} but expected {w.shape[i]}"
            )
    if c is not None and c.shape[0] != w.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {c.shape[0]} but expected {w.shape[0]}"
        )
    rows = math.prod(a.shape[:-1])
    out, first, second = w.shape
    # All k in one product: (rows, out * in1) from input2, then a sum over in1.
    part = linear(reshape(input2, (rows, second)), reshape(weight, (out * first, second)))
    y = sum(mul(reshape(part, (rows, out, first)), reshape(input1, (rows, 1, first))), -1)
    y = to_dtype(reshape(y, (*a.shape[:-1], out)), a.dtype)  # a sum of integers is int64
    return y if bias is None else add(y, bias)


# ----- Embedding -----


@public_function
def embedding(
    input: T,
    weight: T,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> T:
    """Return the rows of weight at the indices.

    Args:
        input: (...) int64 or int32 indices.
        weight: (V, C).
        padding_idx: a row whose gradient is 0; counted from the end if negative.
        max_norm: scale the rows that are looked up, and whose norm is larger, down to it; this changes weight.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often its index occurs.
        sparse: has no effect: gradients are dense.
    Returns: (..., C).
    Raises: IndexError: when an index is out of range. RuntimeError: for another dtype of input or shape of weight.
    Source: torch.nn.functional.embedding; with weight before input it is torch.embedding.
    """
    w = array_of("embedding", weight, "weight", 2)
    index = array_of("embedding", input, "indices")
    if index.dtype != np.int64:
        if index.dtype.kind == "f" and w.dtype in (np.int64, np.int32):  # torch.embedding takes the weight first
            return embedding(weight, input, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        if index.dtype != np.int32:
            kind = "CPUBoolType" if index.dtype == bool else f"npg.{title(index.dtype)}Tensor"
            raise RuntimeError(
                "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                f"got {kind} instead (while checking arguments for embedding)"
            )
        input = to_dtype(input, np.dtype(np.int64))
    if w.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if padding_idx is not None:
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= w.shape[0]
    if max_norm is not None:
        with engine.no_grad():
            if isinstance(weight, TensorBase):
                engine.check_in_place(weight)
            embedding_ops.renorm_rows(w, index.astype(np.int64, copy=False), max_norm, norm_type)
            if isinstance(weight, TensorBase):
                engine.bump_version(weight)
    settings = {"padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq}
    return apply(embedding_ops.embedding, (weight, input), settings)


# ----- Normalisation -----


def _check_normalized(x: Any, shape: Any, name: str, star: str, weight: Any, bias: Any = None) -> tuple[int, ...]:
    """Return normalized_shape as a tuple. Raises: RuntimeError, TypeError: when it or a parameter does not fit."""
    if not isinstance(shape, (tuple, list)):
        kind = type(shape).__name__
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not {kind}")
    shape = tuple(shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for what, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != shape:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape "
                f"{_errors.shape_text(array.shape)} and normalized_shape = {_errors.shape_text(shape)}"
            )
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(str(n) for n in shape)
        raise RuntimeError(
            f"Given normalized_shape={_errors.shape_text(shape)}, expected input with shape [*{star}{sizes}], but got "
            f"input of size{_errors.shape_text(x.shape)}"
        )
    return shape


@public_function
def layer_norm(
    input: T, normalized_shape: Sizes, weight: T | None = None, bias: T | None = None, eps: float = 1e-5
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, mean and variance over the last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: the sizes of the dimensions that are normalised together.
        weight, bias: normalized_shape, or None.
        eps: added to the variance, which is that of all elements (no correction).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: Ba, Kiros, Hinton, Layer Normalization, 2016; torch.nn.functional.layer_norm.
    """
    x = array_of("layer_norm", input)
    w = None if weight is None else array_of("layer_norm", weight, "weight", 3)
    b = None if bias is None else array_of("layer_norm", bias, "bias", 4)
    shape = _check_normalized(x, normalized_shape, "layer_norm", ", ", w, b)
    for parameter in (w, b):
        if parameter is not None and parameter.dtype != x.dtype:
            if x.dtype != np.float16 or parameter.dtype != np.float32:
                raise RuntimeError(f"mixed dtype (CPU): expect parameter to have scalar type of {title(x.dtype)}")
    settings = {"dims": len(shape), "eps": float(eps)}
    return apply_floating(norm_ops.layer_norm, (input, weight, bias), settings, "LayerNormKernelImpl")


@public_function
def rms_norm(input: T, normalized_shape: Sizes, weight: T | None = None, eps: float | None = None) -> T:
    """Return input / sqrt(mean(input^2) + eps) * weight, the mean over the last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: the sizes of the dimensions that are normalised together.
        weight: normalized_shape, or None.
        eps: None is the eps of the dtype.
    Raises: RuntimeError: when the shapes do not fit.
    Source: Zhang, Sennrich, Root Mean Square Layer Normalization, 2019; torch.nn.functional.rms_norm.
    """
    x = array_of("rms_norm", input)
    w = None if weight is None else array_of("rms_norm", weight, "weight", 3)
    shape = _check_normalized(x, normalized_shape, "rms_norm", "", w)
    if eps is None:
        eps = float(np.finfo(np.float32 if x.dtype == np.float16 else x.dtype).eps) if x.dtype.kind == "f" else 0.0
    settings = {"dims": len(shape), "eps": float(eps)}
    if w is not None and w.dtype != x.dtype:
        common = dtypes.promote_types(dtypes.from_numpy(x.dtype), dtypes.from_numpy(w.dtype)).dtype
        return mul(apply_floating(norm_ops.rms_norm, (to_dtype(input, common), None), settings, "rms_norm"), weight)
    return apply_floating(norm_ops.rms_norm, (input, weight), settings, "rms_norm")


@public_function
def normalize(input: T, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12, out: Any = None) -> T:
    """Return input / max(norm(input, p), eps), the norm over a dimension.

    Args:
        input: floating, any shape.
        p: the norm's exponent.
        dim: the dimension, or several.
        eps: what the norm is at least, so that 0 is not divided by 0.
    Source: torch.nn.functional.normalize.
    """
    return div(input, clamp_min(norm(input, p, dim, keepdim=True), eps))


@public_function
def cosine_similarity(x1: T, x2: T, dim: int = 1, eps: float = 1e-8) -> T:
    """Return x1 x2 / (max(|x1|, eps) max(|x2|, eps)), product and norms over a dimension.

    Args:
        x1, x2: tensors, broadcast; at least one floating.
        dim: the dimension.
        eps: what each norm is at least.
    Returns: the broadcast shape without dim.
    Raises: RuntimeError: when both are integers, the shapes do not fit, or eps is negative.
    Source: torch.nn.functional.cosine_similarity.
    """
    name = "cosine_similarity"
    common = dtypes.common_dtype([array_of(name, x1, "x1"), array_of(name, x2, "x2", 2)])
    if not common.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {title(common.dtype)}")
    if not eps >= 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps:g}")
    first, second = broadcast_tensors(to_dtype(x1, common.dtype), to_dtype(x2, common.dtype))
    first, second = normalize(first, 2.0, dim, eps), normalize(second, 2.0, dim, eps)
    return sum(mul(first, second), dim)


@public_function
def pairwise_distance(x1: T, x2: T, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> T:
    """Return the norm of x1 - x2 + eps over the last dimension.

    Args:
        x1, x2: (N, D) or (D,), broadcast.
        p: the norm's exponent.
        keepdim: keep the last dimension, with size 1.
    Source: torch.nn.functional.pairwise_distance.
    """
    return norm(add(sub(x1, x2), float(eps)), p, -1, keepdim)


# ----- GELU -----


@public_function
@writes(OUT_DTYPE_FOUND)
def gelu(input: T, approximate: str = "none", *, out: Any = None) -> T:
    """Return input * Phi(input), Phi the normal distribution function.

    Args:
        input: floating, any shape.
        approximate: "none": x (1 + erf(x / sqrt(2))) / 2; "tanh": x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    Raises: RuntimeError: for another approximate.
    Source: Hendrycks, Gimpel, Gaussian Error Linear Units, 2016; torch.nn.functional.gelu.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    array_of("gelu", input)
    op = gelu_ops.gelu if approximate == "none" else gelu_ops.gelu_tanh
    return apply_floating(op, (input,), {}, "GeluKernelImpl")
