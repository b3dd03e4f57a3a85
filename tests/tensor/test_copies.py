"""Copies, pickles and weak references of tensors, against torch."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import npg

from ..expressions import check

# ----- deepcopy -----


@pytest.mark.parametrize(
    "view",
    ["a[1:]", "a[::2]", "a.view(2, 3).t()", "a[2]", "a.view(2, 3)[:, 1]", "a.expand(2, 6)", "a[:0]", "a", "a.detach()"],
)
def test_deepcopy_keeps_what_shares_memory_sharing_it(view):
    check(
        f"a = lib.arange(6.0); b = {view}; c = copy.deepcopy([a, b]); c[0][2] = 9; a[1] = 7; "
        "r = a, b, c, c[1].storage_offset(), c[0].untyped_storage().nbytes(), c[1]._is_view()"
    )


@pytest.mark.parametrize("view", ["a[1:3]", "a.expand(2, 4)", "a[::2]", "a[3]", "a.view(2, 2).t()[1:]"])
def test_deepcopy_of_a_view_alone_copies_the_memory_that_it_shows(view):
    check(
        f"a = lib.arange(4.0); c = copy.deepcopy({view}); r = c, c.storage_offset(), c.untyped_storage().nbytes(), "
        "c.data_ptr() != a.data_ptr()"
    )


def test_deepcopy_shares_between_bytes_and_their_view_of_another_dtype():
    check("a = lib.arange(4); c = copy.deepcopy([a, a.view(lib.int32)]); c[0][1] = 2**32; r = c")


def test_deepcopy_of_several_keeps_one_object_one():
    check("a = lib.ones(2); c = copy.deepcopy({'x': a, 'y': [a, a]}); r = c['x'] is c['y'][0], c['y'][0] is c['y'][1]")


def test_deepcopy_keeps_gradient_attributes_and_their_sharing():
    check(
        "a = lib.arange(4.0, requires_grad=True); a.grad = lib.ones(4); a.note = [1]; c = copy.deepcopy(a); "
        "r = c, c.grad, c.note, c.note is a.note, c.grad is a.grad, c.is_leaf"
    )
    a = npg.ones(2)
    a.same = a
    assert copy.deepcopy(a).same.same.tolist() == [1, 1]
    check("a = lib.ones(4); a.grad = a[:]; c = copy.deepcopy(a); c[0] = 5; r = c, c.grad")


def test_deepcopy_of_what_is_no_leaf_is_refused():
    for call in ("copy.deepcopy(a * 2)", "copy.deepcopy([a[0]])"):
        with pytest.raises(RuntimeError) as expected:
            eval(call, {"copy": copy, "a": torch.ones(2, requires_grad=True)})
        with pytest.raises(RuntimeError) as raised:
            eval(call, {"copy": copy, "a": npg.ones(2, requires_grad=True)})
        assert str(raised.value) == str(expected.value)


def test_deepcopy_with_ndarrays_keeps_them_sharing_too():
    a = np.arange(4.0)
    b, x = copy.deepcopy([a, npg.from_numpy(a)[1:]])
    x[0] = 7
    assert b.tolist() == [0, 7, 2, 3] and a.tolist() == [0, 1, 2, 3]


def test_deepcopy_of_a_part_of_an_ndarray_copies_that_part_alone():
    a = np.zeros((1000, 4))
    x = npg.from_numpy(a[:2])
    y, z, w = copy.deepcopy([x, x[1:], x.detach()])
    assert y.untyped_storage().nbytes() == 64 and z._array.base is not None
    y[1, 0] = 5
    assert z[0, 0].item() == w[1, 0].item() == 5 and not a.any()
    base = npg.arange(4.0)
    y, z = copy.deepcopy([base, base[1:].detach()])
    y[1] = 9
    assert z[0].item() == 9


def test_deepcopy_of_other_memory_is_a_plain_copy():
    memory = np.frombuffer(bytearray(32), np.float64)
    for x in (npg.frombuffer(bytearray(16), dtype=npg.float32)[1:], npg.from_numpy(memory.reshape(2, 2).T)):
        y = copy.deepcopy(x)
        y[0] = 3
        assert x.count_nonzero().item() == 0 and y.shape == x.shape


def test_deepcopy_of_a_parameter_is_torchs():
    check(
        "a = lib.nn.Parameter(lib.ones(2)); a.grad = lib.ones(2); a.note = 1; c = copy.deepcopy([a, a]); "
        "r = c[0] is c[1], c[0].grad, hasattr(c[0], 'note'), type(c[0]).__name__, c[0].requires_grad, "
        "copy.deepcopy(lib.nn.Parameter(lib.ones(2), requires_grad=False)).requires_grad"
    )


# ----- copy, pickle -----


@pytest.mark.parametrize("kind", ["", "* 2", ".detach()", "[1:]"])
def test_shallow_copy_is_torchs(kind):
    check(
        f"a = lib.arange(4.0, requires_grad=True){kind}; a.note = [1]; c = copy.copy(a); "
        "r = c, c.grad, c.note is a.note, c is a, c.data_ptr() == a.data_ptr()"
    )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "make",
    [
        "lib.arange(6.0)", "lib.arange(6.0, requires_grad=True)", "lib.arange(6.0, requires_grad=True) * 2",
        "lib.arange(6).view(2, 3).t()", "lib.tensor(2.5)", "lib.zeros(0, 3)", "lib.tensor([True, False])",
        "lib.ones(2).half()", "lib.nn.Parameter(lib.ones(2))",
    ],
)  # fmt: skip
def test_pickle_is_torchs(make, protocol):
    check(
        f"a = {make}; a.note = [1]; c = pickle.loads(pickle.dumps(a, {protocol})); "
        "r = c, c.grad, c.note, type(c).__name__, c.data_ptr() != a.data_ptr() or not c.numel()"
    )
    c = pickle.loads(pickle.dumps(npg.arange(3.0), protocol))
    c[0] = 4
    assert c.tolist() == [4, 1, 2]


@pytest.mark.parametrize(
    "view",
    [
        "a.permute(2, 0, 1)",
        "a.expand(2, 2, 3, 4)",
        "a[:, :1].expand(2, 3, 4)",
        "a.transpose(0, 1)",
        "a[0, 0].expand(3, 4)",
    ],
)
def test_pickle_keeps_the_strides_of_permuted_and_expanded_tensors(view):
    check(f"a = lib.arange(24.0).reshape(2, 3, 4); c = pickle.loads(pickle.dumps({view})); r = c, c.stride()")


def test_pickle_of_a_part_holds_the_part_alone():
    x = npg.arange(24.0).reshape(4, 6)
    for part in (x[:, :2], x[::2], x.t()[1:3], x[1, 3:]):
        restored = pickle.loads(pickle.dumps(part))
        assert npg.equal(restored, part) and restored.untyped_storage().nbytes() == part.nbytes


def test_pickles_of_views_do_not_share_memory():
    check("a = lib.arange(4.0); c = pickle.loads(pickle.dumps([a, a[1:]])); c[0][2] = 9; r = c")


def test_pickle_warns_of_hooks():
    x = npg.ones(2, requires_grad=True)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="on tensor will not be serialized"):
        pickle.dumps(x)


def test_weak_reference_ends_with_its_tensor():
    gc.disable()
    try:
        for make in (npg.ones, lambda n: npg.nn.Parameter(npg.ones(n))):
            x = make(2)
            reference = weakref.ref(x)
            assert reference() is x
            del x
            assert reference() is None
        table = weakref.WeakKeyDictionary({npg.ones(1): 1})
        assert not table
    finally:
        gc.enable()
