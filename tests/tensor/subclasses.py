"""Subclasses of tensors, against torch: the class of what every way of calling returns, constructors, copies.

test_subclasses.py runs this in a process of its own: the first subclass lets all functions look at their arguments, and
other tests see npg's functions as they are.
"""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import npg
from npg.overrides import DisableTorchFunctionSubclass

from ..expressions import check, check_error


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


def kind_of(call, lib, mine, narrower, more=None):
    """Return the name of the class of a call's result, of the items of a list; of an error the class and the words."""
    names = {"lib": lib, "copy": copy, "t": lib.ones(2), **(more or {})}
    names |= {"x": lib.ones(2).as_subclass(mine), "y": lib.ones(2).as_subclass(narrower)}
    try:
        result = eval(call, names)
    except TypeError as error:
        return str(error).partition(":")[0].replace("torch.", "npg.").replace("Theirs", "Mine")
    kinds = {mine: "Mine", narrower: "Narrower"}
    if type(result) in (tuple, list):
        return [kinds.get(type(item), item if type(item) is str else type(item).__name__) for item in result]
    return result if type(result) is bool else kinds.get(type(result), type(result).__name__)


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


# Calls by functions, and with a Parameter p and others: o is of a class that is no relative, q of one that has both.
CALLS = [
    "lib.exp(x)", "F.relu(x)", "lib.cat([x, x])", "lib.cat((t, x))", "lib.stack([t, x, y])", "lib.cat(tensors=[x, t])",
    "lib.add(t, x)", "lib.add(input=t, other=x)", "lib.mul(2, x)", "lib.exp(t)", "lib.max(x, 0)", "lib.sort(x)",
    "lib.split(x, 1)", "lib.where(t > 0, x, t)", "lib.zeros_like(x)", "lib.is_tensor(x)", "lib.numel(x)",
    "lib.equal(x, x)", "lib.tensor(x)", "lib.full((2,), x[0])", "lib.arange(x[0])", "lib.nonzero(x, as_tuple=True)",
    "lib.broadcast_tensors(x, t)", "lib.atleast_1d(x, t)", "lib.einsum('i,i->', x, x)", "lib.add(t, t, out=x)",
    "lib.linalg.norm(x)", "lib.linalg.qr(lib.eye(2).as_subclass(type(x)))", "F.mse_loss(x, t)", "F.softmax(t, 0)",
    "lib.nn.Linear(2, 2)(x)", "lib.nn.ReLU()(x)", "lib.nn.MSELoss()(t, x)", "lib.relu_(x)", "F.relu_(x)",
    "lib.autograd.grad(x.requires_grad_().sum(), x)", "lib.func.vmap(lambda v: v * 2)(x)",
    "lib.func.vmap(lambda v: lib.add(v, x))(t)", "lib.func.grad(lambda v: (v * v).sum())(x)",
    "lib.func.vmap(lib.exp)(x)",
    "lib.exp(y)", "lib.add(x, y)", "lib.cat([x, y])", "x.add_(y)", "lib.add(x, o)", "x + o", "x.add(o)", "x < o",
    "x.__add__(o)", "x.__iadd__(o)",
    "lib.exp(p)", "p + x", "x + p", "p * t", "p - 1", "2 * p", "lib.add(p, x)", "p @ x", "p > x", "m + x", "lib.exp(m)",
    "m + 1", "m.detach()", "lib.add(m, x)", "F.linear(x[None], p[None])", "q + 1", "q.exp()", "lib.exp(q)",
    "copy.deepcopy(m)", "pickle.loads(pickle.dumps(y))", "x.__array__()", "isinstance(lib.exp(x), lib.Tensor)",
    "off(lambda: lib.exp(x))", "off(lambda: x + 1)", "off(lambda: x[0])", "off(lambda: p + x)",
    "lib.overrides.has_torch_function((x,))", "lib.overrides.has_torch_function((t, p, m, q))",
    "type(x).__torch_function__(lib.add, (type(x),), (x, 1))", "asked + 1", "asked.exp()", "lib.exp(asked)",
]  # fmt: skip


def classes(lib, mine, off):
    """Return the names that calls use."""

    class Unrelated(lib.Tensor):
        pass

    class OfParameter(lib.nn.Parameter):
        pass

    class OfBoth(mine, lib.nn.Parameter):
        pass

    class Asked(lib.nn.Parameter):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "asked", type(super().__torch_function__(func, types, args, kwargs or {})).__name__

    def without(call):
        with off():
            return call()

    made = {"m": OfParameter(lib.ones(2)), "q": OfBoth(lib.ones(2)), "asked": Asked(lib.ones(2))}
    made |= {"o": lib.ones(2).as_subclass(Unrelated), "p": lib.nn.Parameter(lib.ones(2)), "off": without}
    return made | {"F": lib.nn.functional, "pickle": pickle}


@pytest.mark.filterwarnings("ignore:To copy construct:UserWarning")
@pytest.mark.parametrize("call", CALLS)
def test_call_of_a_function_with_subclasses_is_torchs(call):
    own = kind_of(call, npg, Mine, Narrower, classes(npg, Mine, DisableTorchFunctionSubclass))
    theirs = classes(torch, Theirs, torch._C.DisableTorchFunctionSubclass)
    assert own == kind_of(call, torch, Theirs, TheirNarrower, theirs)


def test_result_that_was_there_before_keeps_its_class():
    x, t, out = npg.ones(2).as_subclass(Mine), npg.ones(2), npg.zeros(2)
    y = npg.add(x, t, out=out)
    assert type(out) is npg.Tensor and type(y) is Mine and y.data_ptr() == out.data_ptr() and out.tolist() == [2, 2]
    assert [type(v) for v in npg.broadcast_tensors(x, t)] == [Mine, Mine] and type(t) is npg.Tensor
    assert np.add(x, t, out=out) is out and type(out) is npg.Tensor


def test_gradients_of_and_through_a_subclass_are_torchs():
    seen = []
    for lib, mine in ((npg, Mine), (torch, Theirs)):
        z, kinds = lib.ones(2, requires_grad=True), []
        y = lib.nn.functional.relu(z.as_subclass(mine) * 2)
        z.register_hook(lambda g, kinds=kinds: kinds.append(type(g).__name__))
        y.register_hook(lambda g, kinds=kinds: kinds.append(type(g).__name__))
        lib.sum(y).backward()
        seen.append((kinds, type(z.grad).__name__, z.grad.tolist()))
    assert seen[0] == seen[1]


def test_weak_reference_to_a_subclass_ends_with_its_tensor():
    gc.disable()
    try:
        x = npg.exp(npg.ones(2).as_subclass(Mine))
        reference = weakref.ref(x)
        assert reference() is x
        del x
        assert reference() is None
    finally:
        gc.enable()


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
