"""Trees of tensors through the transforms: what functions with several results return, dicts of every kind, errors."""

import collections

import npg
from npg.func._pytree import flatten, unflatten

from .comparing import same, tensors


def test_results_with_names_are_trees():
    for f in (lambda x: x.topk(2), lambda x: x.max(0), lambda x: x.sort(descending=True)):
        same(lambda lib, f=f: lib.func.vmap(f)(tensors(lib, (2, 3))))
        same(lambda lib, f=f: lib.func.jvp(f, (tensors(lib, (3,)),), (tensors(lib, (3,), seed=1),)))
        same(lambda lib, f=f: lib.func.jacfwd(f)(tensors(lib, (3,))))
        same(lambda lib, f=f: lib.func.vjp(f, tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda t: (t.values * 2).sum())(tensors(lib, (3,)).topk(2)), text=False)


def test_results_with_names_and_defaultdicts_come_back_as_what_they_were():
    tree = {"a": npg.ones(3).topk(2), "b": collections.defaultdict(list, c=npg.ones(1)), "s": npg.ones(2).shape}
    leaves, spec = flatten(tree)
    again = unflatten(leaves, spec)
    assert type(again["a"]) is type(tree["a"]) and again["a"].values is leaves[0]
    assert again["b"].default_factory is list and again["b"]["c"] is tree["b"]["c"]
    assert type(again["s"]) is npg.Size and again["s"] == (2,)
    assert spec == flatten(again)[1] and spec != flatten({**tree, "b": collections.defaultdict(dict, c=1)})[1]


def test_gradient_of_a_defaultdict_is_one():
    def call(lib, cls):
        found = lib.func.grad(lambda d: (d["a"] ** 2).sum())(cls(list, a=tensors(lib, (3,))))
        assert type(found) is cls and found.default_factory is list
        return dict(found)

    same(lambda lib: call(lib, collections.defaultdict))
