"""Trees of tensors through the transforms: what functions with several results return, dicts of every kind, errors."""

import collections
import importlib

import npg
from npg.utils._pytree import tree_flatten, tree_unflatten

from .comparing import same, tensors


def test_results_with_names_are_trees():
    for f in (lambda x: x.topk(2), lambda x: x.max(0), lambda x: x.sort(descending=True)):
        same(lambda lib, f=f: lib.func.vmap(f)(tensors(lib, (2, 3))))
        same(lambda lib, f=f: lib.func.jvp(f, (tensors(lib, (3,)),), (tensors(lib, (3,), seed=1),)))
        same(lambda lib, f=f: lib.func.jacfwd(f)(tensors(lib, (3,))))
        same(lambda lib, f=f: lib.func.vjp(f, tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda t: (t.values * 2).sum())(tensors(lib, (3,)).topk(2)), text=False)


def test_results_with_names_and_defaultdicts_come_back_as_what_they_were():
    tree = {"a": npg.ones(3).topk(2), "b": collections.defaultdict(list, c=npg.ones(1)), "s": (npg.ones(2),)}
    leaves, spec = tree_flatten(tree)
    again = tree_unflatten(leaves, spec)
    assert type(again["a"]) is type(tree["a"]) and again["a"].values is leaves[0]
    assert again["b"].default_factory is list and again["b"]["c"] is tree["b"]["c"]
    assert type(again["s"]) is tuple
    assert spec == tree_flatten(again)[1] and spec != tree_flatten({**tree, "b": collections.defaultdict(dict, c=1)})[1]


def test_gradient_of_a_defaultdict_is_one():
    def call(lib, cls):
        found = lib.func.grad(lambda d: (d["a"] ** 2).sum())(cls(list, a=tensors(lib, (3,))))
        assert type(found) is cls and found.default_factory is list
        return dict(found)

    same(lambda lib: call(lib, collections.defaultdict))


class Pair:
    def __init__(self, a, b):
        self.a, self.b = a, b


def test_registered_classes_are_trees():
    def call(lib):
        pytree = importlib.import_module(f"{lib.__name__}.utils._pytree")
        pytree.register_pytree_node(Pair, lambda pair: ([pair.a, pair.b], None), lambda parts, _: Pair(*parts))
        try:
            pair = Pair(tensors(lib, (2, 3)), tensors(lib, (2, 3), seed=1))
            product = lib.func.vmap(lambda p: Pair(p.a * p.b, p.a))(pair)
            slope = lib.func.grad(lambda p: (p.a * p.b).sum())(pair)
            return product.a, product.b, slope.a, slope.b
        finally:
            pytree._deregister_pytree_node(Pair)

    same(call)
