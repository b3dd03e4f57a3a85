"""npg.utils._pytree: trees are taken apart and put together as in PyTorch."""

import collections
import copy
import dataclasses
import inspect
import pickle

import pytest
import torch
import torch.utils._pytree as theirs

import npg
import npg.utils._pytree as own
from tests.transcripts import check_transcript

SETUP = """
from collections import OrderedDict as OD, defaultdict as DD, deque as DQ, namedtuple
P = torch.utils._pytree
NT = namedtuple("NT", "a b"); NT2 = namedtuple("NT2", "a b")
class Box: __init__ = lambda s, x: setattr(s, "x", x); __repr__ = lambda s: f"Box({s.x})"
class Empty: pass
"""

FLATTEN = """
P.tree_flatten([1, (2, {"a": 3})])
P.tree_flatten({"b": 1, "a": [2, None]})
P.tree_flatten(None)
P.tree_flatten(NT(1, [2]))
P.tree_flatten(OD(b=1, a=2))
P.tree_flatten(DD(list, {"x": 1}))
P.tree_flatten(DQ([1, 2], maxlen=3))
P.tree_flatten(Box(1))
P.tree_flatten(torch.Size([1, 2]))
P.tree_flatten(torch.ones(2, 2).max(dim=0))
P.tree_flatten([[], {}, ()])
P.tree_flatten([1, (2, 3)], is_leaf=lambda x: isinstance(x, tuple))
P.tree_leaves([1, (2, {"a": 3})])
P.tree_leaves(iter([1])) != []
list(P.tree_iter([1, [2]]))
P.arg_tree_leaves(1, [2], a={"b": 3})
P.tree_is_leaf(1)
P.tree_is_leaf([1])
P.tree_is_leaf([1], is_leaf=lambda x: True)
P._is_leaf(1)
P.tree_unflatten([1, 2, 3], P.tree_structure([0, (0, {"a": 0})]))
P.tree_unflatten(iter([1, 2, 3]), P.tree_structure([0, (0, {"a": 0})]))
P.tree_unflatten([1, 2], P.tree_structure([0, (0, {"a": 0})]))
P.tree_unflatten([1, 2], P.treespec_leaf())
P.tree_unflatten([1, 2, 3], 3)
P.tree_structure([1, (2, {"a": 3})])
s = P.tree_structure([1, (2, {"a": 3})])
(s.num_leaves, s.num_nodes, s.num_children, s.type, s.context, s.is_leaf())
s.children()
s.child(1)
s.child(4)
s.children_specs
s.unflatten([5, 6, 7])
P.tree_structure([1, 2]) == P.tree_structure([3, 4])
P.tree_structure([1]) != P.tree_structure((1,))
P.tree_structure({"a": 1, "b": 2}) == P.tree_structure({"b": 1, "a": 2})
hash(P.tree_structure([1, {"a": 2}])) == hash(P.tree_structure([3, {"a": 4}]))
P.tree_structure([1, [2]]).flatten_up_to([5, [6]])
P.tree_structure([1, [2]]).flatten_up_to([5, 6])
P.tree_structure([1, 2]).flatten_up_to([5, (6, 7)])
P.tree_structure([1, 2]).flatten_up_to([5])
P.tree_structure({"a": 1, "b": 2}).flatten_up_to({"b": 5, "a": 6})
P.tree_structure({"a": 1}).flatten_up_to({"b": 5})
P.tree_structure({"a": 1}).flatten_up_to(OD(a=5))
P.tree_structure(DD(list, a=1)).flatten_up_to({"a": 1})
P.tree_structure(DQ([1])).flatten_up_to(DQ([1], maxlen=4))
P.tree_structure(NT(1, 2)).flatten_up_to(NT2(1, 2))
P._broadcast_to_and_flatten(1, P.tree_structure([1, [2]]))
P._broadcast_to_and_flatten([1, 2], P.tree_structure([1, [2, 3]]))
P._broadcast_to_and_flatten([1], P.tree_structure([1, [2, 3]]))
P._broadcast_to_and_flatten([1], P.tree_structure((1,)))
P.treespec_leaf()
P.treespec_tuple([P.treespec_leaf()])
P.treespec_tuple([1])
P.treespec_dict({"a": P.treespec_leaf()})
P.LeafSpec()
isinstance(P.treespec_leaf(), P.LeafSpec)
P.TreeSpec(list, None, [P.treespec_leaf()])
P.PyTreeSpec is P.TreeSpec
(P.is_namedtuple(NT(1, 2)), P.is_namedtuple(NT), P.is_namedtuple_class(NT), P.is_namedtuple_instance(NT))
(P.is_namedtuple((1,)), P.is_namedtuple(3), P.is_structseq((1,)), P.is_structseq(3))
P.is_structseq(torch.ones(2, 2).max(dim=0))
P.is_structseq(__import__("time").gmtime())
P.tree_structure(__import__("time").gmtime())
"""

