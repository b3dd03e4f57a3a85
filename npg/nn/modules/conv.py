"""Convolutions, transposed ones, and both with the number of input channels left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npg.creation import empty
from npg.functional._public import public_function
from npg.nn import functional as F
from npg.nn.modules.lazy import LazyModuleMixin
from npg.nn.modules.linear import draw_uniform
from npg.nn.modules.module import Module
from npg.nn.modules.utils import _ntuple, _reverse_repeat_tuple, _single
from npg.nn.parameter import Parameter, UninitializedParameter
from npg.tensor import Tensor

_PADDINGS = ("same", "valid")
_MODES = ("zeros", "reflect", "replicate", "circular")


def _set_text(names: tuple[str, ...]) -> str:
    return "{" + ", ".join(map(repr, names)) + "}"


class _ConvNd(Module):
    """What all convolutions have.

    Args:
        in_channels, out_channels: numbers of channels; groups divides both.
        kernel_size, stride, padding, dilation, output_padding: a tuple of one number for each spatial dimension;
            padding may also be "same" or "valid".
        transposed: the weight is (in, out / groups, *kernel_size); otherwise (out, in / groups, *kernel_size).
        groups: the channels are cut into so many groups, which have weights of their own.
        bias: whether to learn one.
        padding_mode: "zeros", or how F.pad pads: "reflect", "replicate", "circular".
    Attributes:
        weight, bias: uniform in +-1/sqrt(fan in), PyTorch's numbers for the same seed; bias may be None.
    Raises: ValueError: for groups that do not divide, and unknown paddings.
    """

    _dims: int  # of images
    _function: str  # the name in npg.nn.functional
    weight: Any
    bias: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: Any,
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name, count in (("in", in_channels), ("out", out_channels)):
            if count % groups:
                raise ValueError(f"{name}_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in _PADDINGS:
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {_set_text(_PADDINGS)}")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {_set_text(_MODES)}, but got padding_mode='{padding_mode}'")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride, self.padding, self.dilation = kernel_size, stride, padding, dilation
        self.transposed, self.output_padding, self.groups = transposed, output_padding, groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._pads()
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty((*channels, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _pads(self) -> Any:
        """Return the padding as F.pad takes it: before and after, the last dimension first."""
        if not isinstance(self.padding, str):
            return _reverse_repeat_tuple(self.padding, 2)
        pads = []
        for d, k in zip(reversed(self.dilation), reversed(self.kernel_size), strict=True):
            both = d * (k - 1) if self.padding == "same" else 0
            pads += [both // 2, both - both // 2]
        return pads

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        draw_uniform(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * len(value):
                text += f", {name}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")  # a module pickled before there were modes


# ----- Convolutions -----


class _Conv(_ConvNd):
    @public_function
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            padding if isinstance(padding, str) else each(padding),
            each(dilation),
            False,
            each(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
            padding = 0
        function = getattr(F, self._function)
        result: Tensor = function(input, weight, bias, self.stride, padding, self.dilation, self.groups)
        return result

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolve signals (N, C, L) or (C, L); see _ConvNd. Source: torch.nn.Conv1d."""

    _dims, _function = 1, "conv1d"


class Conv2d(_Conv):
    """Convolve images (N, C, H, W) or (C, H, W); see _ConvNd. Source: torch.nn.Conv2d."""

    _dims, _function = 2, "conv2d"


class Conv3d(_Conv):
    """Convolve volumes (N, C, D, H, W) or (C, D, H, W); see _ConvNd. Source: torch.nn.Conv3d."""

    _dims, _function = 3, "conv3d"


# ----- Transposed convolutions -----


