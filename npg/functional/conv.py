"""Convolutions of one to three spatial dimensions, transposed ones, and one over time."""

from __future__ import annotations

from typing import Any

from npg._errors import warn_once
from npg._words import c_name, scalar_name, shape_text
from npg.engine import apply
from npg.functional._arguments import checked_array, index_of, sizes_of
from npg.functional._attributes import contiguous_format
from npg.functional._convolution_checks import Array, Ints, checked_settings, each, key_of
from npg.functional._public import public_function, to_dtype
from npg.functional._types import Dims, Sizes, T
from npg.functional.copy import clone
from npg.functional.indexing import getitem
from npg.functional.shape import reshape, squeeze, unsqueeze
from npg.functional.transpose import permute
from npg.ops import conv as ops
from npg.ops._op import Like


def _batched(name: str, input: Any, x: Array, dims: int) -> tuple[Any, Array]:
    """Return the input and its array with a dimension of images, which may be missing.

    Raises: RuntimeError: for another number of dimensions.
    """
    if x.ndim == dims + 2:
        return input, x
    if x.ndim != dims + 1:
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: "
            f"{shape_text(x.shape)}"
        )
    return unsqueeze(input, 0), x[None]


def _spatial(w: Array, groups: Any) -> int:
    """Return the number of spatial dimensions, which the weight has."""
    if w.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if index_of(groups) <= 0:
        raise RuntimeError("non-positive groups is not supported")
    return w.ndim - 2


