"""Normalisation of each channel of each image."""

from __future__ import annotations

from typing import Any

from npg._errors import warn
from npg.functional._public import public_function
from npg.nn import functional as F
from npg.nn.modules.batchnorm import _LazyNormBase, _NormBase
from npg.tensor import Tensor


class _InstanceNorm(_NormBase):
    dims: tuple[int, int]  # the numbers of dimensions of one image and of a batch

    @public_function
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() not in self.dims:
            one, batch = self.dims
            raise ValueError(f"expected {one}D or {batch}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        is_batch = input.dim() == self.dims[1]
        dim = int(is_batch)
        if input.size(dim) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features ({self.num_features}), but got: "
                    f"{input.size(dim)}."
                )
            warn(
                f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False"
            )
        y: Tensor = F.instance_norm(
            input if is_batch else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y if is_batch else y.squeeze(0)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        if local_metadata.get("version") is None and not self.track_running_stats:
            kept = [name for name in ("running_mean", "running_var") if prefix + name in state_dict]
            names, own = " and ".join(f'"{prefix}{name}"' for name in kept), type(self).__name__
            if kept:
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {names} for {own} with track_running_stats=False. If "
                    f"state_dict is a checkpoint saved before 0.4.0, this may be expected because {own} does not track "
                    "running stats by default since 0.4.0. Please remove these keys from state_dict. If the running "
                    f"stats are actually needed, instead set track_running_stats=True in {own} to enable them. See the "
                    f"documentation of {own} for details."
                )
            for name in kept:
                state_dict.pop(prefix + name)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sequence (N, C, L) or (C, L).

    y = (x - mean) / sqrt(var + eps) * weight + bias, with the statistics of the channel in that sequence; in evaluation
    the running ones, where these are kept.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far the running statistics move in each batch.
        affine: whether to learn weight (and bias).
        track_running_stats: whether to keep running statistics.
        bias: whether to learn bias.
    Source: Ulyanov, Vedaldi, Lempitsky, Instance Normalization, 2016; torch.nn.InstanceNorm1d.
    """

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image (N, C, H, W) or (C, H, W); see InstanceNorm1d.

    Source: torch.nn.InstanceNorm2d.
    """

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalise each channel of each volume (N, C, D, H, W) or (C, D, H, W); see InstanceNorm1d.

    Source: torch.nn.InstanceNorm3d.
    """

    dims = (4, 5)


# ----- With the number of channels of the first input -----


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """An InstanceNorm1d whose num_features come from the first input. Source: torch.nn.LazyInstanceNorm1d."""

    cls_to_become = InstanceNorm1d
    dims = InstanceNorm1d.dims


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """An InstanceNorm2d whose num_features come from the first input. Source: torch.nn.LazyInstanceNorm2d."""

    cls_to_become = InstanceNorm2d
    dims = InstanceNorm2d.dims


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """An InstanceNorm3d whose num_features come from the first input. Source: torch.nn.LazyInstanceNorm3d."""

    cls_to_become = InstanceNorm3d
    dims = InstanceNorm3d.dims
