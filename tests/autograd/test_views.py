"""Views and in-place changes: random programs give torch's values and gradients, or both libraries raise.

A program is a list of steps, each four small numbers: what is done, to which of the values so far, with which other
value, and a detail. The numbers are read modulo what there is, so every list is a program, and hypothesis can shorten
it. Steps make views of every kind, change values in place in every way, and compute new values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import example, given, settings, strategies as st

import npg

SHAPES = ((2, 3), (3, 2), (6,), (2, 2), (1, 3), (2, 3, 2), ())

Step = tuple[int, int, int, int]


class Machine:
    """Runs one program in one library; `log` is what can be seen of it."""

    def __init__(self, lib: Any, leaves: list[tuple[int, bool]]) -> None:
        self.lib = lib
        self.rng = np.random.default_rng(len(leaves))
        self.leaves = [self.fresh(SHAPES[s % len(SHAPES)]).requires_grad_(wants) for s, wants in leaves]
        self.values = list(self.leaves)
        self.log: list[Any] = []

    def fresh(self, shape: Any) -> Any:
        return self.lib.tensor(self.rng.uniform(0.5, 1.5, tuple(shape)).tolist(), dtype=self.lib.float64)

    def like(self, x: Any, number: int) -> Any:
        """Return a value of x's shape: one of the program's, so that memory is shared, or a fresh one."""
        same = [v for v in self.values if tuple(v.shape) == tuple(x.shape) and not self.crosses(v, x)]
        fresh = self.fresh(x.shape)  # drawn in any case, so that both libraries draw alike
        return same[number % len(same)] if same and number % 3 else fresh

    def crosses(self, a: Any, b: Any) -> bool:
        """Tell whether two tensors share memory, and not element by element: torch's result is then undefined."""
        a, b = a.detach().numpy(), b.detach().numpy()
        same = a.strides == b.strides and a.__array_interface__["data"] == b.__array_interface__["data"]
        return not same and np.shares_memory(a, b)

    # ----- Steps -----

    def view(self, x: Any, detail: int) -> Any:
        d = x.dim()
        makers = [
            lambda: x.view(-1),
            lambda: x.reshape(-1),
            lambda: x.view(x.shape),
            lambda: x.unsqueeze(detail % (d + 1)),
            lambda: x.squeeze(),
            lambda: x.detach(),
            lambda: x.view_as(x),
            lambda: x.unsqueeze(0).expand(2, *x.shape),
            lambda: x.as_strided(x.shape, x.stride()),
            lambda: x.view(self.lib.float64),
            lambda: x.expand_as(x),
        ]
        if d:
            n = x.shape[0]
            makers += [
                lambda: x[detail % n],
                lambda: x[detail % n : detail % n + 2],
                lambda: x[::2],
                lambda: x[..., 0],
                lambda: x.narrow(d - 1, 0, 1),
                lambda: x.split(1)[detail % n],
                lambda: x.unbind(0)[detail % n],
                lambda: x.chunk(2)[0],
                lambda: x.select(d - 1, 0),
                lambda: x.flatten(),
                lambda: x[None],
                lambda: x.as_strided((n,), x.stride()[:1]),
                lambda: x.tensor_split(2)[detail % 2],
                lambda: x.split_with_sizes([1, n - 1])[0],
                lambda: x.movedim(0, d - 1),
                lambda: x.unflatten(0, (1, n)),
            ]
        if d > 1:
            makers += [
                lambda: x.transpose(0, 1),
                lambda: x.diagonal(),
                lambda: x.permute(*reversed(range(d))),
                lambda: x.mT,
                lambda: x.unfold(0, 1, 1),
                lambda: x.swapaxes(0, 1),
                lambda: x.diagonal(1),
                lambda: x.hsplit(1)[0],
            ]
        return makers[detail % len(makers)]()

    def in_place(self, x: Any, other: int, detail: int) -> Any:
        lib, value = self.lib, self.like(x, other)
        mask = lib.tensor((self.rng.random(tuple(x.shape)) < 0.5).tolist(), dtype=lib.bool)

        def set_item(index: Any, source: Any) -> Any:
            x[index] = source
            return x

        def augmented(name: str, operand: Any) -> Any:
            return getattr(x, f"__i{name}__")(operand)

        def without_recording() -> Any:
            with lib.no_grad():
                return x.mul_(0.9)

        def through_data() -> Any:
            x.data.mul_(1.5)
            return x

        makers = [
            lambda: x.mul_(value),
            lambda: x.add_(value),
            lambda: x.sub_(value),
            lambda: x.div_(value),
            lambda: x.copy_(value),
            lambda: x.sin_(),
            lambda: x.tanh_(),
            lambda: x.sigmoid_(),
            lambda: x.neg_(),
            lambda: x.clamp_(0.6, 1.2),
            lambda: set_item(..., value),
            lambda: augmented("mul", value),
            lambda: augmented("add", 2.0),
            lambda: augmented("truediv", 2.0),
            lambda: x.lerp_(value, 0.3),
            lambda: x.addcmul_(value, value, value=0.5),
            without_recording,
            through_data,
        ]
        if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
            # Into expanded tensors PyTorch still writes by masks and integers, with a warning that it will not.
            return makers[detail % len(makers)]()
        makers += [lambda: x.masked_fill_(mask, 0.25), lambda: set_item(mask, 0.5)]
        if x.dim():
            i = detail % x.shape[0]
            makers += [
                lambda: set_item(i, self.like(x[i].detach(), other)),
                lambda: set_item(slice(0, 1), 0.3),
                lambda: set_item(lib.tensor([i]), self.fresh(x[:1].shape)),
                lambda: x.index_fill_(0, lib.tensor([i]), 0.75),
                lambda: x.index_add_(0, lib.tensor([i]), self.fresh(x[:1].shape)),
            ]
        return makers[detail % len(makers)]()

    def compute(self, x: Any, other: int, detail: int) -> Any:
        value = self.like(x, other)
        makers = [
            lambda: x * value,
            lambda: x + value,
            lambda: x / value,
            lambda: x.sin(),
            lambda: x.tanh().exp(),  # bounded: the sine of a large number is chance
            lambda: x.clone(),
            lambda: self.lib.cat([x.reshape(-1), value.reshape(-1)]),
            lambda: x.sum(),
        ]
        return makers[detail % len(makers)]()

    # ----- The program -----

    def run(self, steps: list[Step], roots: list[int]) -> None:
        try:
            for kind, at, other, detail in steps:
                x = self.values[at % len(self.values)]
                if kind % 5 < 2:
                    y = self.view(x, detail)
                elif kind % 5 < 4:
                    y = self.in_place(x, other, detail)
                else:
                    y = self.compute(x, other, detail)
                self.values.append(y)
                self.note(y)
            for v in self.values:
                self.note(v)
            chosen = [self.values[r % len(self.values)] for r in roots]
            total = sum((v * 0.5).sum() for v in chosen if v.requires_grad)
            if isinstance(total, int):
                return
            total.backward()
            self.log += [None if x.grad is None else x.grad.numpy().copy() for x in self.leaves if x.is_leaf]
        except RuntimeError as error:
            text = str(error).partition("\n")[0].partition(" Hint:")[0].replace("torch", "npg")
            # Of several reasons why a view must not be changed each library names its own.
            # After changes through views they also name another of the nodes that could have made a saved tensor.
            if "view" in text and "modified inplace" in text:
                text = "a view may not"
            self.log.append(text.partition(" [npg.")[0])

    def note(self, v: Any) -> None:
        self.log += [v.requires_grad, v.is_leaf, v.detach().numpy().copy()]


