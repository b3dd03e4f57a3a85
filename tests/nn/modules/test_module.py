"""Module: attributes, walking, state, hooks, printing; next to the same program in torch."""

import copy
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import npg
from npg import nn
from tests.helpers import assert_like

torch = pytest.importorskip("torch", reason="compares with torch")


def net(library: Any) -> Any:
    """Return the same network in either library: nested containers, a shared layer, a buffer."""

    class Net(library.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.embed = library.nn.Embedding(5, 4, padding_idx=1)
            self.blocks = library.nn.ModuleList([library.nn.Linear(4, 4), library.nn.Linear(4, 4), library.nn.ReLU()])
            self.named = library.nn.ModuleDict({"norm": library.nn.LayerNorm(4), "drop": library.nn.Dropout(0.25)})
            self.head = library.nn.Sequential(
                OrderedDict(first=library.nn.Linear(4, 3, bias=False), act=library.nn.Tanh())
            )
            self.tied = self.blocks[0]
            self.scale = library.nn.Parameter(library.ones(1))
            self.register_buffer("count", library.zeros(2))
            self.register_buffer("cache", library.zeros(1), persistent=False)

        def forward(self, x: Any) -> Any:
            x = self.embed(x)
            for block in self.blocks:
                x = block(x)
            return self.head(self.named["drop"](self.named["norm"](x)) * self.scale) + self.tied(x)[..., :3]

    library.manual_seed(3)
    return Net()


@pytest.fixture
def pair() -> tuple[Any, Any]:
    return net(npg), net(torch)


# ----- Like torch -----


def test_names_agree_with_torch(pair: Any) -> None:
    ours, theirs = pair
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, walk)()] == [n for n, _ in getattr(theirs, walk)()]
    assert [n for n, _ in ours.named_parameters(remove_duplicate=False)] == [
        n for n, _ in theirs.named_parameters(remove_duplicate=False)
    ]
    assert len(list(ours.modules())) == len(list(theirs.modules()))


def test_repr_agrees_with_torch(pair: Any) -> None:
    ours, theirs = pair
    assert repr(ours) == repr(theirs)
    assert repr(nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])) == repr(
        torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.ReLU()])
    )


def test_initial_state_and_training_step_agree_with_torch(pair: Any) -> None:
    ours, theirs = pair
    for (name, f), (_, e) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert_like(f, e, name)
    x = np.array([[0, 1, 2], [3, 4, 0]])
    npg.manual_seed(5)
    torch.manual_seed(5)
    found, expected = ours(npg.tensor(x)), theirs(torch.tensor(x))
    assert_like(found, expected)
    found.sum().backward()
    expected.sum().backward()
    for (name, f), (_, e) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert_like(f.grad, e.grad, name)


def test_eval_switches_dropout_off(pair: Any) -> None:
    ours, theirs = pair
    x = np.array([0, 2])
    assert not ours.eval().training and not ours.named["drop"].training
    assert_like(ours(npg.tensor(x)), theirs.eval()(torch.tensor(x)))
    assert ours.train().named["drop"].training
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        ours.train(1)


# ----- Attributes -----


def test_shared_parameter_is_listed_once() -> None:
    m = nn.Module()
    m.a = nn.Parameter(npg.ones(2))
    m.b = m.a
    assert [n for n, _ in m.named_parameters()] == ["a"]
    assert list(m.state_dict()) == ["a", "b"]


def test_attribute_changes_of_kind_move_between_tables() -> None:
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(npg.ones(1))
    assert "x" not in m.__dict__ and list(m._parameters) == ["x"]
    m.x = None
    assert m.x is None and list(m.parameters()) == []
    with pytest.raises(
        TypeError, match=r"cannot assign 'npg.FloatTensor' as parameter 'x' \(npg.nn.Parameter or None expected\)"
    ):
        m.x = npg.ones(1)
    del m.x
    m.x = nn.Linear(1, 1)
    assert list(m._modules) == ["x"] and not m._parameters
    del m.x
    assert not hasattr(m, "x")