MAPS = """
P.tree_map(lambda x: x + 1, [1, (2, {"a": 3})])
P.tree_map(lambda x, y: (x, y), [1, (2,)], [3, (4,)])
P.tree_map(lambda x, y: (x, y), [1, (2,)], [3, [4]])
P.tree_map(lambda x, y: (x, y), [1, 2], [3])
P.tree_map(lambda x, y: (x, y), {"a": 1, "b": 2}, {"b": 3, "a": 4})
P.tree_map(lambda x, y: (x, y), [1, 2], [3, (4, 5)])
P.tree_map(lambda x: x, torch.Size([1]))
type(P.tree_map(lambda x: x, torch.ones(2, 2).max(dim=0))).__name__
P.tree_map(lambda x: x, NT(1, OD(a=2)))
seen = []
P.tree_map_(seen.append, [1, (2,)])
seen
P.tree_map_only(int, lambda x: x + 1, [1, "a", 2.0])
P.tree_map_only((int, float), lambda x: x + 1, [1, "a", 2.0])
P.tree_map_only(int | float, lambda x: x + 1, [1, "a", 2.0])
P.tree_map_only(lambda x: x == 1, lambda x: x + 1, [1, 2])
P.tree_map_only(3, lambda x: x + 1, [1])
P.tree_map_only(int, 3, [1])
P.tree_map_only(torch.Tensor, lambda t: t.sum(), {"a": torch.ones(2), "b": 1})
P.tree_map_only_(int, lambda x: x + 1, [1, [2]])
P.map_only(int)(lambda x: x + 1)(3)
P.map_only(int)(lambda x: x + 1)("a")
P.tree_all(lambda x: x > 0, [1, 2])
P.tree_any(lambda x: x > 1, [1, 2])
P.tree_all_only(int, lambda x: x > 0, [1, "a"])
P.tree_any_only(int, lambda x: x > 0, [0, "a"])
(P.tree_all(bool, []), P.tree_any(bool, []))
P.tree_flatten_with_path([1, (2, {"a": 3}), NT(4, 5)])
P.tree_leaves_with_path({"a": [1]})
P.tree_flatten_with_path([1, [2]], is_leaf=lambda x: isinstance(x, list) and len(x) == 1)[0]
P.tree_flatten_with_path(DQ([1]))
P.tree_map_with_path(lambda p, x: (P.keystr(p), x), [1, (2, {"a": 3}), NT(4, 5), OD(k=1)])
P.tree_map_with_path(lambda p, x, y: (P.keystr(p), x, y), [1, 2], [3, 4])
P.keystr((P.SequenceKey(0), P.MappingKey("a"), P.GetAttrKey("b")))
P.key_get([1, {"a": 5}], (P.SequenceKey(1), P.MappingKey("a")))
P.GetAttrKey("a").get(NT(1, 2))
P.SequenceKey(0) == P.SequenceKey(0)
"""

REGISTER = """
P.register_pytree_node(Box, lambda b: ([b.x], None), lambda c, ctx: Box(*c))
P.register_pytree_node(Box, lambda b: ([b.x], None), lambda c, ctx: Box(*c))
P.tree_map(lambda x: x + 1, [Box(1)])
P.tree_structure([Box(1)])
P.tree_flatten_with_path([Box(1)])
P.treespec_dumps(P.tree_structure(Box(1)))
P.register_pytree_node(list, lambda x: (x, None), lambda c, x: c)
P._deregister_pytree_node(Box)
P.tree_structure([Box(1)])
P.register_pytree_node(type('C', (), {}), lambda b: ([], 1), lambda c, x: 1, to_dumpable_context=str)
P.register_pytree_node(Box, lambda b: ([b.x], b.x), lambda c, ctx: Box(*c))
P.tree_structure(Box(1)).flatten_up_to(Box(2))
P._register_pytree_node(Box, lambda b: ([b.x], None), lambda c, ctx: Box(*c))
import dataclasses
DC = dataclasses.make_dataclass("DC", ["a", "b"])
P.register_dataclass(DC)
P.tree_flatten(DC(1, [2]))
P.tree_map(lambda x: x * 2, DC(1, [2]))
P.tree_flatten_with_path(DC(1, [2]))[0]
P.register_dataclass(dataclasses.make_dataclass("DC3", ["a", "b"]), field_names=["a"])
P.register_dataclass(Empty)
P.register_constant(Box)
P.register_constant(DC)
FC = dataclasses.make_dataclass("FC", ["a"], frozen=True)
P.register_constant(FC)
P.tree_flatten([FC(1)])
P.tree_unflatten([], P.tree_structure(FC(1)))
(P.is_constant_class(FC), P.is_constant_class(Box))
P.register_pytree_node(Empty, lambda b: ([], 1), lambda c, x: 1, serialized_type_name="Empty.of.test")
P.treespec_dumps(P.tree_structure(Empty()))
P.treespec_loads(P.treespec_dumps(P.tree_structure(Empty())))
"""

