"""Functions with out= beside PyTorch's, over dtypes, shapes, layouts and memory of out=; draws and ranges into out=."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, strategies as st

import npg
from tests.helpers import assert_like
from tests.outs import cases, difference, is_known, outs
from tests.twins import agree, attempt, warned

pytestmark = pytest.mark.usefixtures("quick_samples")

PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_function_treats_out_as_torch_does(part):
    faults, count = [], 0
    for case in cases(part, PARTS):
        for out in outs(case):
            count += 1
            if not is_known(case, out):
                fault = difference(case, out)
                if fault is not None:
                    faults.append(fault)
    assert count > 500
    assert not faults, f"{len(faults)} of {count}:\n" + "\n".join(faults[:30])


# ----- Draws -----

LAYOUTS = {
    "plain": lambda t: t,
    "transposed": lambda t: t.permute(*range(t.ndim)[::-1]),
    "steps": lambda t: t[..., ::2],
    "moved": lambda t: t.permute(1, 2, 0)[1:],
}
DRAWS = {
    "rand": lambda lib, out, x: lib.rand(*out.shape, out=out),
    "rand of another shape": lambda lib, out, x: lib.rand(3, 7, out=out),
    "randn": lambda lib, out, x: lib.randn(*out.shape, out=out),
    "randint": lambda lib, out, x: lib.randint(0, 1000, tuple(out.shape), out=out),
    "normal of numbers": lambda lib, out, x: lib.normal(1.0, 2.0, tuple(out.shape), out=out),
    "normal of a mean": lambda lib, out, x: lib.normal(x, 2.0, out=out),
    "normal of a std": lambda lib, out, x: lib.normal(1.0, x, out=out),
    "normal of both": lambda lib, out, x: lib.normal(x, x[..., :1], out=out),
    "bernoulli": lambda lib, out, x: lib.bernoulli(x, out=out),
}


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_draws_into_out_follow_its_memory(draw, dtype):
    def program(lib):
        for (name, layout), size in itertools.product(LAYOUTS.items(), (2, 6)):
            lib.manual_seed(7)
            out = layout(lib.zeros(size, size + 2, size, dtype=getattr(lib, dtype)))
            x = lib.linspace(0, 1, out.numel(), dtype=getattr(lib, dtype)).reshape(out.shape)
            yield name
            yield attempt(lambda out=out, x=x: DRAWS[draw](lib, out, x))
            yield lib.rand(2)

    agree(program)


def test_draws_refuse_what_they_cannot_fill_before_they_draw():
    def program(lib):
        x = lib.full((3, 4), 0.5)
        wide = lib.zeros(5, 4)
        for call in (
            lambda: lib.bernoulli(x.clone().requires_grad_(), out=lib.zeros(3, 4)),
            lambda: lib.bernoulli(x, out=lib.zeros(1).expand(3, 4)),
            lambda: lib.bernoulli(wide[:3], out=wide[1:4]),
            lambda: lib.normal(x.clone().requires_grad_(), 1.0, out=lib.zeros(3, 4)),
            lambda: lib.rand(3, 4, out=lib.zeros(1).expand(3, 4)),
        ):
            lib.manual_seed(3)
            text = attempt(call)
            yield text if isinstance(text, str) else "drawn"
            yield lib.rand(2)

    agree(program)


def test_draws_into_what_they_read_use_its_old_numbers():
    for layout in LAYOUTS.values():
        p = layout(npg.linspace(0, 1, 8 * 6 * 4).reshape(8, 6, 4))
        npg.manual_seed(1)
        expected = npg.bernoulli(p.clone(), out=layout(npg.zeros(8, 6, 4)))
        npg.manual_seed(1)
        assert npg.equal(npg.bernoulli(p, out=p), expected)
        std = layout(npg.linspace(0, 1, 8 * 6 * 4).reshape(8, 6, 4))
        npg.manual_seed(1)
        expected = npg.normal(0.0, std.clone(), out=layout(npg.zeros(8, 6, 4)))
        npg.manual_seed(1)
        assert npg.equal(npg.normal(0.0, std, out=std), expected)


# ----- Ranges -----


def test_ranges_keep_the_shape_of_an_out_with_as_many_places():
    def program(lib):
        for shape in ((), (1,), (2, 2), (4,), (3,), (0,)):
            for call in (
                lambda out: lib.arange(0, 4, out=out),
                lambda out: lib.arange(0, 1, out=out),
                lambda out: lib.linspace(0, 3, 4, out=out),
                lambda out: lib.linspace(2, 3, 1, out=out),
                lambda out: lib.logspace(0, 3, 4, out=out),
                lambda out: lib.logspace(2, 3, 1, out=out),
            ):
                found, warnings = warned(lambda call=call, shape=shape: call(lib.zeros(shape)))
                yield found
                yield [w.partition(" (Triggered")[0] for w in warnings]

    agree(program)


# ----- What is not in PyTorch's samples -----


def test_a_cumulated_maximum_goes_to_an_expanded_out():
    values, indices = npg.zeros(1).expand(3), npg.zeros(3, dtype=npg.int64)
    npg.cummax(npg.tensor([1.0, 3.0, 2.0]), 0, out=(values, indices))
    assert indices.tolist() == [0, 1, 1]


def test_chain_matmul_goes_to_out():
    a, out = npg.rand(2, 3), npg.zeros(2, 2)
    assert npg.chain_matmul(a, a.T, out=out) is out
    assert npg.equal(out, a @ a.T)


def test_of_several_out_none_is_written_where_one_is_refused():
    values, indices = npg.zeros(3), npg.zeros(3, dtype=npg.int32)
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype long int, but got int instead"):
        npg.sort(npg.tensor([3.0, 1.0, 2.0]), out=(values, indices))
    assert values.tolist() == [0, 0, 0]


def test_a_comparison_goes_to_an_out_that_requires_grad():
    def program(lib):
        for name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"):
            out = lib.zeros(3).requires_grad_()
            yield getattr(lib, name)(lib.tensor([1.0, 2, 0]), lib.ones(3), out=out)
            yield out.requires_grad, out.is_leaf
        out = lib.zeros(3).requires_grad_()
        yield lib.logical_not(lib.tensor([1.0, 2, 0]), out=out)

    agree(program)


def test_an_ndarray_that_overlaps_out_is_refused():
    memory = np.arange(10.0)
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
        npg.add(memory[:9], npg.ones(9), out=npg.from_numpy(memory)[1:])
    assert memory.tolist() == list(range(10))


# ----- Any two windows on one memory -----

PLACES = 12


@st.composite
def windows(draw, shape):
    """Draw (shape, strides, offset) within PLACES elements."""
    # In PyTorch strides of dimensions of size 1 count too; npg does not look at them.
    strides = tuple([draw(st.integers(0, 4)) if n > 1 else 1 for n in shape])
    reach = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else 0
    assume(reach < PLACES)
    return shape, strides, draw(st.integers(0, PLACES - 1 - reach))


@st.composite
def meetings(draw):
    """Draw two windows, of the same shape or nearly."""
    shape = draw(st.sampled_from([(), (1,), (3,), (4,), (2, 2), (1, 3), (2, 1, 2), (0,), (2, 0)]))
    return draw(windows(shape)), draw(windows(draw(st.sampled_from([shape, shape, (1, *shape)]))))


MEETING = {
    "exp": lambda lib, x, out: lib.exp(x, out=out),
    "neg": lambda lib, x, out: lib.neg(x, out=out),
    "add": lambda lib, x, out: lib.add(x, 1.0, out=out),
    "mul": lambda lib, x, out: lib.mul(lib.full_like(x, 2.0), x, out=out),
    "clamp": lambda lib, x, out: lib.clamp(x, 2, 5, out=out),
    "cumsum": lambda lib, x, out: lib.cumsum(x, -1, out=out),
    "sum": lambda lib, x, out: lib.sum(x, (), keepdim=True, out=out),
    "where": lambda lib, x, out: lib.where(lib.ones_like(x).bool(), x, x, out=out),
    "sort": lambda lib, x, out: lib.sort(x, out=(out, lib.zeros(0).long()))[0],
    "cat": lambda lib, x, out: lib.cat([x, x[:0]], out=out),
    "add_": lambda lib, x, out: out.add_(x),
}
RESIZE_FIRST = {"cumsum", "sort", "cat", "sum"}  # PyTorch's look at the memory after they have resized out=


@pytest.mark.parametrize("name", MEETING)
@given(meetings())
@example((((3,), (1,), 0), ((3,), (1,), 0)))
@example((((3,), (1,), 0), ((3,), (1,), 1)))
def test_windows_on_one_memory_are_refused_as_in_torch(name, windows):
    (shape, *_), (out_shape, *_) = windows
    assume(name not in RESIZE_FIRST or shape == out_shape)
    assume(name != "cat" or shape)
    places = _places(*windows[1])
    # PyTorch's sort copies nothing to an out= that is its input, and so does not see it.
    assume(name != "sort" or windows[0] != windows[1] or len(set(places)) == len(places))

    def run(lib, apart=False):
        memory = lib.arange(float(PLACES)) / 4
        x, out = (memory.as_strided(*w) for w in windows)
        return *warned(lambda: attempt(lambda: MEETING[name](lib, x.clone() if apart else x, out))), memory

    (expected, their_warnings, _), (found, own_warnings, memory) = run(torch), run(npg)
    if isinstance(expected, str):
        assert isinstance(found, str), f"{found}; PyTorch: {expected}"
        assert found[:64] == expected.replace("torch", "npg")[:64]
        assert npg.equal(memory, npg.arange(float(PLACES)) / 4)
        return
    assert not isinstance(found, str), found
    assert len(own_warnings) == len(their_warnings)
    if len(set(places)) == len(places):  # else which of the numbers stays is all one
        # As if what is read had been copied first: PyTorch may read what it has written.
        assert_like(found, run(torch, apart=True)[0], name)


def _places(shape, strides, offset):
    return [offset + sum(i * s for i, s in zip(at, strides, strict=True)) for at in np.ndindex(shape)]
