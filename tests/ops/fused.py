"""Helpers for the tests of fused kernels: each has a fast backward and a recorded one, and both must be right."""

import numpy as np

from npg import engine
from tests.helpers import check_like_torch


def check_both(npg_fn, torch_fn, *args, second=True, rtol=None, atol=None, **kwargs):
    """Compare with torch: value and gradients by the fast backward, then by the recorded one, with second order."""
    check_like_torch(npg_fn, torch_fn, *args, second=False, rtol=rtol, atol=atol, **kwargs)
    if second:
        check_like_torch(npg_fn, torch_fn, *args, second=True, rtol=rtol, atol=atol, **kwargs)


def leaf(array, requires_grad=True):
    """Return a tensor that shares the array."""
    x = engine.wrap(array)
    x._set_requires_grad(requires_grad)
    return x


def gradients(y, *inputs, g=None, create_graph=False):
    """Return the gradients of y as ndarrays."""
    grads = engine.run_backward((y,), (None if g is None else engine.wrap(g),), True, create_graph, inputs, False)
    return [None if x is None else x._array for x in grads]


def check_composite(op, inputs, settings, rtol=1e-11, atol=1e-12):
    """Compare a fused op with its composite: value, and gradients by the fast and the recorded backward."""
    rng = np.random.default_rng(7)
    is_leaf = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in inputs]
    results = []
    for run in (
        lambda xs: engine.apply(op, xs, settings),
        lambda xs: op.composite(*xs, **settings),
    ):
        xs = tuple(leaf(x) if needs_grad else x for x, needs_grad in zip(inputs, is_leaf, strict=True))
        y = run(xs)
        results.append((xs, y))
    (xs, y), (cs, c) = results
    np.testing.assert_allclose(y._array, c._array, rtol, atol)
    g = np.asarray(rng.standard_normal(y._array.shape)).astype(y._array.dtype)
    needs_grad = [x for x, w in zip(xs, is_leaf, strict=True) if w]
    expected = gradients(c, *[x for x, w in zip(cs, is_leaf, strict=True) if w], g=g)
    for create_graph in (False, True):
        for a, b in zip(gradients(y, *needs_grad, g=g, create_graph=create_graph), expected, strict=True):
            if b is not None:
                np.testing.assert_allclose(a, b, rtol, atol)
