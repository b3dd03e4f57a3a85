"""default_collate and default_convert: the types and numbers of torch's."""

import collections
import types
from typing import Any, NamedTuple

import numpy as np
import pytest

import npg
from npg.utils.data._utils import collate as of_npg
from npg.utils.data._utils.pin_memory import pin_memory
from tests.utils.data.programs import same


class Point(NamedTuple):
    x: Any
    y: Any


class Named(collections.UserDict):
    label = "kept"


class Texts(collections.UserList):
    pass


class Frozen(tuple):
    """A sequence that is made of items, not of an iterable."""

    def __new__(cls, *items):
        return tuple.__new__(cls, items)


def t(lib, *numbers, dtype="float32"):
    return lib.tensor(numbers, dtype=getattr(lib, dtype))


BATCHES = {
    "tensors": lambda lib: [t(lib, 1, 2), t(lib, 3, 4)],
    "0-d": lambda lib: [lib.tensor(1.5), lib.tensor(2.5)],
    "0-d ints": lambda lib: [lib.tensor(1), lib.tensor(2)],
    "bools": lambda lib: [lib.tensor(True), lib.tensor(False)],
    "empty": lambda lib: [lib.ones(0, 3), lib.ones(0, 3)],
    "one": lambda lib: [lib.ones(2, 3)],
    "2-d views": lambda lib: [lib.arange(6.0).reshape(2, 3).t(), lib.arange(6.0).reshape(3, 2)],
    "dtypes": lambda lib: [t(lib, 1), t(lib, 2, dtype="float64")],
    "dtypes down": lambda lib: [t(lib, 1, dtype="int64"), t(lib, 2, dtype="int32")],
    "half": lambda lib: [t(lib, 1, dtype="float16"), t(lib, 2, dtype="float16")],
    "sizes": lambda lib: [t(lib, 1), t(lib, 1, 2)],
    "numbers of dimensions": lambda lib: [lib.tensor(1.0), t(lib, 1)],
    "gradient": lambda lib: [lib.ones(2, requires_grad=True), lib.ones(2)],
    "parameters": lambda lib: [lib.nn.Parameter(lib.ones(2)), lib.nn.Parameter(lib.ones(2))],
    "ints": lambda lib: [1, 2],
    "a large int": lambda lib: [2**70, 1],
    "an int64": lambda lib: [2**63 - 1, -(2**63)],
    "mixed numbers": lambda lib: [1, 2.5],
    "floats": lambda lib: [1.5, 2],
    "bool and int": lambda lib: [True, False],
    "texts": lambda lib: ["a", "b"],
    "bytes": lambda lib: (b"a", b"b"),
    "arrays": lambda lib: [np.ones(2), np.zeros(2)],
    "arrays of float32": lambda lib: [np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)],
    "0-d arrays": lambda lib: [np.array(1), np.array(2)],
    "array subclass": lambda lib: [np.ones(2).view(type("Own", (np.ndarray,), {})), np.ones(2)],
    "arrays of texts": lambda lib: [np.array(["a"])],
    "arrays of objects": lambda lib: [np.array([None])],
    "array sizes": lambda lib: [np.ones(2), np.ones(3)],
    "numpy numbers": lambda lib: [np.float32(1.5), np.float32(2.5)],
    "numpy ints": lambda lib: [np.int8(1), np.int8(2)],
    "numpy bools": lambda lib: [np.bool_(1), np.bool_(0)],
    "numpy doubles": lambda lib: [np.float64(1.5), np.float64(2.5)],  # they are floats, too
    "numpy texts": lambda lib: [np.str_("a")],
    "tuples": lambda lib: [(t(lib, 1), 2, "a"), (t(lib, 3), 4, "b")],
    "lists": lambda lib: [[1, "a"], [2, "b"]],
    "lists of lists": lambda lib: [[[1], [2.0]], [[3], [4.0]]],
    "lengths": lambda lib: [[1, 2], [1]],
    "no items": lambda lib: [(), ()],
    "ranges": lambda lib: [range(2), range(2)],
    "dicts": lambda lib: [{"a": 1, "b": t(lib, 1)}, {"a": 2, "b": t(lib, 2)}],
    "more keys": lambda lib: [{"a": 1}, {"a": 2, "c": 3}],
    "less keys": lambda lib: [{"a": 1, "c": 2}, {"a": 2}],
    "ordered": lambda lib: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "default": lambda lib: [collections.defaultdict(list, a=1)] * 2,
    "proxies": lambda lib: [types.MappingProxyType({"a": 1})] * 2,
    "own mapping": lambda lib: [Named(a=1), Named(a=2)],
    "own list": lambda lib: [Texts([1]), Texts([2])],
    "frozen": lambda lib: [Frozen(1, 2), Frozen(3, 4)],
    "named": lambda lib: [Point(1, t(lib, 1)), Point(2, t(lib, 2))],
    "deque": lambda lib: [collections.deque([1, 2])] * 2,
    "nothing": lambda lib: [None],
    "an object": lambda lib: [Ellipsis],
    "a nested object": lambda lib: [{"a": [object]}],
    "no samples": lambda lib: [],
    "sets": lambda lib: [{1}],
    "complex": lambda lib: ["a", 1],
}


