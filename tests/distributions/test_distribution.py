"""The base class of distributions against torch's."""

import inspect

import pytest
import torch
import torch.distributions

import npg
import npg.distributions


def both(call):
    """Return what a call does with both classes."""
    results = []
    for library in (torch, npg):
        try:
            results.append(str(call(library, library.distributions.Distribution)).replace("torch.", "npg."))
        except Exception as error:
            results.append((type(error).__name__, str(error).replace("torch.", "npg.")))
    return results


def make(t, cls):
    return cls(t.Size([2]), t.Size([3]), validate_args=False)


class Positive:
    """A constraint."""

    is_dependent = False

    def check(self, value):
        return value > 0

    def __repr__(self):
        return "Positive()"


def scaled(t, cls, **more):
    """Return a subclass that has an argument, a support and draws."""

    class Scaled(cls):
        arg_constraints = {"scale": Positive()}
        support = Positive()
        has_rsample = True

        def __init__(self, scale, validate_args=None):
            self.scale = scale
            super().__init__(scale.shape, validate_args=validate_args)

        def rsample(self, sample_shape=()):
            return self.scale * t.ones(self._extended_shape(sample_shape))

        @property
        def variance(self):
            return self.scale**2

    return Scaled


CALLS = [
    *(lambda t, c, name=name: getattr(make(t, c), name) for name in (
        "arg_constraints", "support", "mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample",
    )),
    *(lambda t, c, name=name: getattr(make(t, c), name)() for name in (
        "rsample", "sample", "entropy", "enumerate_support", "perplexity",
    )),
    *(lambda t, c, name=name: getattr(make(t, c), name)(t.ones(1)) for name in ("cdf", "icdf", "log_prob", "expand")),
    lambda t, c: make(t, c)._extended_shape((4,)),
    lambda t, c: make(t, c)._validate_sample(3),
    lambda t, c: make(t, c)._validate_sample(t.ones(4)),
    lambda t, c: make(t, c)._validate_sample(t.ones(4, 3)),
    lambda t, c: c.set_default_validate_args(3),
    lambda t, c: scaled(t, c)(t.tensor([1.0, -1.0])),
    lambda t, c: scaled(t, c)(t.tensor([1.0, 2.0])),
    lambda t, c: scaled(t, c)(t.tensor([1.0, 2.0])).stddev,
    lambda t, c: scaled(t, c)(t.tensor([1.0, -1.0]), validate_args=False).sample((2,)),
    lambda t, c: scaled(t, c)(t.tensor([1.0], requires_grad=True)).rsample().requires_grad,
    lambda t, c: scaled(t, c)(t.tensor([1.0], requires_grad=True)).sample().requires_grad,
    lambda t, c: scaled(t, c)(t.tensor([1.0]))._validate_sample(t.tensor([-1.0])),
    lambda t, c: scaled(t, c)(t.tensor([1.0]))._get_checked_instance(c),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_calls_do_what_torchs_do(call):
    expected, got = both(call)
    assert got == expected


@pytest.mark.parametrize("library", [torch, npg])
def test_warnings_are_torchs(library):
    base = library.distributions.Distribution
    with pytest.warns(UserWarning, match="does not define `arg_constraints`. Please set `arg_constraints = {}`"):
        base()
    with pytest.warns(UserWarning, match="does not define `support` to enable sample validation"):
        make(library, base)._validate_sample(library.ones(2, 3))
    with pytest.warns(FutureWarning, match="will be deprecated"):
        scaled(library, base)(library.ones(2)).sample_n(2)


def test_names_and_signatures_are_torchs():
    ours, theirs = npg.distributions.Distribution, torch.distributions.Distribution
    names = [name for name, value in vars(theirs).items() if inspect.isfunction(value)]
    for name in names:
        parameters = [list(inspect.signature(getattr(c, name)).parameters) for c in (ours, theirs)]
        assert parameters[0] == parameters[1], name
