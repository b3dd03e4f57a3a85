"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg.tensor import Tensor

# A point of the search: the step, and the loss, gradient and directional derivative there.
_Point = tuple[Any, float, Tensor, Any]


def _minimum_of_cubic(a: _Point, b: _Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return the minimizer, within bounds, of the cubic through two points with their slopes."""
    (x1, f1, _, g1), (x2, f2, _, g2) = a, b
    low, high = bounds if bounds is not None else (x1, x2) if x1 <= x2 else (x2, x1)
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if x1 <= x2:
        lowest = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        lowest = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(lowest, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Tensor]],
    direction: Tensor,
    step: Any,
    loss: float,
    gradient: Tensor,
    slope: Any,
    most: int,
    sufficient: float = 1e-4,
    curvature: float = 0.9,
    smallest: float = 1e-9,
) -> tuple[float, Tensor, Any, int]:
    """Find a step that decreases the loss and the slope sufficiently.

    f(t) <= f(0) + sufficient t f'(0)  and  |f'(t)| <= curvature |f'(0)|

    Args:
        evaluate: returns the loss and the gradient at a step.
        step: the initial guess.
        loss, gradient, slope: their values at step 0.
        most: the maximum number of evaluations after the first.
        smallest: stop when the bracket moves no parameter by more than this.
    Returns: loss, gradient, step, number of evaluations.
    Source: Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6, as torch.optim.LBFGS does it.
    """
    largest = direction.abs().max()
    count = 0

    def look(t: Any) -> _Point:
        nonlocal count
        count += 1
        f, g = evaluate(t)
        return t, f, g, g.dot(direction)

    def too_high(p: _Point) -> bool:
        return bool(p[1] > loss + sufficient * p[0] * slope)

    def is_flat(p: _Point) -> bool:
        return bool(abs(p[3]) <= -curvature * slope)

    # Bracket a minimum.
    start = before = (0, loss, gradient.clone(), slope)
    here = look(step)
    rounds = 0
    done = False
    bracket = [start, here]
    while rounds < most:
        if too_high(here) or (rounds > 1 and here[1] >= before[1]) or (not is_flat(here) and here[3] >= 0):
            bracket = [before, here]
            break
        if is_flat(here):
            bracket, done = [here], True
            break
        t, last = here[0], before[0]
        further = _minimum_of_cubic(before, here, (t + 0.01 * (t - last), t * 10))
        before, here = here, look(further)
        rounds += 1
        bracket = [start, here]
    # Narrow the bracket.
    low, high = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
    stuck = False
    while not done and rounds < most:
        ends = bracket[0][0], bracket[1][0]
        if abs(ends[1] - ends[0]) * largest < smallest:
            break
        t = _minimum_of_cubic(bracket[0], bracket[1])
        margin = 0.1 * (max(ends) - min(ends))
        near = min(max(ends) - t, t - min(ends)) < margin
        if near and (stuck or t >= max(ends) or t <= min(ends)):  # the second time: move a tenth away from the end
            t = max(ends) - margin if abs(t - max(ends)) < abs(t - min(ends)) else min(ends) + margin
            near = False
        stuck = bool(near)
        here = look(t)
        rounds += 1
        if too_high(here) or here[1] >= bracket[low][1]:
            bracket[high] = here
            low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if is_flat(here):
                done = True
            elif here[3] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = here
    t, f, g, _ = bracket[low]
    return f, g, t, count
