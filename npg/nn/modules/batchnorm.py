"""Normalisation of each channel over a batch."""

from __future__ import annotations

from typing import Any

from npg import distributed
from npg.creation import empty, ones, tensor, zeros
from npg.distributed._batch_norm import BatchNormOverRanks
from npg.dtypes import int64
from npg.functional._public import public_function
from npg.nn import functional as F, init
from npg.nn.modules.lazy import LazyModuleMixin
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter, is_lazy
from npg.tensor import Tensor


class _NormBase(Module):
    """Base class of the norms with running statistics.

    Args:
        num_features: C, the number of channels.
        eps: added to the variance.
        momentum: how far the running statistics move in each batch; None: they are the averages over all batches.
        affine: whether to learn weight (and bias).
        track_running_stats: whether to keep the running statistics.
        bias: whether to learn bias.
    """

    _version = 2  # since version 2 with num_batches_tracked

    @public_function
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, is_learned in (("weight", affine), ("bias", affine and bias)):
            parameter = Parameter(empty(num_features, device=device, dtype=dtype)) if is_learned else None
            self.register_parameter(name, parameter)
        statistics: tuple[Any, ...] = (None, None, None)
        if track_running_stats:
            statistics = (
                zeros(num_features, device=device, dtype=dtype),
                ones(num_features, device=device, dtype=dtype),
                tensor(0, device=device, dtype=int64),
            )
        for name, value in zip(("running_mean", "running_var", "num_batches_tracked"), statistics, strict=True):
            self.register_buffer(name, value)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set the running statistics to a mean of 0 and a variance of 1, of no batches."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Reset the running statistics, set weight to ones and bias to zeros."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        numbers = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
        return f"{numbers}, {affine}, track_running_stats={self.track_running_stats}"

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats:
            own = self.num_batches_tracked
            state_dict.setdefault(f"{prefix}num_batches_tracked", tensor(0) if own is None else own)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        counts = self.training and self.track_running_stats and self.num_batches_tracked is not None
        momentum = 0.0 if self.momentum is None else self.momentum
        if counts and self.momentum is None:
            momentum = 1.0 / (float(self.num_batches_tracked) + 1.0)
        kept = not self.training or self.track_running_stats
        y: Tensor = F.batch_norm(
            input,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )
        if counts:  # only now: a refused call changes nothing
            self.num_batches_tracked.add_(1)
        return y


class BatchNorm1d(_BatchNorm):
    """Normalise each channel over a batch (N, C) or (N, C, L): y = (x - mean) / sqrt(var + eps) * weight + bias.

    In training, mean and variance are those of the batch, and the running statistics move towards them by `momentum`;
    in evaluation they are the running statistics, where these are kept.

    Args: as in BatchNorm2d.
    Source: Ioffe, Szegedy, Batch Normalization, 2015; torch.nn.BatchNorm1d.
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over a batch (N, C, H, W); see BatchNorm1d.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far the running statistics move in each batch; None: they are the averages over all batches.
        affine: whether to learn weight (and bias).
        track_running_stats: whether to keep running statistics.
        bias: whether to learn bias.
    Source: torch.nn.BatchNorm2d.
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Normalise each channel over a batch (N, C, D, H, W); see BatchNorm1d. Source: torch.nn.BatchNorm3d."""

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


# ----- With the number of channels of the first input -----


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """Base class of the lazy norms. Args: as in BatchNorm2d, without num_features."""

    @public_function
    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        # Without parameters and statistics, which would be replaced.
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = tensor(0, device=device, dtype=int64)

    def reset_parameters(self) -> None:
        """Reset the statistics and parameters, once their shape is known."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Give the statistics and parameters the number of channels of an input."""
        if not self.has_uninitialized_params():
            return
        self._check_input_dim(input)  # before anything changes
        self.num_features = input.shape[1]
        for t in (*self._parameters.values(), *self._buffers.values()):
            if is_lazy(t):
                t.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """A BatchNorm1d whose num_features come from the first input. Source: torch.nn.LazyBatchNorm1d."""

    cls_to_become = BatchNorm1d
    _check_input_dim = BatchNorm1d._check_input_dim


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """A BatchNorm2d whose num_features come from the first input. Source: torch.nn.LazyBatchNorm2d."""

    cls_to_become = BatchNorm2d
    _check_input_dim = BatchNorm2d._check_input_dim


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """A BatchNorm3d whose num_features come from the first input. Source: torch.nn.LazyBatchNorm3d."""

    cls_to_become = BatchNorm3d
    _check_input_dim = BatchNorm3d._check_input_dim


# ----- Over several processes -----


class SyncBatchNorm(_BatchNorm):
    """Normalise each channel over the batches (N, C, ...) of all ranks of a process group.

    Ranks may have batches of different sizes, and empty ones. Without a process group, and in evaluation, it is
    BatchNorm.

    Args:
        process_group: the ranks; None: all.
        The others: as in BatchNorm2d.
    Source: torch.nn.SyncBatchNorm, which refuses several processes on a CPU.
    """

    @public_function
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or not distributed.is_initialized() or distributed.get_world_size(self.process_group) == 1:
            return super().forward(input)
        self._check_input_dim(input)
        y, mean, var = BatchNormOverRanks.apply(input, self.eps, self.process_group)
        if self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            share = 1.0 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(var, share)
        shape = [1, -1] + [1] * (input.dim() - 2)
        if self.weight is not None:
            y = y * self.weight.view(shape)
        if self.bias is not None:
            y = y + self.bias.view(shape)
        result: Tensor = y
        return result

    @classmethod
    def convert_sync_batchnorm(cls, module: Any, process_group: Any = None) -> Any:
        """Return a module with SyncBatchNorm in the place of every BatchNorm in it, with the same parameters.

        Args:
            module: changed; if it is a BatchNorm itself, a new module takes its place.
            process_group: given to the new modules.
        Source: torch.nn.SyncBatchNorm.convert_sync_batchnorm.
        """
        converted = module
        if isinstance(module, _BatchNorm):
            settings = (module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats)
            converted = SyncBatchNorm(*settings, process_group, bias=module.bias is not None)
            for name in ("weight", "bias") if module.affine else ():
                setattr(converted, name, getattr(module, name))
            for name in ("running_mean", "running_var", "num_batches_tracked", "training"):
                setattr(converted, name, getattr(module, name))
            if hasattr(module, "qconfig"):
                converted.qconfig = module.qconfig
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
