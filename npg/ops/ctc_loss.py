"""Connectionist temporal classification: the probability of a sequence of labels, however it is spread over frames.

The labels of an example, with a blank before, between and after them, are its path: 2 S + 1 places. A path is walked
from one of its first two places to one of its last two; at each frame one stays, takes a step, or skips a blank between
two different labels. alpha[t] has the logarithms of the probabilities of all ways to a place by frame t; beta[t] of all
ways from there to the end; both with frame t. Source: Graves et al., Connectionist temporal classification, 2006.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._kinds import reshaped
from npg.ops._op import Op, fused
from npg.ops.elementwise import cast, exp, log
from npg.ops.indexing import index
from npg.ops.rearrange import constant_pad
from npg.ops.scatter import scatter_sum
from npg.ops.selection import where
from npg.ops.shape import as_batch

Array = np.ndarray[Any, Any]
_WIDE = np.dtype(np.float64)  # of sums over all frames: a difference of two of them makes the gradient


class _Paths:
    """The paths of a batch, padded to P places, and the frames they have.

    Attributes:
        labels: (B, P), the class at each place.
        skips: (B, P), whether a place can be reached from the one before the last.
        starts, ends: (B, P), whether a path may begin or end at a place.
        frames: (B,), how many frames count.
        alive: (T, B, 1), which do.
    """

    def __init__(self, targets: Any, frames: Any, lengths: Any, blank: int, count: int) -> None:
        targets, frames, lengths = (np.asarray(x) for x in (targets, frames, lengths))
        batch, longest = targets.shape
        self.labels = np.full((batch, 2 * longest + 1), blank)
        self.labels[:, 1::2] = targets
        self.skips = np.zeros(self.labels.shape, bool)
        self.skips[:, 3::2] = targets[:, 1:] != targets[:, :-1]
        place, last = np.arange(self.labels.shape[1]), 2 * lengths[:, None]
        self.labels[place > last] = blank  # what is not a label need not be a class
        self.starts = (place < 2) & (place <= last)
        self.ends = (place <= last) & (place >= last - 1)
        self.frames = frames
        self.alive = (np.arange(count)[:, None] < frames)[:, :, None]
        self.empty = (frames == 0) & (lengths == 0)
        self.rows, self.last = np.arange(batch)[:, None], last

    def scores(self, x: Any) -> Any:
        """Return the log-probabilities (T, B, C) at the places: (T, B, P) in float64."""
        return cast(index(x, self.rows, self.labels, at=(1, 2)), dtype=_WIDE)

    def losses(self, alpha: Any) -> Any:
        """Return what is lost at the end, given the last alpha: (B,) in float64."""
        before = np.maximum(self.last - 1, 0)
        ends = [index(alpha, self.rows, place, at=(0, 1))[:, 0] for place in (self.last, before)]
        ends[1] = where(before[:, 0] > 0, ends[1], -math.inf)
        return where(self.frames > 0, -_sum(*ends), where(self.empty, -0.0, math.inf))

    def classes(self, values: Any, shape: tuple[int, ...]) -> Any:
        """Return what stands at the places (T, B, P), added up by class: (T, B, C), the adjoint of scores."""
        places = np.broadcast_to(self.labels, values.shape)
        if not isinstance(values, np.ndarray):
            return scatter_sum(values, places, shape=shape, dim=2)
        total = np.zeros(shape, values.dtype)
        for p in range(values.shape[2]):  # within a place the classes of a batch are distinct elements
            total[:, self.rows[:, 0], self.labels[:, p]] += values[:, :, p]
        return total


def _sum(*terms: Any) -> Any:
    """Return log(sum(exp(terms))), -inf where all are; with gradients of any order, 0 where a term is -inf."""
    top = terms[0]
    for x in terms[1:]:
        top = np.maximum(top, x)
    nothing = top == -math.inf
    top = where(nothing, 0.0, top)
    total = sum((exp(x - top) for x in terms[1:]), exp(terms[0] - top))
    return where(nothing, -math.inf, log(where(nothing, 1.0, total)) + top)


def _shifted(x: Any, by: int) -> Any:
    """Return (B, P) moved by places to the right, or to the left if negative, with -inf where nothing comes from."""
    return constant_pad(x, pad=((0, 0), (by, -by)), value=-math.inf)


def _alphas(scores: Any, paths: _Paths) -> list[Any]:
    """Return alpha of each frame (B, P); after the last frame of an example it stays."""
    result: list[Any] = []
    for t in range(scores.shape[0]):
        if not t:
            result.append(where(paths.starts, scores[0], -math.inf))
            continue
        a = result[-1]
        ways = _sum(a, _shifted(a, 1), where(paths.skips, _shifted(a, 2), -math.inf))
        result.append(where(paths.alive[t], ways + scores[t], a))
    return result


def _betas(scores: Any, paths: _Paths) -> list[Any]:
    """Return beta of each frame (B, P), -inf after the last frame of an example."""
    result: list[Any] = []
    skips = np.zeros(paths.skips.shape, bool)
    skips[:, :-2] = paths.skips[:, 2:]
    for t in reversed(range(scores.shape[0])):
        last = where(paths.ends & (paths.frames == t + 1)[:, None], scores[t], -math.inf)
        if result:
            b = result[-1]
            ways = _sum(b, _shifted(b, -1), where(skips, _shifted(b, -2), -math.inf))
            last = where(paths.alive[min(t + 1, scores.shape[0] - 1)], ways + scores[t], last)
        result.append(last)
    return result[::-1]


def _batch(op: Op, xs: Any, batched: Any, size: int, /, **settings: Any) -> Any:
    """Run a batch of batches as one."""
    x, *others = (as_batch(x, flag, size) for x, flag in zip(xs, batched, strict=True))
    _, count, batch, classes = x.shape
    x = np.swapaxes(x, 0, 1).reshape(count, size * batch, classes)
    y = op(x, *[v.reshape(size * batch, *v.shape[2:]) for v in others], **settings)
    return reshaped(y, (size, batch))


@fused(node="CtcLoss", aten="_ctc_loss")
def ctc_loss(
    input: Any, targets: Any, frames: Any, lengths: Any, *, blank: int, zero_infinity: bool, keep: bool = True
) -> Any:
    """Return the negative logarithm of the probability of each example's labels: (B,).

    Args:
        input: (T, B, C), log-probabilities of the classes.
        targets: (B, S) int64, the labels; what follows the last one is not read.
        frames, lengths: (B,) int64, how many frames and labels count.
        blank: the class that stands for no label.
        zero_infinity: the gradient is 0, and not nan, where no way leads through the path in so few frames.
    """
    paths = _Paths(targets, frames, lengths, blank, input.shape[0])
    alphas = _alphas(paths.scores(input), paths)
    y = paths.losses(alphas[-1])
    return y.astype(input.dtype), (np.stack(alphas), y) if keep else ()


def _rule(
    g: Any, _y: Any, x: Any, targets: Any, frames: Any, lengths: Any, *, saved: Any, needs: tuple[bool, ...],
    blank: int, zero_infinity: bool,
) -> Any:  # fmt: skip
    """gx = g (exp(x) - the probability that a way that is walked is in the class at the frame).

    exp(x) is PyTorch's term: log_softmax, which it expects x to come from, has no gradient along it.
    """
    paths = _Paths(targets, frames, lengths, blank, x.shape[0])
    scores = paths.scores(x)
    if isinstance(x, np.ndarray):
        alphas, y = saved
    else:
        recorded = _alphas(scores, paths)
        alphas, y = np.stack(recorded), paths.losses(recorded[-1])
    ways = alphas + np.stack(_betas(scores, paths))  # with frame t twice
    ways = exp(where(paths.alive, ways - scores + y[:, None], -math.inf))
    gx = g[:, None] * (exp(x) - cast(paths.classes(ways, x.shape), dtype=x.dtype))
    impossible = y == math.inf
    nothing = (x == -math.inf) | impossible[:, None]
    gx = where(paths.alive, where(nothing, math.nan, gx), 0.0)
    return (where(impossible[:, None], 0.0, gx) if zero_infinity else gx), None, None, None


ctc_loss.batch(_batch)
ctc_loss.backward(_rule)
ctc_loss.vjp(_rule)
