"""The steps of SGD and Adam on arrays."""

from __future__ import annotations

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


def _moments(g: Any, m: Any, v: Any, new1: Any, keep2: Any, new2: Any) -> Any:
    return m + (g - m) * new1, v * keep2 + g * g * new2


def _difference(m: Any, v: Any, root: Any, eps: Any, rate: Any) -> Any:
    return m / (np.sqrt(v) * root + eps) * rate


@program(in_place=("p", "m", "v"))
def _adam(
    p: Any, g: Any, m: Any, v: Any, *, decay: Any, new1: Any, keep2: Any, new2: Any, root: Any, eps: Any, rate: Any
) -> Any:
    m, v = _moments(g, m, v, new1, keep2, new2)
    return p * decay - _difference(m, v, root, eps, rate), m, v


@program(in_place=("p", "m", "v", "largest"))
def _adam_largest(
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
    m, v = _moments(g, m, v, new1, keep2, new2)
    largest = np.maximum(largest, v)
    return p * decay - _difference(m, largest, root, eps, rate), m, v, largest


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

        m += (1 - beta1)(g - m);  v = beta2 v + (1 - beta2) g^2;  largest = max(largest, v)
        p = decay p - rate m / (root sqrt(v or largest) + eps)

    Args:
        p, g, m, v, largest: C-contiguous, of one dtype and shape.
    """
    numbers: dict[str, Any] = {"decay": decay, "new1": 1 - betas[0], "keep2": betas[1], "new2": 1 - betas[1]}
    numbers |= {"root": root, "eps": eps, "rate": rate}
    if largest is None:
        _adam(p, g, m, v, **numbers)
    else:
        _adam_largest(p, g, m, v, largest, **numbers)
