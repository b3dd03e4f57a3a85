"""Attributes, registering and walking: the same programs in torch, with the texts of every refusal."""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import npg
from tests.twins import agree, attempt

REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "number as parameter": lambda lib, m: setattr(m, "weight", 3),
    "tensor as parameter": lambda lib, m: setattr(m, "weight", lib.ones(1)),
    "module as parameter": lambda lib, m: setattr(m, "weight", lib.nn.ReLU()),
    "buffer as parameter": lambda lib, m: setattr(m, "weight", lib.nn.Buffer(lib.ones(1))),
    "function as parameter": lambda lib, m: setattr(m, "weight", agree),
    "number as module": lambda lib, m: setattr(m, "child", 3),
    "integers as module": lambda lib, m: setattr(m, "child", lib.tensor([1])),
    "text as buffer": lambda lib, m: setattr(m, "count", "x"),
    "buffer over an attribute": lambda lib, m: setattr(m, "in_features", lib.nn.Buffer(lib.ones(1))),
    "parameter with a number": lambda lib, m: m.register_parameter("p", 3),
    "parameter with a tensor": lambda lib, m: m.register_parameter("p", lib.ones(1)),
    "parameter with a product": lambda lib, m: m.register_parameter("p", lib.nn.Parameter(lib.ones(1)) * 1),
    "parameter with an int name": lambda lib, m: m.register_parameter(3, None),
    "parameter with an empty name": lambda lib, m: m.register_parameter("", None),
    "parameter with a dot": lambda lib, m: m.register_parameter("a.b", None),
    "parameter over an attribute": lambda lib, m: m.register_parameter("forward", None),
    "parameter over a buffer": lambda lib, m: m.register_parameter("count", None),
    "buffer with a number": lambda lib, m: m.register_buffer("b", 3),
    "buffer with an int name": lambda lib, m: m.register_buffer(3, None),
    "buffer with an empty name": lambda lib, m: m.register_buffer("", None),
    "buffer with a dot": lambda lib, m: m.register_buffer("a.b", None),
    "buffer over a parameter": lambda lib, m: m.register_buffer("weight", lib.ones(1)),
    "module with a number": lambda lib, m: m.add_module("c", 3),
    "module with a tensor": lambda lib, m: m.register_module("c", lib.ones(1)),
    "module with an int name": lambda lib, m: m.add_module(3, None),
    "module with an empty name": lambda lib, m: m.add_module("", None),
    "module with a dot": lambda lib, m: m.add_module("a.b", None),
    "module over a parameter": lambda lib, m: m.add_module("weight", lib.nn.ReLU()),
    "attribute that is missing": lambda lib, m: m.wieght,
    "deleting what is missing": lambda lib, m: delattr(m, "wieght"),
    "submodule that is missing": lambda lib, m: m.get_submodule("child.nothing"),
    "submodule that is a parameter": lambda lib, m: m.get_submodule("weight"),
    "parameter that is missing": lambda lib, m: m.get_parameter("child.nothing"),
    "parameter that is a buffer": lambda lib, m: m.get_parameter("count"),
    "buffer that is missing": lambda lib, m: m.get_buffer("nothing"),
    "buffer that is a parameter": lambda lib, m: m.get_buffer("weight"),
    "set_submodule without a name": lambda lib, m: m.set_submodule("", lib.nn.ReLU()),
    "set_submodule over a parameter": lambda lib, m: m.set_submodule("weight", lib.nn.ReLU()),
    "set_submodule that is missing": lambda lib, m: m.set_submodule("new", lib.nn.ReLU(), strict=True),
    "set_submodule below nothing": lambda lib, m: m.set_submodule("new.new", lib.nn.ReLU()),
    "train of a number": lambda lib, m: m.train(1),
    "to integers": lambda lib, m: m.to(lib.int64),
    "to integers by a tensor": lambda lib, m: m.to(lib.tensor([1])),
    "cuda": lambda lib, m: m.cuda(),
    "extra state": lambda lib, m: m.get_extra_state(),
    "extra state set": lambda lib, m: m.set_extra_state(1),
    "parameter of integers": lambda lib, m: lib.nn.Parameter(lib.tensor([1])),
}


