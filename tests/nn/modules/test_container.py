"""Containers: the same programs in torch, with the texts of every refusal."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import npg
from npg import nn
from tests.twins import agree, attempt

Program = Callable[[Any, Any], Any]


def names(module: Any) -> list[str]:
    return [f"{name}:{type(m).__name__}" for name, m in module.named_children()]


def three(lib: Any, kind: str) -> Any:
    modules = [lib.nn.ReLU(), lib.nn.Linear(2, 2), lib.nn.Tanh()]
    return lib.nn.Sequential(*modules) if kind == "Sequential" else lib.nn.ModuleList(modules)


LISTS: dict[str, Program] = {
    "items": lambda lib, s: (
        repr(s[1]),
        repr(s[-1]),
        repr(s[:2]),
        repr(s[::-2]),
        len(s),
        s[1] in s,
        lib.nn.ReLU() in s,
    ),
    "index too large": lambda lib, s: s[3],
    "index too small": lambda lib, s: s[-4],
    "index of another type": lambda lib, s: s["0"],
    "set": lambda lib, s: s.__setitem__(-1, lib.nn.Sigmoid()),
    "set no module": lambda lib, s: s.__setitem__(0, 3),
    "set too large": lambda lib, s: s.__setitem__(3, lib.nn.ReLU()),
    "delete": lambda lib, s: s.__delitem__(0),
    "delete slice": lambda lib, s: s.__delitem__(slice(0, 3, 2)),
    "append": lambda lib, s: s.append(lib.nn.ReLU()) is s,
    "append no module": lambda lib, s: s.append(3),
    "extend": lambda lib, s: s.extend([lib.nn.ReLU(), lib.nn.Tanh()]) is s,
    "extend by itself": lambda lib, s: s.extend(list(s)) is s,
    "insert": lambda lib, s: s.insert(1, lib.nn.Sigmoid()) and None,
    "pop": lambda lib, s: repr(s.pop(1)),
    "pop last": lambda lib, s: repr(s.pop(-1)),
    "contains": lambda lib, s: [m in s for m in s],
    "iterate": lambda lib, s: [repr(m) for m in s],
    "repr": lambda lib, s: repr(s),
}


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
@pytest.mark.parametrize("what", LISTS)
def test_lists_of_modules_are_torchs(what: str, kind: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = three(lib, kind)
        yield attempt(lambda: LISTS[what](lib, s))
        yield names(s), list(s.state_dict())

    agree(program)


SEQUENTIAL: dict[str, Program] = {
    "add": lambda lib, s: names(s + s),
    "add a list": lambda lib, s: s + [lib.nn.ReLU()],
    "add in place": lambda lib, s: names(s.__iadd__(three(lib, "Sequential"))),
    "add a list in place": lambda lib, s: s.__iadd__([lib.nn.ReLU()]),
    "times": lambda lib, s: (names(s * 2), names(2 * s)),
    "times in place": lambda lib, s: names(s.__imul__(3)),
    "times 0": lambda lib, s: s * 0,
    "times 1.5": lambda lib, s: s * 1.5,
    "times -1 in place": lambda lib, s: s.__imul__(-1),
    "insert at the end": lambda lib, s: names(s.insert(3, lib.nn.ReLU())),
    "insert from the end": lambda lib, s: names(s.insert(-1, lib.nn.ReLU())),
    "insert too far": lambda lib, s: s.insert(4, lib.nn.ReLU()),
    "call": lambda lib, s: s(lib.ones(1, 2)).detach(),
    "empty": lambda lib, s: (repr(lib.nn.Sequential()), lib.nn.Sequential()(3)),
    "named": lambda lib, s: repr(lib.nn.Sequential(OrderedDict(a=s, b=lib.nn.ReLU()))),
    "named and appended": lambda lib, s: names(lib.nn.Sequential(OrderedDict(a=s, b=lib.nn.ReLU())).append(s)),
    "slice of named": lambda lib, s: names(lib.nn.Sequential(OrderedDict(a=s, b=lib.nn.ReLU()))[1:]),
    "no module": lambda lib, s: lib.nn.Sequential(3),
    "a list": lambda lib, s: lib.nn.Sequential([lib.nn.ReLU()]),
    "shared": lambda lib, s: (names(lib.nn.Sequential(s[0], s[0])), len(lib.nn.Sequential(s[0], s[0]))),
}


@pytest.mark.parametrize("what", SEQUENTIAL)
def test_sequential_is_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = three(lib, "Sequential")
        yield str(attempt(lambda: SEQUENTIAL[what](lib, s))).replace("nn.modules.container.", "nn.containers.")
        yield names(s)

    agree(program)


MODULE_LIST: dict[str, Program] = {
    "plus": lambda lib, s: names(s + [lib.nn.ReLU()]),
    "plus in place": lambda lib, s: names(s.__iadd__([lib.nn.ReLU()])),
    "extend by a number": lambda lib, s: s.extend(3),
    "call": lambda lib, s: s(lib.ones(1)),
    "empty": lambda lib, s: repr(lib.nn.ModuleList()),
    "equal neighbours": lambda lib, s: repr(lib.nn.ModuleList([lib.nn.Linear(1, 1), lib.nn.Linear(1, 1), s, s])),
    "of a generator": lambda lib, s: names(lib.nn.ModuleList(m for m in s)),
}


@pytest.mark.parametrize("what", MODULE_LIST)
def test_module_list_is_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = three(lib, "ModuleList")
        yield attempt(lambda: MODULE_LIST[what](lib, s))
        yield names(s)

    agree(program)


MODULE_DICT: dict[str, Program] = {
    "items": lambda lib, d: (
        list(d),
        list(d.keys()),
        repr(list(d.values())),
        [k for k, _ in d.items()],
        len(d),
        "b" in d,
    ),
    "missing": lambda lib, d: d["x"],
    "set": lambda lib, d: d.__setitem__("a", lib.nn.Sigmoid()),
    "set no module": lambda lib, d: d.__setitem__("a", 3),
    "set a number": lambda lib, d: d.__setitem__(3, lib.nn.ReLU()),
    "set a taken name": lambda lib, d: d.__setitem__("forward", lib.nn.ReLU()),
    "delete": lambda lib, d: d.__delitem__("a"),
    "delete missing": lambda lib, d: d.__delitem__("x"),
    "pop": lambda lib, d: repr(d.pop("a")),
    "clear": lambda lib, d: d.clear(),
    "update by pairs": lambda lib, d: d.update([["c", lib.nn.ReLU()], ("a", lib.nn.Tanh())]),
    "update by a ModuleDict": lambda lib, d: d.update(lib.nn.ModuleDict({"z": lib.nn.ReLU()})),
    "update by a number": lambda lib, d: d.update(3),
    "update by numbers": lambda lib, d: d.update([3]),
    "update by triples": lambda lib, d: d.update([(1, 2, 3)]),
    "call": lambda lib, d: d(lib.ones(1)),
    "repr": lambda lib, d: (repr(d), repr(lib.nn.ModuleDict())),
}


@pytest.mark.parametrize("what", MODULE_DICT)
def test_module_dict_is_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        d = lib.nn.ModuleDict({"b": lib.nn.Linear(1, 1), "a": lib.nn.ReLU()})
        yield attempt(lambda: MODULE_DICT[what](lib, d))
        yield names(d)

    agree(program)


PARAMETER_LIST: dict[str, Program] = {
    "items": lambda lib, p: (p[1], p[-1], len(p), [type(v).__name__ for v in p], list(p[1:]), list(p[::-1])),
    "index too large": lambda lib, p: p[3],
    "set a tensor": lambda lib, p: p.__setitem__(0, lib.zeros(2)),
    "set a number": lambda lib, p: p.__setitem__(2, 4),
    "append": lambda lib, p: p.append(lib.ones(2)) is p,
    "extend": lambda lib, p: p.extend([lib.ones(2), "x"]) is p,
    "extend by a tensor": lambda lib, p: p.extend(lib.ones(2)),
    "extend by a number": lambda lib, p: p.extend(3),
    "plus in place": lambda lib, p: p.__iadd__([lib.ones(1)]) is p,
    "a number for a parameter": lambda lib, p: p.__setitem__(0, 3),
    "call": lambda lib, p: p(1),
    "repr": lambda lib, p: (repr(p), repr(lib.nn.ParameterList())),
}


@pytest.mark.parametrize("what", PARAMETER_LIST)
def test_parameter_list_is_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = lib.nn.ParameterList([lib.nn.Parameter(lib.ones(2)), lib.ones(1, 3, dtype=lib.float64), "text"])
        yield attempt(lambda: PARAMETER_LIST[what](lib, p))
        yield len(p), [n for n, _ in p.named_parameters()], dict(p.state_dict())

    agree(program)


PARAMETER_DICT: dict[str, Program] = {
    "items": lambda lib, p: (
        list(p),
        list(p.keys()),
        len(list(p.values())),
        [k for k, _ in p.items()],
        len(p),
        "b" in p,
    ),
    "reversed": lambda lib, p: list(reversed(p)),
    "missing": lambda lib, p: p["x"],
    "a number as a key": lambda lib, p: p[3],
    "set": lambda lib, p: p.__setitem__("n", lib.zeros(1)),
    "set a number": lambda lib, p: p.__setitem__("n", 3),
    "delete": lambda lib, p: p.__delitem__("b"),
    "delete missing": lambda lib, p: p.__delitem__("x"),
    "pop": lambda lib, p: p.pop("b"),
    "popitem": lambda lib, p: p.popitem(),
    "get": lambda lib, p: (p.get("b"), p.get("x"), p.get("x", 3)),
    "setdefault": lambda lib, p: (p.setdefault("b", 3), p.setdefault("n", lib.ones(1))),
    "copy": lambda lib, p: (list(p.copy()), p.copy()["b"] is p["b"]),
    "fromkeys": lambda lib, p: list(p.fromkeys(["x", "y"], lib.ones(1)).items()),
    "clear": lambda lib, p: p.clear(),
    "update sorts a dict": lambda lib, p: p.update({"z": lib.ones(1), "y": lib.ones(1)}),
    "update keeps the order": lambda lib, p: p.update(OrderedDict(z=lib.ones(1), y=lib.ones(1))),
    "update by pairs": lambda lib, p: p.update([("z", lib.ones(1)), ("y", 3)]),
    "update by a number": lambda lib, p: p.update(3),
    "update by numbers": lambda lib, p: p.update([3]),
    "update by triples": lambda lib, p: p.update([(1, 2, 3)]),
    "or": lambda lib, p: list(p | lib.nn.ParameterDict({"q": lib.ones(1)})),
    "or in place": lambda lib, p: list(p.__ior__(lib.nn.ParameterDict({"q": lib.ones(1)}))),
    "call": lambda lib, p: p(1),
    "repr": lambda lib, p: (repr(p), repr(lib.nn.ParameterDict())),
}


@pytest.mark.parametrize("what", PARAMETER_DICT)
def test_parameter_dict_is_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        pairs = [("b", lib.nn.Parameter(lib.ones(2))), ("a", lib.ones(1, 3, dtype=lib.float64)), ("t", "text")]
        p = lib.nn.ParameterDict(OrderedDict(pairs))
        yield attempt(lambda: PARAMETER_DICT[what](lib, p))
        yield len(p), [n for n, _ in p.named_parameters()], dict(p.state_dict())

    agree(program)


def test_refused_changes_leave_containers_as_they_were() -> None:
    s = three(npg, "ModuleList")
    before = names(s)
    for change in (
        lambda: s.extend([nn.ReLU(), 3]),
        lambda: s.insert(1, 3),
        lambda: s.insert(7, nn.ReLU()),
        lambda: s.__iadd__(4),
    ):
        with pytest.raises((TypeError, AssertionError, IndexError)):
            change()
        assert names(s) == before
    d = nn.ModuleDict({"a": nn.ReLU()})
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        d.update({"b": nn.ReLU(), "c": 3})
    assert names(d) == ["a:ReLU"]
    p = nn.ParameterDict({"a": npg.ones(1)})
    for wrong in ({3: npg.ones(1)}, [("b", npg.ones(1)), ("c", npg.tensor([1]))]):
        with pytest.raises((TypeError, RuntimeError)):
            p.update(wrong)
        assert list(p) == ["a"]
    q = nn.ParameterList([npg.ones(1)])
    with pytest.raises(RuntimeError, match="floating point"):
        q.extend([npg.ones(1), npg.tensor([1])])
    assert len(q) == 1


def test_data_parallel_is_the_module() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.DataParallel(lib.nn.Linear(2, 2))
        yield repr(m), list(m.state_dict()), m(lib.ones(1, 2)).detach(), m.module.weight
        yield isinstance(m, lib.nn.parallel.DataParallel)

    agree(program)
