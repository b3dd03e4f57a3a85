"""The steps of SGD and Adam on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg.ops._program import program

__all__ = ["adam", "sgd"]

Array = np.ndarray[Any, Any]


# ----- SGD -----


@program(in_place=("p",))
def _sgd(p: Any, g: Any, *, lr: Any) -> Any:
    return p - g * lr


@program(in_place=("p", "b"))
def _sgd_momentum(p: Any, g: Any, b: Any, *, lr: Any, momentum: Any, fresh: Any) -> Any:
    b = b * momentum + g * fresh
    return p - b * lr, b


@program(in_place=("p", "b"))
def _sgd_nesterov(p: Any, g: Any, b: Any, *, lr: Any, momentum: Any, fresh: Any) -> Any:
    b = b * momentum + g * fresh
    return p - (g + b * momentum) * lr, b


def sgd(
    p: Array,
    g: Array,
    b: Array | None = None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
) -> None:
    """Step p in place, and b where there is momentum: b = momentum b + (1 - dampening) g;  p -= lr b.

    Args:
        p, g, b: C-contiguous, of one dtype and shape.
        nesterov: p -= lr (g + momentum b).
    """
    if b is None:
        _sgd(p, g, lr=lr)
    else:
        (_sgd_nesterov if nesterov else _sgd_momentum)(p, g, b, lr=lr, momentum=momentum, fresh=1 - dampening)


# ----- Adam -----


def _near(m: Any, g: Any, weight: Any) -> Any:
    return m + (g - m) * weight


def _far(m: Any, g: Any, rest: Any) -> Any:
    return g - (g - m) * rest


def _square_average(v: Any, g: Any, keep2: Any, new2: Any) -> Any:
    return v * keep2 + g * g * new2


def _difference(m: Any, v: Any, root: Any, eps: Any, rate: Any) -> Any:
    return m / (np.sqrt(v) * root + eps) * rate


def _adam_programs(average: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return Adam's step, and that with the largest average square, where `average` gives the new m."""

    @program(in_place=("p", "m", "v"))
    def plain(
        p: Any, g: Any, m: Any, v: Any, *, decay: Any, new1: Any, keep2: Any, new2: Any, root: Any, eps: Any, rate: Any
    ) -> Any:
        m, v = average(m, g, new1), _square_average(v, g, keep2, new2)
        return p * decay - _difference(m, v, root, eps, rate), m, v

    @program(in_place=("p", "m", "v", "largest"))
    def with_largest(
        p: Any,
        g: Any,
        m: Any,
        v: Any,
        largest: Any,
        *,
        decay: Any,
        new1: Any,
        keep2: Any,
        new2: Any,
        root: Any,
        eps: Any,
        rate: Any,
    ) -> Any:
        m, v = average(m, g, new1), _square_average(v, g, keep2, new2)
        largest = np.maximum(largest, v)
        return p * decay - _difference(m, largest, root, eps, rate), m, v, largest

    return plain, with_largest


_adam_near, _adam_far = _adam_programs(_near), _adam_programs(_far)


def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None = None,
    *,
    betas: tuple[float, float],
    decay: float,
    root: float,
    eps: float,
    rate: float,
) -> None:
    """Step p and update m, v (and largest) in place.

        m += (1 - beta1)(g - m), counted from the nearer end as by lerp;  v = beta2 v + (1 - beta2) g^2
        largest = max(largest, v)
        p = decay p - rate m / (root sqrt(v or largest) + eps)

    Args:
        p, g, m, v, largest: C-contiguous, of one dtype and shape.
    """
    new1 = 1 - betas[0]
    plain, with_largest = _adam_near
    if not abs(new1) < 0.5:
        (plain, with_largest), new1 = _adam_far, float(1 - m.dtype.type(new1))
    numbers: dict[str, Any] = {"decay": decay, "new1": new1, "keep2": betas[1], "new2": 1 - betas[1]}
    numbers |= {"root": root, "eps": eps, "rate": rate}
    if largest is None:
        plain(p, g, m, v, **numbers)
    else:
        with_largest(p, g, m, v, largest, **numbers)