class _ConvTransposeNd(_ConvNd):
    @public_function
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            each(padding),
            each(dilation),
            True,
            each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: Any,
        stride: Any,
        padding: Any,
        kernel_size: Any,
        num_spatial_dims: int,
        dilation: Any = None,
    ) -> Any:
        """Return what must be added for the result to have a size.

        Args:
            output_size: the spatial sizes, or all; None: the module's own output_padding.
        Raises: ValueError: when there is no such result.
        """
        if output_size is None:
            return _single(self.output_padding)
        n, rank = num_spatial_dims, input.dim()
        lead = 2 if rank == n + 2 else 1
        if len(output_size) == lead + n:
            output_size = output_size[lead:]
        if len(output_size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {rank}D input, output_size must have {n} or {lead + n} elements (got "
                f"{len(output_size)})"
            )
        smallest = [
            (input.size(i + lead) - 1) * stride[i] - 2 * padding[i] + d * (kernel_size[i] - 1) + 1
            for i, d in enumerate(dilation or (1,) * n)
        ]
        largest = [size + stride[i] - 1 for i, size in enumerate(smallest)]
        if any(not low <= size <= high for low, size, high in zip(smallest, output_size, largest, strict=True)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {smallest} to {largest} (for "
                f"an input of {input.size()[2:]})"
            )
        return [size - low for low, size in zip(smallest, output_size, strict=True)]

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return the transposed convolution.

        Args:
            output_size: the spatial sizes of the result, or all its sizes; None: as output_padding says.
        """
        if self.padding_mode != "zeros":
            raise ValueError(f"Only `zeros` padding mode is supported for {type(self).__name__}")
        more = self._output_padding(
            input, output_size, self.stride, self.padding, self.kernel_size, self._dims, self.dilation
        )
        function = getattr(F, self._function)
        result: Tensor = function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )
        return result


class ConvTranspose1d(_ConvTransposeNd):
    """Convolve signals, transposed; see _ConvNd and F.conv_transpose1d. Source: torch.nn.ConvTranspose1d."""

    _dims, _function = 1, "conv_transpose1d"


class ConvTranspose2d(_ConvTransposeNd):
    """Convolve images, transposed; see _ConvNd and F.conv_transpose2d. Source: torch.nn.ConvTranspose2d."""

    _dims, _function = 2, "conv_transpose2d"


class ConvTranspose3d(_ConvTransposeNd):
    """Convolve volumes, transposed; see _ConvNd and F.conv_transpose3d. Source: torch.nn.ConvTranspose3d."""

    _dims, _function = 3, "conv_transpose3d"


# ----- With the number of input channels from the first call -----

if TYPE_CHECKING:
    _Base = _ConvNd
else:
    _Base = object


class _LazyConvXdMixin(LazyModuleMixin, _Base):
    def _leave_open(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the initial weights anew, once their shapes are known."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Give weight and bias their shapes and values, for an input of the first call."""
        if not self.has_uninitialized_params():
            return
        channels, groups = self._get_in_channels(input), self.groups
        if channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        self.in_channels = channels
        sizes = (channels, self.out_channels // groups)
        if not self.transposed:
            sizes = (self.out_channels, channels // groups)
        self.weight.materialize((*sizes, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _get_in_channels(self, input: Tensor) -> int:
        n = self._get_num_spatial_dims()
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {type(self).__name__}, but got input of "
                f"size: {input.shape}"
            )
        return int(input.shape[-n - 1])

    def _get_num_spatial_dims(self) -> int:
        return self._dims


class _LazyConv(_LazyConvXdMixin):
    @public_function
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        # Without a bias, which would be replaced.
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device=device, dtype=dtype
        )
        self._leave_open(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A Conv1d whose in_channels come from the first input. Source: torch.nn.LazyConv1d."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A Conv2d whose in_channels come from the first input. Source: torch.nn.LazyConv2d."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A Conv3d whose in_channels come from the first input. Source: torch.nn.LazyConv3d."""

    cls_to_become = Conv3d


class _LazyConvTranspose(_LazyConvXdMixin):
    @public_function
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        # Without a bias, which would be replaced.
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
            device=device, dtype=dtype,
        )  # fmt: skip
        self._leave_open(out_channels, bias, device, dtype)


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A ConvTranspose1d whose in_channels come from the first input. Source: torch.nn.LazyConvTranspose1d."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A ConvTranspose2d whose in_channels come from the first input. Source: torch.nn.LazyConvTranspose2d."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A ConvTranspose3d whose in_channels come from the first input. Source: torch.nn.LazyConvTranspose3d."""

    cls_to_become = ConvTranspose3d