@pytest.mark.parametrize("name", BATCHES)
def test_default_collate(name):
    same(lambda lib: lib.utils.data.default_collate(BATCHES[name](lib)))


@pytest.mark.parametrize("name", BATCHES)
def test_default_convert(name):
    same(lambda lib: [lib.utils.data.default_convert(sample) for sample in BATCHES[name](lib)])


def test_own_mapping_keeps_its_attributes():
    sample = Named(a=1)
    sample.label = "changed"
    assert npg.utils.data.default_collate([sample, sample]).label == "changed"
    assert npg.utils.data.default_convert(sample).label == "changed"


def test_tensors_are_copied_and_arrays_shared():
    array = np.ones(3)
    converted = npg.utils.data.default_convert({"a": array})["a"]
    converted[0] = 5
    assert array[0] == 5
    tensor = npg.ones(3)
    npg.utils.data.default_collate([tensor])[0, 0] = 5
    assert tensor[0] == 1


def test_gradients_flow_through_a_batch():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        lib.utils.data.default_collate([x, x * 2]).sum().backward()
        return x.grad

    same(program)


def test_functions_by_type():
    class Own:
        pass

    def program(lib):
        c = lib.utils.data._utils.collate

        def of_tensors(batch, *, collate_fn_map):
            return ["tensors", len(batch)]

        def of_own(batch, *, collate_fn_map):
            return ["own", len(batch)]

        mine = {lib.Tensor: of_tensors, (Own, complex): of_own}
        return [
            c.collate([(lib.ones(1), Own())] * 2, collate_fn_map=mine),
            c.collate([1j], collate_fn_map=mine),
            c.collate([lib.nn.Parameter(lib.ones(1))], collate_fn_map=mine),
            [str(kind).replace("torch", "npg") for kind in list(c.default_collate_fn_map)[1:]],
        ]

    same(program)
    with pytest.raises(TypeError, match="default_collate: batch must contain tensors"):
        of_npg.collate([npg.ones(1)])


def test_a_replaced_function_also_applies_to_tensor_datasets():
    def program(lib):
        c, d = lib.utils.data._utils.collate, lib.utils.data
        before = c.default_collate_fn_map[lib.Tensor]
        c.default_collate_fn_map[lib.Tensor] = lambda batch, *, collate_fn_map: len(batch)
        try:
            batches = list(d.DataLoader(d.TensorDataset(lib.ones(3)), batch_size=2))
            return [batches, d.default_collate([np.ones(2)])]
        finally:
            c.default_collate_fn_map[lib.Tensor] = before

    same(program)


def test_pin_memory():
    class Own:
        def pin_memory(self):
            return "pinned"

    data = {"a": [Own(), "text", 3], "b": Point(Own(), (Own(), b"x")), "c": Texts([1])}
    assert pin_memory(data) == {"a": ["pinned", "text", 3], "b": Point("pinned", ("pinned", b"x")), "c": Texts([1])}
    with pytest.raises(RuntimeError, match="Cannot access accelerator device"):
        pin_memory(npg.ones(1))