TEXT = """
P.treespec_dumps(P.tree_structure([1, (2, {"a": 3})]))
P.treespec_loads(P.treespec_dumps(P.tree_structure([1, (2, {"a": 3})])))
P.treespec_dumps(P.tree_structure(OD(a=1)))
P.treespec_dumps(P.tree_structure(DD(list, a=1)))
P.treespec_loads(P.treespec_dumps(P.tree_structure(DD(list, a=1))))
P.treespec_dumps(P.tree_structure(DQ([1], maxlen=2)))
P.treespec_dumps(P.tree_structure(torch.Size([1])))
P.treespec_dumps(P.tree_structure(NT(1, 2)))
P._register_namedtuple(NT, serialized_type_name="NT.of.test")
P.treespec_dumps(P.tree_structure(NT(1, 2)))
P.treespec_loads(P.treespec_dumps(P.tree_structure(NT(1, 2))))
P.treespec_dumps(3)
P.treespec_dumps(P.treespec_leaf(), protocol=3)
P.treespec_loads('[2, {}]')
P.treespec_loads("x")
P.treespec_loads('[1, {"type": "x", "context": "null", "children_spec": []}]')
P.treespec_pprint(P.tree_structure([1, (2, {"a": 3})]))
"""


@pytest.mark.parametrize("lines", [FLATTEN, MAPS, REGISTER, TEXT], ids=["flatten", "maps", "register", "text"])
def test_trees_are_pytorchs(lines):
    check_transcript(SETUP + lines)


def test_names_and_parameters_are_pytorchs():
    for name in sorted(set(theirs.__all__)):
        mine, reference = getattr(own, name), getattr(theirs, name)
        if inspect.isfunction(reference):
            assert list(inspect.signature(mine).parameters) == list(inspect.signature(reference).parameters), name


def test_structures_are_copied_and_pickled():
    spec = own.tree_structure([1, {"a": (2,)}])
    assert copy.deepcopy(spec) == spec == pickle.loads(pickle.dumps(spec))


def test_deep_trees_and_many_leaves():
    tree = 1
    for _ in range(200):
        tree = [tree, 2]
    assert own.tree_map(lambda x: x, tree) == tree
    wide = {str(i): [i] for i in range(10_000)}
    assert own.tree_leaves(own.tree_map(lambda x: x + 1, wide)) == list(range(1, 10_001))


def test_tensors_of_a_batch_are_mapped():
    batch = {"x": npg.ones(2, 3), "y": [npg.zeros(2), "label"], "n": 3}
    moved = own.tree_map_only(npg.Tensor, lambda t: t.to(npg.float64), batch)
    assert moved["x"].dtype == moved["y"][0].dtype == npg.float64 and moved["n"] == 3
    reference = theirs.tree_leaves({"x": torch.ones(2, 3), "y": [torch.zeros(2), "label"], "n": 3})
    assert len(own.tree_leaves(batch)) == len(reference) == 4


def test_fields_without_a_value_are_put_back():
    for module in (own, theirs):
        point = dataclasses.make_dataclass("Point", [("x", int), ("y", int, None)])
        module.register_dataclass(point)
        leaves, spec = module.tree_flatten(point(1))
        assert leaves == [1] and module.tree_unflatten([5], spec) == point(5, None)


def test_default_dicts_keep_their_factory():
    tree = collections.defaultdict(list, a=[1])
    assert own.tree_map(lambda x: x, tree)["nothing"] == []
