"""state_dict, load_state_dict and their hooks: the same programs in torch; a refused load changes nothing."""

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import npg
from tests.twins import agree, attempt, warned


def model(lib: Any) -> Any:
    m = lib.nn.Sequential(OrderedDict(first=lib.nn.Linear(2, 3), last=lib.nn.Linear(3, 1, bias=False)))
    m.register_buffer("count", lib.zeros(2))
    m.register_buffer("cache", lib.zeros(2), persistent=False)
    m.register_parameter("none", None)
    m.scale = lib.nn.Parameter(lib.tensor(2.0))
    return m


# ----- Giving -----


def test_state_dict_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = model(lib)
        state = m.state_dict()
        yield type(state).__name__, dict(state), dict(state._metadata)
        yield state["first.weight"].requires_grad, state["first.weight"].data_ptr() == m.first.weight.data_ptr()
        yield m.state_dict(keep_vars=True)["first.weight"] is m.first.weight
        yield list(m.state_dict(prefix="net."))
        old = lib.nn.Linear(2, 2)
        yield (
            warned(lambda: list(old.state_dict({}, "a."))),
            warned(lambda: old.state_dict({}, "", True)["bias"].is_leaf),
        )
        into = {"x": 1}
        yield m.state_dict(destination=into) is into, list(into)
        for twin in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
            yield dict(twin), dict(twin._metadata)

    agree(program)


def test_state_dict_hooks_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = model(lib)
        seen: list[Any] = []

        def add(module: Any, state: Any, prefix: str, metadata: Any) -> None:
            seen.append(("post", prefix, dict(metadata)))
            state[prefix + "added"] = lib.ones(1)

        m.first.register_state_dict_pre_hook(lambda module, prefix, keep: seen.append(("pre", prefix, keep)))
        handle = m.first.register_state_dict_post_hook(add)
        yield list(m.state_dict(keep_vars=True)), seen
        handle.remove()
        yield list(m.state_dict())
        m.register_state_dict_post_hook(lambda *given: {})
        yield attempt(m.state_dict)

    agree(program)


# ----- Taking -----

CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "as it is": lambda lib, state: None,
    "missing": lambda lib, state: state.pop("first.weight"),
    "several missing": lambda lib, state: (state.pop("scale"), state.pop("last.weight"), state.pop("count")),
    "unexpected": lambda lib, state: state.update({"other": 1, "first.other": 2, "nothing.x": 3, "first.a.b": 4}),
    "without persistent": lambda lib, state: state.update({"cache": lib.ones(2)}),
    "a name that is None": lambda lib, state: state.update({"none": lib.ones(2)}),
    "another shape": lambda lib, state: state.update({"first.bias": lib.ones(4), "count": lib.ones(2, 1)}),
    "no tensor": lambda lib, state: state.update({"first.bias": [1, 2, 3]}),
    "all at once": lambda lib, state: state.update({"first.bias": lib.ones(4), "x": 1, "scale": state.pop("count")}),
    "another dtype": lambda lib, state: state.update({"first.bias": lib.ones(3, dtype=lib.float64)}),
    "integers": lambda lib, state: state.update({"first.bias": lib.tensor([1, 2, 3])}),
    "one element for 0-d": lambda lib, state: state.update({"scale": lib.ones(1)}),
    "extra state": lambda lib, state: state.update({"_extra_state": 1, "first._extra_state": 2}),
    "empty": lambda lib, state: state.clear(),
}


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("what", CHANGES)
def test_load_state_dict_is_torchs(what: str, strict: bool, assign: bool) -> None:
    refused = False

    def program(lib: Any) -> Iterator[Any]:
        nonlocal refused
        m, other = model(lib), model(lib)
        m.count += 5
        m.first.bias.requires_grad_(False)
        state = other.state_dict()
        CHANGES[what](lib, state)
        parameters, before = dict(m.named_parameters()), copy.deepcopy(m.state_dict())
        found = attempt(lambda: m.load_state_dict(state, strict=strict, assign=assign))
        yield repr(found)
        refused = isinstance(found, str)
        if not refused:
            yield dict(m.state_dict())
            yield [m.get_parameter(n) is p for n, p in parameters.items()], m.first.bias.requires_grad
            yield isinstance(m.first.bias, lib.nn.Parameter), type(found).__name__.lstrip("_")
        elif lib is npg:
            assert all(npg.equal(before[k], v) for k, v in m.state_dict().items())
            assert all(m.get_parameter(n) is p for n, p in parameters.items())

    agree(program)


def test_load_state_dict_of_no_mapping_raises() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for wrong in (3, [("a", 1)], lib.ones(1)):
            yield str(attempt(lambda: model(lib).load_state_dict(wrong))).replace("npg.Tensor", "torch.Tensor")  # noqa: B023

    agree(program)


def test_load_state_dict_copy_that_fails_is_refused_first() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Linear(2, 2)
        m.register_buffer("wide", lib.zeros(1).expand(3))
        before = m.weight.detach().clone()
        text = attempt(lambda: m.load_state_dict({**lib.nn.Linear(2, 2).state_dict(), "wide": lib.ones(3)}))
        yield text.split("an exception occurred")[0].replace("torch.Size", "npg.Size")
        if lib is npg:
            assert npg.equal(m.weight.detach(), before)

    agree(program)


