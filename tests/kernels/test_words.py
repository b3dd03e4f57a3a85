"""Words of MT19937, in C and by NumPy: those that numpy.random.MT19937 gives, and what is made of them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.random import MT19937

from npg.kernels import core
from npg.kernels.words import Words, less, paired

WAYS = ["in C", "by NumPy"] if core.holds_words is not None else ["by NumPy"]
COUNTS = (0, 1, 2, 3, 100, 623, 624, 625, 1248, 4095, 4097, 30_001)  # beside a block, and where the GIL is released


@pytest.fixture(params=WAYS)
def make(request, monkeypatch):
    """Return Words of a source, in one of the two ways."""
    if request.param == "by NumPy":
        monkeypatch.setattr(core, "holds_words", None)

    def made(source):
        taken = Words(source)
        assert (taken._capsule is not None) == (request.param == "in C")
        return taken

    return made


def raw(source, count):
    return source.random_raw(count).astype(np.uint32) if count else np.empty(0, np.uint32)


def test_words_are_those_of_the_source_and_are_passed_over_there(make):
    source, other = MT19937(1), MT19937(1)
    taken = make(source)
    for count in COUNTS:
        for found, expected in (
            (taken.take(count), raw(other, count)),
            (taken.take_long(count), [int(a) << 32 | int(b) for a, b in raw(other, 2 * count).reshape(-1, 2)]),
        ):
            np.testing.assert_array_equal(found, np.asarray(expected, found.dtype))
        assert source.random_raw() == other.random_raw()
        assert source.state["state"]["pos"] == other.state["state"]["pos"]
        np.testing.assert_array_equal(source.state["state"]["key"], other.state["state"]["key"])


def test_dtypes(make):
    taken = make(MT19937(1))
    for count in (0, 3):
        assert taken.take(count).dtype == np.uint32
        assert taken.take_long(count).dtype == np.uint64
        assert taken.take_trials(count, 2**52).dtype == np.bool_


def test_a_state_that_is_set_is_gone_on_with(make):
    source = MT19937(1)
    taken = make(source)
    before = source.state
    first = taken.take(1000)
    source.state = before
    np.testing.assert_array_equal(taken.take(1000), first)


@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1500)), max_size=8))
def test_draws_of_every_kind_go_on_from_each_other(seed, draws):
    source, other = MT19937(seed), MT19937(seed)
    taken = Words(source)
    for kind, count in draws:
        if kind == 0:
            np.testing.assert_array_equal(taken.take(count), raw(other, count))
        elif kind == 1:
            np.testing.assert_array_equal(taken.take_long(count), paired(raw(other, 2 * count)))
        elif kind == 2:
            np.testing.assert_array_equal(taken.take_trials(count, 2**51 + 7), less(raw(other, 2 * count), 2**51 + 7))
        elif count:
            np.testing.assert_array_equal(source.random_raw(count), other.random_raw(count))


def test_trials_compare_all_53_bits(make):
    numbers = [(int(a) & 0x1FFFFF) << 32 | int(b) for a, b in raw(MT19937(3), 2000).reshape(-1, 2)]
    for bound in (0, 1, 2**32, 2**52, 2**53 - 1, 2**53, numbers[0], numbers[0] + 1, numbers[-1], numbers[-1] + 1):
        found = make(MT19937(3)).take_trials(1000, bound)
        np.testing.assert_array_equal(found, [k < bound for k in numbers], err_msg=str(bound))


def test_a_state_that_lies_otherwise_in_memory_is_left_to_numpy(monkeypatch):
    monkeypatch.setattr(core, "holds_words", lambda *_args: False)
    taken = Words(MT19937(2))
    assert taken._capsule is None
    np.testing.assert_array_equal(taken.take(700), raw(MT19937(2), 700))


@pytest.mark.skipif(core.holds_words is None, reason="of the extension")
def test_a_state_is_looked_at():
    source = MT19937(2)
    key, place = source.state["state"]["key"], source.state["state"]["pos"]
    assert core.holds_words(source.capsule, key, place)
    assert not core.holds_words(source.capsule, key + np.uint32(1), place)
    assert not core.holds_words(source.capsule, key, place - 1)
    assert not core.holds_words(source.capsule, key[1:], place)
    assert not core.holds_words(source.capsule, key.astype(np.uint64), place)
    with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
        core.take_words(object(), 3)


def test_a_negative_count_is_refused(make):
    with pytest.raises(ValueError, match="negative"):
        make(MT19937(2)).take(-1)