def test_attribute_before_init_raises() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Late()


def test_missing_attribute_raises() -> None:
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        nn.Linear(1, 1).wieght


@pytest.mark.parametrize("name", ["", "a.b"])
def test_register_bad_names_raise(name: str) -> None:
    m = nn.Module()
    for register in (m.register_parameter, m.register_buffer, m.add_module):
        with pytest.raises(KeyError):
            register(name, None)


def test_register_taken_names_raise() -> None:
    m = nn.Linear(2, 2)
    with pytest.raises(KeyError, match="attribute 'weight' already exists"):
        m.register_buffer("weight", npg.ones(1))
    with pytest.raises(
        TypeError, match=r"cannot assign 'npg.FloatTensor' object to parameter 'other' \(npg.nn.Parameter or None"
    ):
        m.register_parameter("other", nn.Parameter(npg.ones(1)) * 1)  # a Parameter's product is a plain tensor


def test_parameter_of_no_tensor_raises() -> None:
    with pytest.raises(TypeError, match="expected a Tensor"):
        nn.Parameter([1.0])


def test_dotted_paths(pair: Any) -> None:
    ours, _ = pair
    assert ours.get_submodule("head.first") is ours.head.first
    assert ours.get_parameter("head.first.weight") is ours.head.first.weight
    assert ours.get_buffer("count") is ours.count
    with pytest.raises(AttributeError, match="has no attribute `nothing`"):
        ours.get_submodule("head.nothing")


# ----- State -----


def test_load_state_dict_copies_and_keeps_the_parameters(pair: Any) -> None:
    ours, _ = pair
    other = net(npg)
    weights = {k: v + 1 for k, v in ours.state_dict().items()}
    before = dict(other.named_parameters())
    assert repr(other.load_state_dict(weights)) == "<All keys matched successfully>"
    for name, p in other.named_parameters():
        assert p is before[name] and npg.equal(p.detach(), weights[name])


def test_load_state_dict_mismatch_lists_everything_and_changes_nothing() -> None:
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    before = ours.weight.detach().clone()
    bad = {"weight": npg.ones(2, 2), "extra": npg.ones(1)}
    with pytest.raises(RuntimeError) as found:
        ours.load_state_dict(bad)
    with pytest.raises(RuntimeError) as expected:
        theirs.load_state_dict({"weight": torch.ones(2, 2), "extra": torch.ones(1)})
    assert str(found.value).replace("npg.", "torch.") == str(expected.value)
    assert npg.equal(ours.weight.detach(), before)
    keys = ours.load_state_dict({"bias": npg.ones(2), "extra": npg.ones(1)}, strict=False)
    assert keys.missing_keys == ["weight"] and keys.unexpected_keys == ["extra"]
    assert ours.bias.tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        ours.load_state_dict(3)


def test_state_dict_shares_memory_and_has_no_graph() -> None:
    m = nn.Linear(2, 2)
    state = m.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].zero_()
    assert m.weight.abs().sum().item() == 0.0


def test_extra_state_goes_through_state_dict() -> None:
    class Counting(nn.Module):
        seen = 0

        def get_extra_state(self) -> Any:
            return {"seen": self.seen}

        def set_extra_state(self, state: Any) -> None:
            self.seen = state["seen"]

    m = Counting()
    m.seen = 4
    other = Counting()
    other.load_state_dict(m.state_dict())
    assert other.seen == 4


def test_copies_are_independent(pair: Any) -> None:
    ours, _ = pair
    for twin in (copy.deepcopy(nn.Linear(2, 2)), pickle.loads(pickle.dumps(nn.Linear(2, 2)))):
        assert isinstance(twin.weight, nn.Parameter) and twin.weight.requires_grad
    twin = copy.deepcopy(ours)
    assert twin.tied is twin.blocks[0] and twin.scale is not ours.scale
    assert twin(npg.tensor([0])).shape == (1, 3)


# ----- Acting on all -----


