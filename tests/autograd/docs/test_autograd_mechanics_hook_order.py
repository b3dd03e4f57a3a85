"""PyTorch's page "Autograd mechanics", section "Backward Hooks execution": the order of hooks in random graphs.

The hooks of leaves and nodes run in torch's order, with the same gradients. PyTorch promises no order among
leaves that are complete at the same time; npg takes the order that torch takes there.
"""

import random

import pytest
import torch

import npg


def events(lib, seed):
    """Return which hooks ran, in order, and the gradients, for the random program number `seed`."""
    rng, log = random.Random(seed), []
    leaves = [lib.tensor([i + 1.0], dtype=lib.float64, requires_grad=True) for i in range(4)]
    for i, x in enumerate(leaves):
        if rng.random() < 0.7:
            x.register_hook(lambda g, i=i: log.append(("tensor", i, round(g.item(), 6))))
        if rng.random() < 0.7:
            x.register_post_accumulate_grad_hook(lambda t, i=i: log.append(("stored", i, round(t.grad.item(), 6))))
    pool = list(leaves)
    for k in range(12):
        a, b = rng.choice(pool), rng.choice(pool)
        y = rng.choice(
            [
                lambda a, b: a * b,
                lambda a, b: a + b,
                lambda a, b: a.sin(),
                lambda a, b: a.view(1),
                lambda a, b: lib.cat([a, b]).split(1)[1],
            ]
        )(a, b)
        y.register_hook(lambda g, k=k: log.append(("node", k)))
        pool.append(y)
    loss = sum(y.sum() for y in pool[-4:])
    way = rng.choice(["backward", "inputs", "grad"])
    if way == "backward":
        loss.backward()
    elif way == "inputs":
        loss.backward(inputs=[leaves[0], leaves[2]])
    else:
        grads = lib.autograd.grad(loss, leaves[:3], allow_unused=True)
        log.append([None if g is None else round(g.item(), 6) for g in grads])
    return log, [None if x.grad is None else round(x.grad.item(), 6) for x in leaves]


@pytest.mark.parametrize("block", range(4))
def test_hooks_of_random_graphs_run_as_in_torch(block):
    for seed in range(50 * block, 50 * block + 50):
        try:
            expected = events(torch, seed)
        except RuntimeError:  # no leaf of inputs= takes part
            with pytest.raises(RuntimeError):
                events(npg, seed)
        else:
            assert events(npg, seed) == expected, seed
