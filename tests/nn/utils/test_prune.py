"""Pruning against torch: masks, parameters, repeated and global pruning, removal, errors."""

import numpy as np
import pytest
import torch
from torch.nn.utils import prune as torch_prune

import npg
from npg.nn.utils import prune

LIBS = [(npg, prune), (torch, torch_prune)]
rng = np.random.default_rng(0)
WEIGHT, KERNEL = rng.standard_normal((6, 5)), rng.standard_normal((4, 3, 2, 2))


def modules(lib):
    made = []
    for module, values in ((lib.nn.Linear(5, 6), WEIGHT), (lib.nn.Conv2d(3, 4, 2), KERNEL)):
        module.double()
        with lib.no_grad():
            module.weight.copy_(lib.tensor(values))
            module.bias.copy_(lib.arange(len(values)) - 2.5)
        made.append(module)
    return made


def state(*modules):
    """Return what can be seen of modules: names in their order, values, hooks."""
    seen = []
    for module in modules:
        seen.append([(name, value.detach().numpy().tolist()) for name, value in module.state_dict().items()])
        seen.append([name for name, _ in module.named_parameters()])
        seen.append((module.weight.detach().numpy().tolist(), module.weight.is_leaf, module.bias.is_leaf))
        for hook in module._forward_pre_hooks.values():
            inner = [type(m).__name__ for m in hook] if type(hook).__name__ == "PruningContainer" else []
            seen.append((type(hook).__name__, hook._tensor_name, inner))
    return seen