def model(lib: Any) -> Any:
    m = lib.nn.Linear(2, 2)
    m.register_buffer("count", lib.zeros(1))
    m.child = lib.nn.Linear(2, 1, bias=False)
    return m


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_torchs_and_change_nothing(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = model(lib)
        yield str(attempt(lambda: REFUSED[what](lib, m))).replace("nn.modules.activation.", "nn.activations.")
        yield list(m.state_dict()), sorted(m.__dict__["_modules"]), m.weight, m.training

    agree(program)


@pytest.mark.parametrize("kind", ["Parameter", "Linear", "Buffer"])
def test_attribute_before_init_raises_torchs_error(kind: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Late(lib.nn.Module):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                self.x = lib.nn.Linear(1, 1) if kind == "Linear" else getattr(lib.nn, kind)(lib.ones(1))

        yield attempt(Late)

    agree(program)


def test_non_leaf_parameter_is_refused_before_the_old_value_is_gone() -> None:
    m = npg.nn.Module()
    m.x = 3
    p = npg.nn.Parameter(npg.ones(1))
    with npg.no_grad():
        p.requires_grad_(False)
    q = npg.nn.Parameter(npg.ones(2))
    part = q[:1]
    part.__class__ = npg.nn.Parameter
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'x'"):
        m.x = part
    assert m.x == 3


def test_attributes_move_between_tables_as_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Module()

        def tables() -> Any:
            plain = [k for k in m.__dict__ if not k.startswith("_")]
            return plain, list(m._parameters), list(m._buffers), list(m._modules), sorted(m._non_persistent_buffers_set)

        for value in (
            3,
            lib.nn.Parameter(lib.ones(1)),
            None,
            lib.nn.Parameter(lib.ones(2)),
        ):
            m.x = value
            yield tables()
        del m.x
        m.x = lib.nn.ReLU()
        yield tables()
        m.x = lib.nn.Parameter(lib.ones(1))
        yield tables()
        del m.x
        m.x = lib.nn.Buffer(lib.ones(1), persistent=False)
        yield tables()
        m.x = lib.ones(3)
        yield tables(), m.x, list(m.state_dict())
        m.x = lib.nn.Buffer(lib.ones(1))
        yield tables(), list(m.state_dict())
        m.x = None
        yield tables(), m.x
        m.x = lib.nn.Linear(1, 1)
        yield tables()
        m.x = None
        yield tables(), list(m.named_modules())[1:], repr(m)
        m.y = lib.ones(1)
        yield tables()

    agree(program)


def test_dir_names_what_torchs_does() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Sequential(model(lib))
        m.count = 3
        m.named = lib.nn.ReLU()
        yield [n in dir(m) for n in ("0", "named", "count", "forward", "training", "_modules")]
        yield [n in dir(m[0]) for n in ("weight", "child", "count", "in_features")]

    agree(program)


def shared(lib: Any) -> Any:
    m = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ReLU(), lib.nn.Linear(2, 2))
    m.add_module("again", m[0])
    m[2].weight = m[0].weight
    m.register_parameter("empty", None)
    m.register_parameter("own", lib.nn.Parameter(lib.ones(1)))
    m.register_buffer("count", lib.zeros(2))
    m.register_buffer("hidden", m.count, persistent=False)
    m.register_buffer("nothing", None)
    m.gone = lib.nn.ReLU()
    m.gone = None
    return m


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("recurse", [True, False])
@pytest.mark.parametrize("prefix", ["", "net"])
def test_walks_are_torchs(prefix: str, recurse: bool, once: bool) -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = shared(lib)
        for walk in (m.named_parameters, m.named_buffers):
            yield [name for name, _ in walk(prefix=prefix, recurse=recurse, remove_duplicate=once)]
        yield [name for name, _ in m.named_modules(prefix=prefix, remove_duplicate=once)]
        yield [name for name, _ in m.named_children()]
        yield len(list(m.parameters(recurse))), len(list(m.buffers(recurse))), len(list(m.children()))
        yield len(list(m.modules())), len(list(m.modules(remove_duplicate=once)))
        yield list(m.state_dict()), list(m.state_dict(prefix="a.")), repr(m)

    agree(program)


def test_walks_of_what_changes_meanwhile_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        nn = lib.nn

        class Silent(nn.Sequential):  # type: ignore[name-defined,misc]
            def named_modules(self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[Any]:
                yield prefix + "!", self

        def net() -> Any:
            return nn.Sequential(nn.Sequential(nn.ReLU(), nn.Tanh()), Silent(nn.ReLU()), nn.Sequential(nn.ReLU()))

        def named(walk: Any) -> list[Any]:
            return [(name, type(module).__name__) for name, module in walk]

        yield named(net().named_modules()), named(net().named_modules(prefix="a", remove_duplicate=False))
        m = net()
        yield named(m.named_modules({m[0]})), named(m.named_modules({m})), len(list(m.modules()))
        found = []
        for name, module in m.named_modules():  # as libraries do that replace layers
            found.append((name, type(module).__name__))
            if name == "0":
                m[2] = nn.Sequential(nn.Tanh(), nn.GELU())
                module[1] = nn.GELU()
            if name == "0.0":
                m[0] = nn.Identity()
        yield found, repr(m)
        try:
            for name, _ in m.named_modules():
                m.add_module(name + "_", nn.ReLU())
        except (RuntimeError, KeyError) as error:
            yield type(error), str(error), repr(m)

    agree(program)


def test_conversions_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for change in (
            lambda m: m.double(),
            lambda m: m.half(),
            lambda m: m.float(),
            lambda m: m.to(lib.float64),
            lambda m: m.to("cpu"),
            lambda m: m.to("cpu", lib.float16),
            lambda m: m.to(dtype=lib.float64, non_blocking=True),
            lambda m: m.to(lib.ones(1, dtype=lib.float64)),
            lambda m: m.type(lib.float64),
            lambda m: m.cpu(),
        ):
            m = model(lib)
            m.register_buffer("steps", lib.tensor([3]))
            m(lib.ones(1, 2)).sum().backward()
            weight, grad = m.weight, m.weight.grad
            yield change(m) is m
            yield m.weight is weight, m.weight.grad is grad
            yield m.weight, m.weight.grad, m.count, m.child.weight, m.steps.dtype

        m = model(lib)
        yield m.to_empty(device="cpu").weight.shape
        m = shared(lib).double()
        yield m[2].weight is m[0].weight, m[0].weight.dtype, m.count.dtype

    agree(program)


def test_zero_grad_requires_grad_and_modes_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = model(lib)
        m(lib.ones(1, 2)).sum().backward()
        m.zero_grad(set_to_none=False)
        yield m.weight.grad, m.child.weight.grad
        m.zero_grad()
        yield m.weight.grad
        yield [p.requires_grad for p in m.requires_grad_(False).parameters()]
        yield [p.requires_grad for p in m.requires_grad_().parameters()]
        yield [x.training for x in m.eval().modules()], [x.training for x in m.child.train().modules()], m.training
        seen: list[str] = []
        yield m.apply(lambda x: seen.append(type(x).__name__)) is m
        yield seen

    agree(program)


def test_paths_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Sequential(model(lib), lib.nn.ModuleDict({"a": model(lib)}))
        yield m.get_submodule("") is m, m.get_submodule("1.a.child") is m[1]["a"].child
        yield m.get_parameter("1.a.child.weight"), m.get_buffer("0.count")
        m.set_submodule("1.a", lib.nn.ReLU())
        m.set_submodule("0.child", lib.nn.Tanh(), strict=True)
        m.set_submodule("1.new", lib.nn.ReLU())
        yield repr(m)

    agree(program)


def test_repr_with_blank_lines_and_extra_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Wordy(lib.nn.Module):  # type: ignore[name-defined,misc]
            def extra_repr(self) -> str:
                return "one\n\ntwo"

        yield repr(Wordy())
        m = Wordy()
        m.inner = Wordy()
        m.inner.inner = lib.nn.ReLU()
        m.none = lib.nn.ReLU()
        m.none = None
        yield repr(m)
        yield repr(lib.nn.Module()), repr(lib.nn.Sequential())

    agree(program)


# ----- Parameters and buffers -----


def test_parameter_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        data = lib.ones(2)
        p = lib.nn.Parameter(data)
        yield repr(p), p.requires_grad, p.is_leaf, p.data_ptr() == data.data_ptr()
        yield type(p * 1) is lib.Tensor, type(p.data) is lib.Tensor, type(p.detach()) is lib.Tensor
        yield repr(lib.nn.Parameter(data, requires_grad=False)), lib.nn.Parameter().shape
        yield lib.nn.Parameter(lib.tensor([1]), requires_grad=False)
        with lib.no_grad():
            yield lib.nn.Parameter(data * 2).requires_grad
        p.note = "kept"
        p.grad = lib.ones(2)
        for twin in (pickle.loads(pickle.dumps(p)), copy.deepcopy(p)):
            yield twin, twin.requires_grad, isinstance(twin, lib.nn.Parameter), twin.grad
        yield pickle.loads(pickle.dumps(p)).note
        frozen = copy.deepcopy(lib.nn.Parameter(data, requires_grad=False))
        yield frozen.requires_grad
        p.data = lib.zeros(3)
        yield p, isinstance(p, lib.nn.Parameter), isinstance(data, lib.nn.Parameter)

    agree(program)


def test_buffer_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        data = lib.ones(2)
        b = lib.nn.Buffer(data, persistent=False)
        yield (
            repr(b),
            b.persistent,
            isinstance(b, lib.nn.Buffer),
            isinstance(data, lib.nn.Buffer),
            type(b) is lib.Tensor,
        )
        yield lib.nn.Buffer().shape, lib.nn.Buffer(lib.ones(1, requires_grad=True)).requires_grad
        m = lib.nn.Module()
        m.b = b
        m.c = lib.nn.Buffer(data)
        for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m.state_dict()))):
            state = twin.state_dict() if hasattr(twin, "state_dict") else twin
            yield list(state), state["c"]
        twin = copy.deepcopy(m)
        yield isinstance(twin.b, lib.nn.Buffer), twin.b.data_ptr() == m.b.data_ptr()

    agree(program)


def test_parameter_and_buffer_of_no_tensor_raise() -> None:
    for kind in (npg.nn.Parameter, npg.nn.Buffer):
        with pytest.raises(TypeError, match=f"expected a Tensor as the data of a {kind.__name__}, got list"):
            kind([1.0])
    with pytest.raises(TypeError, match="expected requires_grad to be bool, got str"):
        npg.nn.Parameter(npg.ones(1), "yes")
