"""Checks of convolutions, in PyTorch's words: by shapes, dtypes and settings alone, so that a call is checked once."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from npg._naming import named
from npg._words import scalar_name, shape_text
from npg.functional._arguments import index_of
from npg.ops._op import Like

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Key = tuple[Ints, str]  # of an array


class _Call(NamedTuple):
    """The shapes, dtypes and settings of a call."""

    x: Like
    w: Like
    bias: Like | None
    stride: Ints
    padding: Ints
    dilation: Ints
    groups: int
    output_padding: Ints | None = None  # of a transposed convolution
    places: Ints | None = None  # where padding is "same"

    @property
    def is_transposed(self) -> bool:
        return self.output_padding is not None

    @property
    def out(self) -> Ints:
        """Return the spatial sizes of the result."""
        if self.places is not None:
            return self.places
        sizes = zip(self.x.shape[2:], self.w.shape[2:], self.stride, self.padding, self.dilation, strict=True)
        if self.output_padding is None:
            return tuple([(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes])
        natural = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in sizes]
        return tuple([n + more for n, more in zip(natural, self.output_padding, strict=True)])


# ----- Refusals, in the order of PyTorch's -----


def each(argument: str, value: Any, dims: int, n: int) -> Ints:
    """Return a setting for each of the n spatial dimensions of a weight.

    Args:
        value: a sequence, or one number, which stands for `dims` of them.
    Raises: TypeError: for anything else. RuntimeError: for another number of numbers.
    """
    sizes = tuple([index_of(v) for v in value]) if isinstance(value, (tuple, list)) else (index_of(value),) * dims
    if len(sizes) == n:
        return sizes
    if len(sizes) == 1:
        return sizes * n
    raise RuntimeError(
        f"expected {argument} to be a single integer value or a list of {n} values to match the convolution "
        f"dimensions, but got {argument}={shape_text(sizes)}"
    )


def _check_shapes(call: _Call) -> None:
    """Raise RuntimeError when the settings are out of range or the shapes do not fit together."""
    x, w, bias, stride, padding, dilation, groups, more, places = call
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if more is not None and min(more) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    weight = f"weight of size {shape_text(w.shape)}"
    if w.ndim != x.ndim:
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {shape_text(w.shape)}, but got "
            f"{x.ndim}-dimensional input of size {shape_text(x.shape)} instead"
        )
    if w.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got {weight} instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{shape_text(w.shape)}] instead"
        )
    given = "transposed=1" if call.is_transposed else f"groups={groups}"
    channels, filters = w.shape[1] * groups, w.shape[0]
    if call.is_transposed:
        channels, filters = filters, channels
    if x.shape[1] != channels:
        shape = x.shape
        if places is not None:  # in PyTorch, a zero more on one side is there by now
            zeros = [d * (k - 1) % 2 for d, k in zip(dilation, w.shape[2:], strict=True)]
            shape = (*shape[:2], *(size + z for size, z in zip(shape[2:], zeros, strict=True)))
        raise RuntimeError(
            f"Given {given}, {weight}, expected input{shape_text(shape)} to have {channels} channels, but got "
            f"{x.shape[1]} channels instead"
        )
    if bias is not None and bias.shape != (filters,):
        given = f"Given {given}, weight" if call.is_transposed else "Given weight"
        raise RuntimeError(
            f"{given} of size {shape_text(w.shape)}, expected bias to be 1-dimensional with {filters} elements, but "
            f"got bias of size {shape_text(bias.shape)} instead"
        )
    if not call.is_transposed and places is None:
        padded = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
        kernel = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
        if any(n < k for n, k in zip(padded, kernel, strict=True)):
            raise RuntimeError(
                f"Calculated padded input size per channel: ({_times(padded)}). Kernel size: ({_times(kernel)}). "
                "Kernel size can't be greater than actual input size"
            )


def _check_values(call: _Call) -> None:
    """Raise for an input without elements, dtypes that differ or have no kernel, and sizes that no kernel takes."""
    x, w, bias, dilation, more = call.x, call.w, call.bias, call.dilation, call.output_padding
    if not x.size and x.shape[0] and x.shape[1]:
        shape = x.shape if x.ndim > 3 else (*x.shape[:2], 1, *x.shape[2:])  # in PyTorch, signals are images
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {shape_text(shape)}"
        )
    if not x.size:
        return
    if min(dilation) == 0 and not call.is_transposed:
        raise RuntimeError("non-positive dilation is not supported")
    for other, kind in ((w, "weight"), (bias, "bias")):
        if other is not None and other.dtype != x.dtype:
            if x.dtype.char not in "ef":
                raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(other)}")
            raise RuntimeError(
                named(
                    f"Input type (npg.{scalar_name(x)}Tensor) and {kind} type (npg.{scalar_name(other)}Tensor) should "
                    f"be the same or input should be a MKLDNN tensor and {kind} is a dense tensor"
                )
            )
    dims = x.ndim - 2
    if 0 in w.shape[2:] and not (call.is_transposed and dims == 3):
        if dims == 3:
            raise RuntimeError(f"kernel size should be greater than zero, but got: {_times(w.shape[2:])} (TxHxW)")
        raise RuntimeError(f"kernel size should be greater than zero, but got {_listed('kernel', w.shape[2:], ' ')}")
    if more is not None:
        _check_transposed(call, more)
    if x.dtype.kind != "f" and x.dtype != np.int64:
        is_wide = x.dtype.kind == "u" and x.dtype.itemsize > 1
        kernel = ""
        if call.is_transposed:
            kernel = f"slow_conv_transpose{max(dims, 2)}d_out_cpu"
        elif max(dilation) > 1:
            kernel = "slow_conv_dilated<>"
        elif x.dtype == bool or is_wide:
            kernel = "compute_columns3d" if dims == 3 else "slow_conv2d_cpu"
        if kernel:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")


def _check_transposed(call: _Call, more: Ints) -> None:
    x, w, stride, dilation = call.x, call.w, call.stride, call.dilation
    if 0 in dilation:
        raise RuntimeError(f"dilation should be greater than zero, but got {_listed('dilation', dilation, ', ')}")
    if any(m >= s and m >= d for m, s, d in zip(more, stride, dilation, strict=True)):
        given = {"output_padding": more, "stride": stride, "dilation": dilation}
        listed = " ".join([_listed(name, sizes, " ") for name, sizes in given.items()])
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {listed}")
    if not w.size:
        kind = "non-empty 2D or 4D weight tensor expected, but got:"
        if w.ndim == 5:
            kind = (
                "non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x kernel_width) tensor "
                "expected for weight, but got:"
            )
        shape = w.shape if w.ndim > 3 else (*w.shape[:2], 1, w.shape[2])
        raise RuntimeError(f"{kind} {shape_text(shape)}")
    if min(call.out) < 1:
        sizes, out = ((1, *s) if len(s) == 1 else s for s in (x.shape[2:], call.out))
        raise RuntimeError(
            f"Given input size per channel: ({_times(sizes)}). Calculated output size per channel: ({_times(out)}). "
            "Output size is too small"
        )


def _times(sizes: Any) -> str:
    return " x ".join(str(n) for n in sizes)


def _listed(name: str, sizes: Ints, separator: str) -> str:
    """Return sizes by dimension: kernel_height: 3 kernel_width: 2. One dimension is the width of images."""
    if len(sizes) == 1:
        sizes = (0 if name == "output_padding" else 1, *sizes)
    labels = ("depth", "height", "width")[-len(sizes) :]
    return separator.join([f"{name}_{label}: {n}" for label, n in zip(labels, sizes, strict=True)])


# ----- A call -----


@functools.lru_cache(maxsize=1024)
def checked_settings(
    x: Key, w: Key, bias: Key | None, stride: Ints, padding: Ints, dilation: Ints, groups: int, more: Ints | None,
    places: Ints | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the settings of the op for these shapes and dtypes; see _Call for the arguments.

    Kept, for a network calls with few of them. Raises: RuntimeError, NotImplementedError: where they do not fit.
    """
    call = _Call(_like(x), _like(w), bias and _like(bias), stride, padding, dilation, groups, more, places)
    _check_shapes(call)
    if call.x.ndim > 5:
        raise RuntimeError("unsupported ConvNd parameters")
    _check_values(call)
    size = "places" if more is None else "size"
    return {size: call.out, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def key_of(array: Array) -> Key:
    """Return what the checks look at of an array."""
    return array.shape, array.dtype.char


def _like(key: Key) -> Like:
    return Like(key[0], np.dtype(key[1]))
