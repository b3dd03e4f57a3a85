"""Copies, pickles, weak references and subclasses of tensors, against torch."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import npg

from ..expressions import check, check_error

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
        for make in (npg.ones, lambda n: npg.nn.Parameter(npg.ones(n)), lambda n: npg.ones(n).as_subclass(Mine)):
            x = make(2)
            reference = weakref.ref(x)
            assert reference() is x
            del x
            assert reference() is None
        table = weakref.WeakKeyDictionary({npg.ones(1): 1})
        assert not table
    finally:
        gc.enable()


# ----- Subclasses -----


class Mine(npg.Tensor):
    """A user's class: methods, an attribute, one overridden method of Tensor."""

    tag = "mine"

    def twice(self):
        return self * 2

    def exp(self):
        return super().exp() + 1


class Narrower(Mine):
    pass


class Theirs(torch.Tensor):
    tag = "mine"

    def twice(self):
        return self * 2

    def exp(self):
        return super().exp() + 1


class TheirNarrower(Theirs):
    pass


RESULTS = [
    "x + 1", "1 + x", "x * t", "t * x", "t - x", "-x", "abs(x)", "x ** 2", "2 ** x", "x @ x", "x == x", "x > 0",
    "x.clone()",
    "x[0]", "x[:1]", "x[x > 0]", "x[[0]]", "x.detach()", "x.view(2, 1)", "x.reshape(-1)", "x.sum()", "x.mean(0)",
    "x.double()", "x.to(lib.float64)", "x.long()", "x.new_ones(2)", "x.new_tensor([1.0])", "x.max()", "x.unbind()[1]",
    "x.split(1)[0]", "x.max(0).values", "x.sort()[0]", "x.requires_grad_()", "x.contiguous()", "x.data",
    "x.view(2, 1).T",
    "x.view(2, 1).mT", "next(iter(x))", "x.expand(3, 2)", "x.twice()", "x.exp()", "x.sin().cos()", "x.numpy()",
    "x.tolist()", "x.sum().item()", "x.shape", "x.add_(1)", "x.zero_()", "x.real", "x.where(x > 0, t)", "x + y",
    "y + x",
    "y.twice()", "x.unsqueeze(0)", "copy.copy(x)", "x.fill_(2.0)", "x.to(t)", "x.type_as(t)", "t + t",
    "reversed(x)", "x.is_leaf", "x.grad", "x.dtype", "x.softmax(0)", "x.norm()", "x.cumsum(0)", "x.repeat(2)",
]  # fmt: skip


def kind_of(call, lib, mine, narrower):
    names = {"lib": lib, "copy": copy, "t": lib.ones(2)}
    names |= {"x": lib.ones(2).as_subclass(mine), "y": lib.ones(2).as_subclass(narrower)}
    result = eval(call, names)
    kinds = {mine: "Mine", narrower: "Narrower"}
    return kinds.get(type(result), type(result).__name__)


@pytest.mark.parametrize("call", RESULTS)
def test_result_on_a_subclass_is_of_torchs_class(call):
    assert kind_of(call, npg, Mine, Narrower) == kind_of(call, torch, Theirs, TheirNarrower)


def test_subclass_is_made_from_data_keeps_values_and_records():
    x = Mine([1.0, 2.0])
    assert type(x) is Mine and x.tag == "mine" and x.dtype is npg.float32 and isinstance(x, npg.Tensor)
    x.requires_grad_()
    y = (x.twice() * x).sum()
    assert type(y) is Mine and y.grad_fn.name() == "SumBackward0"
    y.backward()
    assert x.grad.tolist() == [4, 8] and repr(Mine([1.0])) == "Mine([1.])"
    x = Mine([1.0, 2.0])
    x += 1
    assert type(x) is Mine and type(np.exp(x)) is Mine and type(np.ones(2) * x) is Mine


def test_functions_of_npg_give_plain_tensors():  # torch uses __torch_function__; here it would slow every op down
    x = npg.ones(2).as_subclass(Mine)
    assert type(npg.exp(x)) is npg.Tensor and type(npg.stack([x])) is npg.Tensor
    assert type(npg.autograd.grad(x.requires_grad_().sum(), x)[0]) is npg.Tensor


