"""Every function that npg has of PyTorch's op_db, mapped over a batch: the same as a loop, by whatever way.

Samples are those of tests/test_op_db.py. Batched are the first tensor alone, all of them, and all but the first.
"""

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg
from npg.utils._pytree import tree_flatten, tree_unflatten

from ..helpers import Unsupported, to_npg
from ..test_op_db import UNDEFINED, forms

pytestmark = pytest.mark.usefixtures("quick_samples")

B = 3
SAMPLES = 4
OPS = {f"{op.name}-{op.variant_test_name}": op for op in op_db if op.name not in UNDEFINED}


def samples(op):
    """Yield (leaves, spec) of the arguments of some samples, spread over all of them."""
    try:
        given = list(op.sample_inputs("cpu", torch.float64))
    except Exception:
        return
    for s in given[:: max(len(given) // SAMPLES, 1)][:SAMPLES]:
        try:
            yield tree_flatten(to_npg(((s.input, *s.args), dict(s.kwargs))))
        except Unsupported:
            continue


def examples(a, seed):
    """Return a and variations of it, stacked."""
    rng = np.random.default_rng(seed)
    if a.dtype.kind == "f":
        return np.stack([a, *[a * (0.5 + 0.4 * rng.random(a.shape)) for _ in range(B - 1)]])
    return np.stack([a, *[rng.permuted(a.reshape(-1)).reshape(a.shape) for _ in range(B - 1)]])


def expected_of(f, batched):
    """Return the leaves of a loop over the examples, stacked; None where there is nothing to compare."""
    try:
        rows = [tree_flatten(f(*[x[i] for x in batched]))[0] for i in range(B)]
    except Exception:
        return None  # a sample that these other values do not fit
    if not all(
        isinstance(x, npg.Tensor) and x.shape == y.shape for row in rows for x, y in zip(row, rows[0], strict=True)
    ):
        return None  # shapes that depend on values
    return [np.stack([row[n].numpy() for row in rows]) for n in range(len(rows[0]))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPS)
def test_vmap_of_op_is_a_loop_over_examples(name):
    op = OPS[name]
    found = [form for form in forms(op) if form.name == "function"]
    if not found:
        return
    for leaves, spec in samples(op):
        places = [i for i, x in enumerate(leaves) if isinstance(x, npg.Tensor)]
        for which in {tuple(places[:1]), tuple(places), tuple(places[1:])} - {()}:
            batched = [npg.tensor(examples(leaves[i].numpy(force=True), i)) for i in which]

            def f(*xs, leaves=leaves, spec=spec, which=which):
                own = [x.detach().clone() if isinstance(x, npg.Tensor) else x for x in leaves]
                for i, x in zip(which, xs, strict=True):
                    own[i] = x.clone()
                args, kwargs = tree_unflatten(own, spec)
                npg.manual_seed(0)
                return found[0].npg_fn(*args, **kwargs)

            expected = expected_of(f, batched)
            if expected is None:
                continue
            try:
                result = tree_flatten(npg.func.vmap(f, randomness="same")(*batched))[0]
            except RuntimeError as error:  # PyTorch refuses it in the same words
                assert "running_mean or running_var, which will be updated in place, were not batched" in str(error)
                continue
            for y, e in zip(result, expected, strict=True):
                assert y.numpy().shape == e.shape and y.numpy().dtype == e.dtype
                np.testing.assert_allclose(y.numpy(), e, rtol=1e-8, atol=1e-10)