def agree(found: Any, expected: Any) -> bool:
    if isinstance(expected, np.ndarray):
        return isinstance(found, np.ndarray) and np.allclose(found, expected, 1e-10, 1e-12, equal_nan=True)
    return type(found) is type(expected) and found == expected


def check(leaves: list[tuple[int, bool]], steps: list[Step], roots: list[int]) -> list[Any]:
    ours, theirs = Machine(npg, leaves), Machine(torch, leaves)
    theirs.run(steps, roots)
    ours.run(steps, roots)
    for i, (found, expected) in enumerate(zip(ours.log, theirs.log)):
        assert agree(found, expected), f"entry {i}: npg has {found!r}, torch {expected!r}"
    assert len(ours.log) == len(theirs.log)
    return theirs.log or [None]


small = st.integers(0, 63)
programs = {
    "leaves": st.lists(st.tuples(small, st.booleans()), min_size=1, max_size=3),
    "steps": st.lists(st.tuples(small, small, small, small), min_size=1, max_size=10),
    "roots": st.lists(small, min_size=1, max_size=3),
}
# One and a half times what the profile says: 3,000 in CI.
THOROUGH = settings(max_examples=settings.default.max_examples * 3 // 2, derandomize=True, database=None)


@THOROUGH
@given(**programs)
@example(leaves=[(2, True)], steps=[(4, 0, 0, 5), (2, 1, 1, 0)], roots=[2])  # x.mul_(x)
def test_random_program_is_torchs(leaves: Any, steps: Any, roots: Any) -> None:
    check(leaves, steps, roots)


def test_programs_are_not_all_errors() -> None:
    # The comparison would also hold between two libraries that refuse everything.
    ends: list[bool] = []

    @settings(max_examples=200, database=None, derandomize=True)
    @given(**programs)
    def collect(leaves: Any, steps: Any, roots: Any) -> None:
        ends.append(isinstance(check(leaves, steps, roots)[-1], str))

    collect()
    assert 0.1 * len(ends) < sum(ends) < 0.8 * len(ends)