def _same(name: str, x: Array, w: Array, stride: Any, dilation: Any) -> tuple[Ints, Ints]:
    """Return the zeros before and the places with which a convolution keeps the size.

    Raises: RuntimeError: for strides, and shapes that do not fit.
    """
    if w.ndim != x.ndim:
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight{shape_text(w.shape)}, but got "
            f"{x.ndim}-dimensional input of size {shape_text(x.shape)} instead"
        )
    n = w.ndim - 2
    sizes = {key: sizes_of(name, (value,), key) for key, value in {"stride": stride, "dilation": dilation}.items()}
    for key, given in sizes.items():
        if len(given) not in (1, n):
            raise RuntimeError(f"{key} cannot broadcast to {n} dimensions")
    if any(s != 1 for s in sizes["stride"]):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    given = sizes["dilation"] * (n if len(sizes["dilation"]) == 1 else 1)
    zeros = [d * (k - 1) for d, k in zip(given, w.shape[2:], strict=True)]
    if any(z % 2 for z in zeros):
        warn_once(
            "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the "
            "input be created"
        )
    return tuple([max(z, 0) // 2 for z in zeros]), x.shape[2:]


def _run(
    input: Any, weight: Any, bias: Any, arrays: tuple[Array, Array, Array | None], stride: Ints, padding: Ints,
    dilation: Ints, groups: int, more: Ints | None = None, places: Ints | None = None,
) -> Any:  # fmt: skip
    """Check a call and apply its op; see _convolution_checks.py for the arguments."""
    x, w, b = arrays
    keys = key_of(x), key_of(w), None if b is None else key_of(b)
    settings = {**checked_settings(*keys, stride, padding, dilation, groups, more, places)}
    if more is not None:
        if not x.size and min(settings["size"]) < 0:
            out = settings["size"]
            reshape(input, (0, w.shape[1] * groups, *((1, *out) if len(out) == 1 else out)))  # raises
        return apply(ops.convolution_transpose, (input, weight, bias), settings)
    if not x.shape[1]:  # in PyTorch, no channels give no channels
        weight = getitem(weight, slice(0, 0))
        bias = None if bias is None else getitem(bias, slice(0, 0))
    return apply(ops.convolution, (input, weight, bias), settings)


def _convolve(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    x = checked_array(name, input)
    w = checked_array(name, weight, "weight", 2)
    b = None if bias is None else checked_array(name, bias, "bias", 3)
    if b is not None and b.dtype != x.dtype:
        raise RuntimeError(f"Input type ({c_name(x)}) and bias type ({c_name(b)}) should be the same")
    is_unbatched = x.ndim == dims + 1
    input, x = _batched(name, input, x, dims)
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    n = _spatial(w, groups)
    places = None
    if isinstance(padding, str):
        if padding == "same":
            padding, places = _same(name, x, w, stride, dilation)
        else:
            padding = 0
    stride = each("stride", stride, dims, n)
    padding = each("padding", padding, dims, n)
    dilation = each("dilation", dilation, dims, n)
    y = _run(input, weight, bias, (x, w, b), stride, padding, dilation, groups, None, places)
    return squeeze(y, 0) if is_unbatched else y


def _convolve_transposed(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, more: Any, groups: int,
    dilation: Any,
) -> Any:  # fmt: skip
    x = checked_array(name, input)
    w = checked_array(name, weight, "weight", 2)
    b = None if bias is None else checked_array(name, bias, "bias", 3)
    is_unbatched = x.ndim == dims + 1
    input, x = _batched(name, input, x, dims)
    n = _spatial(w, groups)
    stride = each("stride", stride, dims, n)
    padding = each("padding", padding, dims, n)
    more = each("output_padding", more, dims, n)
    dilation = each("dilation", dilation, dims, n)
    y = _run(input, weight, bias, (x, w, b), stride, padding, dilation, groups, more)
    return squeeze(y, 0) if is_unbatched else y


@public_function
def conv1d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> T:
    """Return the convolution of signals with a weight, plus a bias.

    y[n, o] = b[o] + the sum over the channels c of the correlation of x[n, c] with w[o, c]

    Args:
        input: (N, C, L) or (C, L).
        weight: (O, C / groups, k), of the dtype of input.
        bias: (O,) or None.
        stride: the distance between places; one number.
        padding: the number of zeros on both sides; one number. "valid": none. "same": as many as keep
            the size, where the stride is 1.
        dilation: the distance between elements of the kernel; one number.
        groups: the channels are cut into so many groups, each of which has its own share of the filters.
    Returns: (N, O, Lout) or without N; each size is (n + 2 padding - dilation (k - 1) - 1) // stride + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for dtypes that PyTorch has
        no kernel for.
    Source: torch.nn.functional.conv1d.
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@public_function
def conv2d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> T:
    """Return the convolution of images with a weight, plus a bias.

    y[n, o] = b[o] + the sum over the channels c of the correlation of x[n, c] with w[o, c]

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, kh, kw), of the dtype of input.
        bias: (O,) or None.
        stride: the distance between places; one number or two.
        padding: the number of zeros on both sides; one number or two. "valid": none. "same": as many as keep
            the size, where the stride is 1.
        dilation: the distance between elements of the kernel; one number or two.
        groups: the channels are cut into so many groups, each of which has its own share of the filters.
    Returns: (N, O, Hout, Wout) or without N; each size is (n + 2 padding - dilation (k - 1) - 1) // stride + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for dtypes that PyTorch has
        no kernel for.
    Source: torch.nn.functional.conv2d.
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@public_function
def conv3d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> T:
    """Return the convolution of volumes with a weight, plus a bias.

    y[n, o] = b[o] + the sum over the channels c of the correlation of x[n, c] with w[o, c]

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (O, C / groups, kd, kh, kw), of the dtype of input.
        bias: (O,) or None.
        stride: the distance between places; one number or three.
        padding: the number of zeros on both sides; one number or three. "valid": none. "same": as many as keep
            the size, where the stride is 1.
        dilation: the distance between elements of the kernel; one number or three.
        groups: the channels are cut into so many groups, each of which has its own share of the filters.
    Returns: (N, O, Dout, Hout, Wout) or without N; each size is (n + 2 padding - dilation (k - 1) - 1) // stride + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for dtypes that PyTorch has
        no kernel for.
    Source: torch.nn.functional.conv3d.
    """
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


# ----- Transposed -----


@public_function
def conv_transpose1d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> T:
    """Return the transposed convolution of signals: the gradient of conv1d in its input, plus a bias.

    Args:
        input: (N, C, L) or (C, L).
        weight: (C, O / groups, k), of the dtype of input.
        bias: (O,) or None.
        stride, padding, dilation, groups: of the convolution; one number, but for groups.
        output_padding: added to the size at one side, less than stride or dilation.
    Returns: (N, O, Lout) or without N; each size is (n - 1) stride - 2 padding + dilation (k - 1)
        + output_padding + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for integers but int64, as in
        PyTorch.
    Source: torch.nn.functional.conv_transpose1d.
    """
    return _convolve_transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@public_function
def conv_transpose2d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> T:
    """Return the transposed convolution of images: the gradient of conv2d in its input, plus a bias.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (C, O / groups, kh, kw), of the dtype of input.
        bias: (O,) or None.
        stride, padding, dilation, groups: of the convolution; one number or two, but for groups.
        output_padding: added to the size at one side, less than stride or dilation.
    Returns: (N, O, Hout, Wout) or without N; each size is (n - 1) stride - 2 padding + dilation (k - 1)
        + output_padding + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for integers but int64, as in
        PyTorch.
    Source: torch.nn.functional.conv_transpose2d.
    """
    return _convolve_transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@public_function
def conv_transpose3d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> T:
    """Return the transposed convolution of volumes: the gradient of conv3d in its input, plus a bias.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (C, O / groups, kd, kh, kw), of the dtype of input.
        bias: (O,) or None.
        stride, padding, dilation, groups: of the convolution; one number or three, but for groups.
        output_padding: added to the size at one side, less than stride or dilation.
    Returns: (N, O, Dout, Hout, Wout) or without N; each size is (n - 1) stride - 2 padding + dilation (k - 1)
        + output_padding + 1.
    Raises: RuntimeError: when shapes, dtypes or settings do not fit. NotImplementedError: for integers but int64, as in
        PyTorch.
    Source: torch.nn.functional.conv_transpose3d.
    """
    return _convolve_transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


# ----- Gradients, for npg.nn.grad -----


def _gradient_call(
    name: str, dims: int, x: Any, w: Any, grad: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> dict[str, Any]:
    """Return the settings of the convolution of arrays (or Likes) x and w whose gradient is `grad`.

    Raises: RuntimeError: when there is none.
    """
    values = {"stride": stride, "padding": padding, "dilation": dilation}
    steps, zeros, spacing = (each(argument, value, dims, dims) for argument, value in values.items())
    settings = {**checked_settings(key_of(x), key_of(w), None, steps, zeros, spacing, groups, None, None)}
    out = (x.shape[0], w.shape[0], *settings.pop("places"))
    if grad.shape != out:
        at = next((i for i, (a, b) in enumerate(zip(grad.shape, out)) if a != b), 0)
        got = f"tensor.size[{at}] = {grad.shape[at]}" if grad.ndim == len(out) else f"of size {shape_text(grad.shape)}"
        raise RuntimeError(
            f"Expected a tensor of dimension {len(out)} and tensor.size[{at}] == {out[at]} but got: dimension "
            f"{grad.ndim} and {got}"
        )
    return settings


def input_gradient(name: str, dims: int, size: Any, weight: Any, grad: Any, *settings: Any) -> Any:
    """Return the gradient of a convolution in an input of a size, as a function that is recorded."""
    g, w = checked_array(name, grad, "grad_output", 3), checked_array(name, weight, "weight", 2)
    x = Like(sizes_of(name, (size,), "input_size"), g.dtype)
    given = {"size": x.shape[2:], **_gradient_call(name, dims, x, w, g, *settings)}
    return apply(ops.convolution_transpose, (grad, weight, None), given)


def weight_gradient(name: str, dims: int, input: Any, size: Any, grad: Any, *settings: Any) -> Any:
    """Return the gradient of a convolution in a weight of a size, as a function that is recorded."""
    g, x = checked_array(name, grad, "grad_output", 3), checked_array(name, input)
    w = Like(sizes_of(name, (size,), "weight_size"), g.dtype)
    given = {"kernel": w.shape[2:], **_gradient_call(name, dims, x, w, g, *settings)}
    return apply(ops.convolution_weight, (input, grad), given)


# ----- Any dimensions, and over time -----


@public_function
def convolution(
    input: T,
    weight: T,
    bias: T | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> T:
    """Return a convolution, or a transposed one, in as many spatial dimensions as the weight has.

    Args:
        input: (N, C, *sizes), one to three of them. The others: as of conv2d, or of conv_transpose2d if transposed;
            each setting is a sequence of one number or of one for each spatial dimension.
    Raises: as conv2d. Source: torch.convolution.
    """
    x = checked_array("convolution", input)
    w = checked_array("convolution", weight, "weight", 2)
    b = None if bias is None else checked_array("convolution", bias, "bias", 3)
    n = _spatial(w, groups)
    steps, zeros, spacing, more = (
        each(argument, value, n, n)
        for argument, value in (("stride", stride), ("padding", padding), ("dilation", dilation),
                                ("output_padding", output_padding))
    )  # fmt: skip
    if min(more) < 0:
        raise RuntimeError("negative output_padding is not supported")
    return _run(input, weight, bias, (x, w, b), steps, zeros, spacing, groups, more if transposed else None)


@public_function
def conv_tbc(input: T, weight: T, bias: T, pad: int = 0) -> T:
    """Return the convolution over time of sequences whose channels are the last dimension.

    Args:
        input: (T, B, C). weight: (k, C, O). bias: (O,).
        pad: the number of zeros on both sides; a negative number leaves out as many steps.
    Returns: (T + 2 pad - k + 1, B, O).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.conv_tbc.
    """
    x = checked_array("conv_tbc", input)
    w = checked_array("conv_tbc", weight, "weight", 2)
    b = checked_array("conv_tbc", bias, "bias", 3)
    if x.ndim != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if w.ndim != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if b.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if x.shape[2] != w.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if b.shape[0] != w.shape[2]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    out = x.shape[0] + 2 * pad - w.shape[0] + 1
    if out < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {out}: {shape_text((out, x.shape[1], w.shape[2]))}"
        )
    if x.dtype != w.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {scalar_name(x)} and {scalar_name(w)}")
    settings = {"places": (out,), "stride": (1,), "padding": (pad,), "dilation": (1,), "groups": 1}
    operands = permute(input, (1, 2, 0)), permute(weight, (2, 1, 0)), to_dtype(bias, x.dtype)
    y = permute(apply(ops.convolution, operands, settings), (2, 0, 1))  # (T, B, O)
    return clone(y, memory_format=contiguous_format)
