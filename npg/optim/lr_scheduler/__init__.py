"""Learning-rate schedules. Source: torch.optim.lr_scheduler."""

from npg.optim.lr_scheduler._base import EPOCH_DEPRECATION_WARNING, LRScheduler
from npg.optim.lr_scheduler.by_function import LambdaLR, MultiplicativeLR
from npg.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from npg.optim.lr_scheduler.cyclic import CyclicLR, OneCycleLR
from npg.optim.lr_scheduler.plateau import ReduceLROnPlateau
from npg.optim.lr_scheduler.smooth import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    PolynomialLR,
)
from npg.optim.lr_scheduler.stepwise import ConstantLR, MultiStepLR, StepLR

_LRScheduler = LRScheduler  # the name before PyTorch 2.0

__all__ = [
    "EPOCH_DEPRECATION_WARNING",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