def test_zero_grad_and_requires_grad() -> None:
    m = nn.Linear(2, 1)
    m(npg.ones(1, 2)).sum().backward()
    m.zero_grad(set_to_none=False)
    assert m.weight.grad.tolist() == [[0.0, 0.0]]
    m.zero_grad()
    assert m.weight.grad is None
    assert not any(p.requires_grad for p in m.requires_grad_(False).parameters())


def test_to_changes_floating_state_only() -> None:
    m = nn.Linear(2, 2)
    m.register_buffer("steps", npg.tensor([1, 2]))
    weight = m.weight
    m.double()
    assert m.weight is weight and m.weight.dtype is npg.float64 and m.steps.dtype is npg.int64
    assert m.to("cpu").float().weight.dtype is npg.float32
    with pytest.raises(TypeError, match="only accepts floating point"):
        m.to(npg.int64)


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    nn.Sequential(nn.Linear(1, 1), nn.ReLU()).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Sequential"]


# ----- Hooks -----


def test_forward_hooks_replace_and_are_removed() -> None:
    m = nn.Identity()
    order: list[str] = []
    m.register_forward_pre_hook(lambda mod, args: (order.append("pre"), (args[0] + 1,))[1])
    m.register_forward_hook(lambda mod, args, out: order.append("post"))
    handle = m.register_forward_hook(lambda mod, args, kwargs, out: out * 10, with_kwargs=True, prepend=True)
    assert m(npg.ones(1)).tolist() == [20.0] and order == ["pre", "post"]
    handle.remove()
    assert m(npg.ones(1)).tolist() == [2.0]


def test_forward_pre_hook_with_kwargs_replaces_both() -> None:
    class Scaled(nn.Module):
        def forward(self, x: Any, by: float = 1.0) -> Any:
            return x * by

    m = Scaled()
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True)
    assert m(npg.ones(1), by=2.0).tolist() == [3.0]
    m.register_forward_pre_hook(lambda mod, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        m(npg.ones(1), by=2.0)


def test_forward_missing_raises() -> None:
    with pytest.raises(NotImplementedError, match=r'Module \[Module\] is missing the required "forward" function'):
        nn.Module()(1)


# ----- Containers -----


def test_sequential_by_position() -> None:
    s = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    assert isinstance(s[1], nn.ReLU) and isinstance(s[-1], nn.Linear) and len(s[:2]) == 2
    s.append(nn.Tanh()).insert(0, nn.Identity())
    assert [type(m).__name__ for m in s] == ["Identity", "Linear", "ReLU", "Linear", "Tanh"]
    del s[0]
    assert list(s._modules) == ["0", "1", "2", "3"]
    assert isinstance(s.pop(3), nn.Tanh) and len(s + s) == 6
    with pytest.raises(IndexError, match="index 9 is out of range"):
        s[9]


def test_module_dict_is_a_dict() -> None:
    d = nn.ModuleDict([["a", nn.ReLU()]])
    d.update({"b": nn.Tanh()})
    assert list(d) == ["a", "b"] and "a" in d and len(d) == 2
    assert isinstance(d.pop("a"), nn.ReLU) and list(d.keys()) == ["b"]
    d.clear()
    assert len(d) == 0


def test_parameter_containers_hold_parameters() -> None:
    m = nn.Module()
    m.several = nn.ParameterList([npg.ones(1), npg.ones(2)])
    m.named = nn.ParameterDict({"x": npg.ones(3)})
    assert [n for n, _ in m.named_parameters()] == ["several.0", "several.1", "named.x"]
    assert m.several[-1].shape == (2,) and m.named["x"].requires_grad


def test_module_list_extends() -> None:
    items = nn.ModuleList([nn.ReLU()])
    items += [nn.Tanh()]
    items[0] = nn.Sigmoid()
    assert [type(m).__name__ for m in items] == ["Sigmoid", "Tanh"] and isinstance(items[0:1], nn.ModuleList)
    with pytest.raises(NotImplementedError):
        items(npg.ones(1))
    with pytest.raises(TypeError, match="is not a Module subclass"):
        items.append(3)  # type: ignore[arg-type]