def test_load_state_dict_assign_shares_and_keeps_requires_grad() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m, other = lib.nn.Linear(2, 2), lib.nn.Linear(2, 2).double()
        m.weight.requires_grad_(False)
        m.load_state_dict(other.state_dict(), assign=True)
        yield m.weight.dtype, m.weight.data_ptr() == other.weight.data_ptr(), m.weight.requires_grad
        m.load_state_dict(other.state_dict(keep_vars=True), assign=True)
        yield m.weight is other.weight, other.weight.requires_grad, m.bias.requires_grad

    agree(program)


def test_extra_state_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Counting(lib.nn.Module):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                super().__init__()
                self.weight = lib.nn.Parameter(lib.ones(1))
                self.seen = 0

            def get_extra_state(self) -> Any:
                return {"seen": self.seen}

            def set_extra_state(self, state: Any) -> None:
                self.seen = state["seen"]

        m = lib.nn.Sequential(Counting(), Counting())
        m[1].seen = 4
        state = m.state_dict()
        yield state
        other = lib.nn.Sequential(Counting(), Counting())
        yield repr(other.load_state_dict(state)), other[1].seen
        del state["1._extra_state"]
        yield attempt(lambda: other.load_state_dict(state))
        yield repr(other.load_state_dict(state, strict=False))

    agree(program)


def test_load_hooks_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = model(lib)
        seen: list[Any] = []

        def rename(module: Any, state: Any, prefix: str, metadata: Any, strict: bool, *lists: Any) -> None:
            seen.append((module is m.first, prefix, metadata.get("version"), strict, [list(x) for x in lists]))
            if prefix + "old" in state:
                state[prefix + "bias"] = state.pop(prefix + "old")

        m.first.register_load_state_dict_pre_hook(rename)
        state = model(lib).state_dict()
        state["first.old"] = state.pop("first.bias") + 1
        yield attempt(lambda: repr(m.load_state_dict(state)))
        yield seen, list(state)
        handle = m.first.register_load_state_dict_post_hook(
            lambda module, keys: seen.append((len(keys.missing_keys), module.bias.detach().tolist() == [7.0, 7.0, 7.0]))
        )
        m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
        fresh = model(lib).state_dict()
        del fresh["last.weight"], fresh["first.weight"]
        fresh["first.bias"] = lib.full((3,), 7.0)
        yield repr(m.load_state_dict(fresh)), seen[1:], m.first.bias.tolist()
        handle.remove()
        m.register_load_state_dict_post_hook(lambda module, keys: keys.unexpected_keys.append("more"))
        yield attempt(lambda: m.load_state_dict(model(lib).state_dict()))
        m.register_load_state_dict_post_hook(lambda module, keys: 3)
        yield attempt(lambda: m.load_state_dict(model(lib).state_dict()))

    agree(program)


def test_load_refused_in_spite_of_post_hooks_is_taken_back() -> None:
    for assign in (False, True):
        m = model(npg)
        parameters, before = dict(m.named_parameters()), copy.deepcopy(m.state_dict())
        seen = []
        m.register_load_state_dict_post_hook(lambda module, keys: seen.append(module.count.tolist()))  # noqa: B023
        state = {k: v + 1 for k, v in m.state_dict().items() if k != "first.weight"}
        with pytest.raises(RuntimeError, match='Missing key.s. in state_dict: "first.weight"'):
            m.load_state_dict(state, assign=assign)
        assert seen == [[1.0, 1.0]]  # the hook saw the new state
        assert all(npg.equal(before[k], v) for k, v in m.state_dict().items())
        assert all(m.get_parameter(n) is p for n, p in parameters.items())


def test_subclass_changes_how_it_saves_and_loads_as_in_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Renamed(lib.nn.Linear):  # type: ignore[name-defined,misc]
            _version = 2

            def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[prefix + "w"] = destination.pop(prefix + "weight")

            def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
                seen.append(local_metadata.get("version"))
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
                super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

        seen: list[Any] = []
        m, other = lib.nn.Sequential(Renamed(2, 2)), lib.nn.Sequential(Renamed(2, 2))
        state = m.state_dict()
        yield list(state), dict(state._metadata)
        yield repr(other.load_state_dict(state)), seen, other[0].weight
        lists: tuple[list[str], ...] = ([], [], [])
        Renamed(2, 2)._load_from_state_dict({"w": lib.ones(2, 2)}, "", {}, True, *lists)
        yield list(lists)

    agree(program)


def test_shared_state_is_saved_under_both_names_and_loads() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Linear(2, 2))
        m[1].weight = m[0].weight
        state = m.state_dict()
        yield state
        other = copy.deepcopy(m)
        yield other[1].weight is other[0].weight
        other[0].weight.data.zero_()
        yield repr(other.load_state_dict(state)), other[1].weight

    agree(program)