CALLS = {
    "identity": lambda p, a, b, lib: p.identity(a, "weight"),
    "l1": lambda p, a, b, lib: p.l1_unstructured(a, "weight", 0.3),
    "l1 count": lambda p, a, b, lib: p.l1_unstructured(b, "bias", amount=2),
    "l1 scores": lambda p, a, b, lib: p.l1_unstructured(a, "bias", 3, importance_scores=lib.arange(6.0)),
    "none": lambda p, a, b, lib: p.l1_unstructured(a, "weight", 0),
    "all": lambda p, a, b, lib: p.l1_unstructured(a, "weight", 1.0),
    "random": lambda p, a, b, lib: p.random_unstructured(a, "weight", 0.5),
    "random channels": lambda p, a, b, lib: p.random_structured(b, "weight", 2, dim=1),
    "norms": lambda p, a, b, lib: p.ln_structured(b, "weight", 0.5, n=2, dim=0),
    "largest": lambda p, a, b, lib: p.ln_structured(a, "weight", 2, n=float("inf"), dim=-1),
    "given": lambda p, a, b, lib: p.custom_from_mask(a, "bias", lib.tensor([0, 1, 0, 1, 1, 0])),
    "twice": lambda p, a, b, lib: p.l1_unstructured(p.random_unstructured(a, "weight", 0.2), "weight", 0.5),
    "thrice": lambda p, a, b, lib: p.random_unstructured(
        p.ln_structured(p.ln_structured(b, "weight", 1, 1, 0), "weight", 0.5, 2, 1), "weight", 3
    ),
    "global": lambda p, a, b, lib: p.global_unstructured(
        [(a, "weight"), (b, "weight"), (b, "bias")], p.L1Unstructured, amount=0.4
    ),
    "global after": lambda p, a, b, lib: p.global_unstructured(
        [(p.l1_unstructured(a, "weight", 5), "weight"), (b, "bias")],
        p.L1Unstructured,
        {(b, "bias"): lib.zeros(4, dtype=lib.float64)},
        amount=10,
    ),
    "removed": lambda p, a, b, lib: p.remove(p.l1_unstructured(a, "weight", 0.3), "weight"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_pruned_modules_are_like_torch(call):
    seen = []
    for lib, p in LIBS:
        a, b = modules(lib)
        lib.manual_seed(3)
        result = call(p, a, b, lib)
        assert result in (None, a, b)
        seen.append((state(a, b), p.is_pruned(a), p.is_pruned(lib.nn.Sequential(a, b))))
    assert seen[0] == seen[1]


def test_training_leaves_pruned_entries_zero():
    seen = []
    for lib, p in LIBS:
        a, _ = modules(lib)
        p.l1_unstructured(a, "weight", 0.5)
        optimizer = lib.optim.SGD(a.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            a(lib.ones(2, 5, dtype=lib.float64)).square().sum().backward()
            optimizer.step()
        assert (a.weight_orig.grad[a.weight_mask == 0] == 0).all()
        p.remove(a, "weight")
        assert isinstance(a.weight, lib.nn.Parameter) and not a._forward_pre_hooks
        seen.append(a.weight.detach().numpy())
    np.testing.assert_allclose(*seen, rtol=1e-12)
    assert (seen[0] == 0).sum() == 15


def test_method_prunes_a_tensor():
    seen = []
    for lib, p in LIBS:
        t, scores = lib.tensor(WEIGHT), lib.tensor(WEIGHT[::-1].copy())
        mask = (t > -1).double()
        results = [p.L1Unstructured(7).prune(t), p.L1Unstructured(7).prune(t, mask, scores)]
        results += [p.LnStructured(2, 1, 0).prune(t, default_mask=mask)]
        seen.append([result.numpy().tolist() for result in results])
    assert seen[0] == seen[1]
    t = npg.tensor(WEIGHT)
    assert npg.equal(prune.L1Unstructured(7).prune(t.T), prune.L1Unstructured(7).prune(t).T)  # PyTorch refuses


class TestErrors:
    CASES = {
        "type": lambda p, a, lib: p.l1_unstructured(a, "weight", "half"),
        "negative": lambda p, a, lib: p.random_unstructured(a, "weight", -1),
        "fraction": lambda p, a, lib: p.random_structured(a, "weight", 1.5, 0),
        "more": lambda p, a, lib: p.l1_unstructured(a, "weight", 31),
        "vector": lambda p, a, lib: p.LnStructured(1, 2, 0).prune(lib.ones(3)),
        "dim": lambda p, a, lib: p.ln_structured(a, "weight", 1, 2, 2),
        "name": lambda p, a, lib: p.identity(a, "wait"),
        "scores": lambda p, a, lib: p.l1_unstructured(a, "weight", 1, lib.ones(3)),
        "mask": lambda p, a, lib: p.custom_from_mask(a, "weight", lib.ones(3)),
        "remove": lambda p, a, lib: p.remove(a, "weight"),
        "structured": lambda p, a, lib: p.global_unstructured([(a, "weight")], p.LnStructured, amount=1, n=2),
        "iterable": lambda p, a, lib: p.global_unstructured(3, p.L1Unstructured, amount=1),
        "dict": lambda p, a, lib: p.global_unstructured([(a, "weight")], p.L1Unstructured, [1], amount=1),
        "container": lambda p, a, lib: p.PruningContainer().add_pruning_method(3),
        "unused": lambda p, a, lib: p.L1Unstructured(1).prune(lib.ones(3), importance_scores=lib.ones(2)),
    }

    @pytest.mark.parametrize("call", CASES.values(), ids=CASES)
    @pytest.mark.parametrize("before", [0, 1])
    def test_refused_call_is_torchs_and_changes_nothing(self, call, before):
        raised = []
        for lib, p in LIBS:
            a, _ = modules(lib)
            if before:
                p.l1_unstructured(a, "bias", 1)
            was = state(a)
            with pytest.raises(Exception) as caught:
                call(p, a, lib)
            raised.append((caught.type, str(caught.value).replace("npg", "torch")))
            if lib is npg:
                assert state(a) == was
        assert raised[0] == raised[1]

    def test_second_pruning_that_fails_leaves_the_first(self):
        a, _ = modules(npg)
        prune.l1_unstructured(a, "weight", 20)
        prune.l1_unstructured(a, "weight", 5)
        was = state(a)
        with pytest.raises(ValueError, match="amount=9 should be smaller"):
            prune.l1_unstructured(a, "weight", 9)
        assert state(a) == was

    @pytest.mark.parametrize("kind", ["structured", "other"])
    def test_method_of_unknown_kind_is_refused(self, kind):
        raised = []
        for lib, p in LIBS:
            a, _ = modules(lib)
            members = {"PRUNING_TYPE": kind, "compute_mask": lambda self, t, default_mask: default_mask}
            method = type("Method", (p.BasePruningMethod,), members)
            method.apply(a, "weight")
            with pytest.raises((AttributeError, ValueError)) as caught:
                method.apply(a, "weight")
            raised.append((caught.type, str(caught.value)))
        assert raised[0] == raised[1]