class Named(npg.Tensor):
    """A subclass whose constructor takes other arguments."""

    def __new__(cls, data, name):
        instance = npg.as_tensor(np.asarray(data)).as_subclass(cls)
        instance.name_ = name
        return instance

    def __init__(self, data, name):
        pass


def test_subclass_with_arguments_survives_copies_and_pickles():
    x = Named([1.0, 2.0], "n")
    for y in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert type(y) is Named and y.tolist() == [1, 2] and y.name_ == "n"
    assert type(x + 1) is Named and not hasattr(x + 1, "name_")


class Mixin:
    def third(self):
        return self / 3


class Both(Mixin, npg.Tensor):
    pass


def test_subclass_with_a_mixin_keeps_its_bases():
    x = Both([3.0])
    assert type(x.third()) is Both and isinstance(x, Mixin) and issubclass(Both, npg.Tensor)


class Mild(npg.nn.Parameter):
    pass


def test_what_is_computed_from_a_parameter_is_a_plain_tensor():
    check(
        "x = lib.nn.Parameter(lib.ones(2)); "
        "r = [type(v).__name__ for v in (x + 1, x.detach(), x.clone(), x.data, x[0], x.sum(), 1 - x)]"
    )
    x = Mild(npg.ones(2))
    assert type(x) is Mild and type(x + 1) is npg.Tensor and type(copy.deepcopy(x)) is Mild
    assert type(npg.nn.Buffer(npg.ones(2)) + 1) is npg.Tensor


def subclasses(lib):
    """Return the ways in which users write subclasses whose constructors take other arguments."""

    class ByMake(lib.Tensor):
        @staticmethod
        def __new__(cls, data, extra):
            return lib.Tensor._make_subclass(cls, data, True)

        def __init__(self, data, extra):
            self.extra = extra

    class ByAs(lib.Tensor):
        def __new__(cls, data, extra=1):
            instance = lib.as_tensor(data).as_subclass(cls)
            instance.extra = extra
            return instance

    class BySuper(lib.Tensor):
        def __new__(cls, *args, extra=1):
            return super().__new__(cls, *args)

        def __init__(self, *args, extra=1):
            super().__init__()
            self.extra = extra

    return ByMake(lib.ones(2), 5), ByAs([1.0, 2.0], extra=6), BySuper([1.0, 2.0], extra=7), BySuper(2, 3)


def test_subclass_with_a_constructor_of_its_own_is_torchs():
    for own, other in zip(subclasses(npg), subclasses(torch), strict=True):
        assert type(own).__name__ == type(other).__name__ == type(own + 1).__name__
        assert own.shape == other.shape and own.extra == other.extra and not hasattr(own + 1, "extra")
        assert (own.requires_grad, own.is_leaf) == (other.requires_grad, other.is_leaf)


def test_make_subclass_shares_memory_and_versions():
    x = npg.ones(2)
    y = npg.Tensor._make_subclass(Mine, x)
    y.add_(1)
    assert type(y) is Mine and x.tolist() == [2, 2] and x._version == 1 and not y.requires_grad
    z = npg.Tensor._make_subclass(Mine, npg.ones(2, requires_grad=True) * 2, True)
    assert z.is_leaf and z.requires_grad


@pytest.mark.parametrize(
    "call",
    [
        "lib.Tensor._make_subclass(int, lib.ones(2))",
        "lib.Tensor._make_subclass(3, lib.ones(2))",
        "lib.Tensor._make_subclass(lib.nn.Parameter, lib.ones(2).long(), True)",
    ],
)
def test_make_subclass_refuses_in_torchs_words(call):
    check_error(f"r = {call}")


@pytest.mark.parametrize("call", ["x.as_subclass(int)", "x.as_subclass(3)"])
def test_as_subclass_of_no_subclass_raises_torchs_error(call):
    check_error(f"x = lib.ones(2); {call}")


def test_as_subclass_is_a_view_with_history():
    x = npg.ones(2, requires_grad=True)
    y = x.as_subclass(Mine)
    assert y.grad_fn.name() == "AliasBackward0" and not y.is_leaf and y._is_view()
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    z = npg.ones(2)
    z.as_subclass(Mine)[0] = 5
    assert z.tolist() == [5, 1] and z._version == 1 and type(z.as_subclass(npg.Tensor)) is npg.Tensor
