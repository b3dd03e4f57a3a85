"""Calls of npg whose arrays lie in memory in every way (layouts.py), with values and gradients; see test_layouts.py.

    python -m tests.layout_runs [end | start] [op_db]      print a digest of the bits of each; with memory guarded

KERNELS are calls at sizes where fast ways begin, written out as text; op_db's samples are small, and of all ops.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import npg
from npg.engine import TensorBase, run_backward, wrap
from npg.nn import functional as F  # noqa: F401  (the kernels' text)

from .layouts import LAYOUTS

Array = np.ndarray[Any, Any]
Layout = Callable[[Array], Array | None]

# A call of x, y, z, w, and their shapes; an integer in front of a shape: integers below it.
KERNELS = """
x @ y | [(64, 128), (128, 96)]
x @ y | [(5, 7), (7, 3)]
x @ y | [(4, 16, 64), (64, 48)]
x @ y | [(3, 1, 4), (4, 2)]
x @ y | [(1, 3, 4), (4, 1)]
x @ y | [(64, 1), (1, 64)]
x @ y | [(1, 200), (200, 100)]
x @ y | [(3, 40, 30), (3, 30, 20)]
x @ y | [(3, 1, 30), (3, 30, 1)]
x @ y | [(2, 1, 70, 64), (3, 64, 65)]
x @ y | [(70, 64), (64,)]
x @ y | [(64,), (64, 70)]
x @ y | [(1000,), (1000,)]
x @ y | [(70, 1), (1,)]
F.linear(x, y, z) | [(16, 4, 64), (128, 64), (128,)]
F.linear(x, y, z) | [(16, 1, 64), (1, 64), (1,)]
F.linear(x, y, z) | [(1, 64), (128, 64), (128,)]
F.linear(x, y, z) | [(8, 1), (128, 1), (128,)]
F.linear(x, y) | [(1, 9, 1, 64), (32, 64)]
F.linear(x, y, z) | [(300, 64), (512, 64), (512,)]
F.linear(x, y, z) | [(64,), (128, 64), (128,)]
F.batch_norm(x, None, None, y, z, True) | [(4, 16, 8, 8), (16,), (16,)]
F.batch_norm(x, None, None, y, z, True) | [(32, 16), (16,), (16,)]
F.batch_norm(x, y, z.abs() + 1, y, z) | [(4, 16, 8, 8), (16,), (16,)]
F.group_norm(x, 4, y, z) | [(2, 16, 8, 8), (16,), (16,)]
F.conv2d(x, y, z, padding=1) | [(2, 32, 24, 24), (32, 32, 3, 3), (32,)]
F.conv2d(x, y, z, 2, 1) | [(3, 5, 17, 16), (20, 5, 3, 3), (20,)]
F.conv2d(x, y, z, 1, 2) | [(3, 5, 17, 16), (20, 5, 5, 5), (20,)]
F.conv2d(x, y, z, 1, 1, groups=12) | [(2, 12, 20, 20), (24, 1, 3, 3), (24,)]
F.conv2d(x, y) | [(4, 64, 9, 9), (48, 64, 1, 1)]
F.conv2d(x, y) | [(4, 6, 5, 5), (48, 6, 5, 5)]
F.conv3d(x, y, z, 2, 1, 2) | [(2, 4, 9, 9, 9), (8, 4, 3, 3, 3), (8,)]
F.conv_transpose2d(x, y, z, 2, 1) | [(3, 20, 9, 8), (20, 6, 4, 4), (6,)]
F.max_pool2d(x, 2) | [(3, 5, 16, 17)]
F.max_pool2d(x, 3, 2, 1) | [(3, 5, 16, 17)]
F.avg_pool2d(x, 3, 2, 1) | [(3, 5, 16, 17)]
F.interpolate(x, scale_factor=2) | [(2, 3, 8, 9)]
F.interpolate(x, scale_factor=1.5, mode="bilinear") | [(2, 3, 8, 9)]
F.layer_norm(x, (64, ), y, z) | [(4, 16, 64), (64,), (64,)]
F.layer_norm(x, (1, ), y, z) | [(4, 16, 1), (1,), (1,)]
F.layer_norm(x, (16, 64), y, z) | [(4, 16, 64), (16, 64), (16, 64)]
F.layer_norm(x, (33, )) | [(1, 5, 33)]
F.layer_norm(x, (700, )) | [(1, 1, 700)]
F.softmax(x, -1) | [(8, 1, 300)]
F.softmax(x, 0) | [(8, 300)]
F.softmax(x, 1) | [(8, 30, 5)]
F.softmax(x, 1) | [(8, 1, 5)]
F.log_softmax(x, -1) | [(8, 1, 300)]
F.log_softmax(x, 1) | [(8, 30, 5)]
F.cross_entropy(x, y) | [(64, 65), [65, (64,)]]
F.cross_entropy(x, y) | [(1, 65, 16), [65, (1, 16)]]
F.cross_entropy(x, y, label_smoothing=.1, reduction='none') | [(64, 65), [65, (64,)]]
F.cross_entropy(x, y, z * z + 1, label_smoothing=.1) | [(64, 1, 6), [1, (64, 6)], (1,)]
F.cross_entropy(x, y) | [(64, 65), (64, 65)]
F.nll_loss(x, y) | [(1, 65, 16), [65, (1, 16)]]
F.gelu(x) | [(40, 1, 100)]
F.gelu(x, approximate='tanh') | [(40, 1, 100)]
F.gelu(x, approximate='tanh') | [(300, 1, 200)]
F.silu(x) | [(40, 1, 100)]
F.silu(x) | [(300, 300)]
npg.sigmoid(x) | [(40, 1, 100)]
F.softplus(x) | [(30, 1, 50)]
F.mish(x) | [(30, 1, 50)]
F.elu(x) | [(30, 1, 50)]
F.hardswish(x) | [(30, 1, 50)]
npg.erf(x) | [(30, 1, 50)]
npg.erfinv(x / 9) | [(30, 1, 5)]
F.logsigmoid(x) | [(30, 1, 50)]
F.glu(x) | [(30, 1, 50)]
F.prelu(x, y) | [(30, 1, 50), (1,)]
F.prelu(x, y) | [(30, 7, 1), (7,)]
F.embedding(x, y) | [[50, (4, 1, 8)], (50, 64)]
F.embedding(x, y) | [[50, (8, 1)], (50, 1)]
npg.norm(x) | [(1, 400)]
F.rms_norm(x, (64, ), y) | [(3, 1, 64), (64,)]
F.normalize(x, dim=-1) | [(3, 1, 64)]
F.scaled_dot_product_attention(x, y, z) | [(2, 3, 20, 8), (2, 3, 20, 8), (2, 3, 20, 8)]
F.scaled_dot_product_attention(x, y, z, is_causal=True) | [(2, 3, 70, 8), (2, 3, 70, 8), (2, 3, 70, 8)]
F.scaled_dot_product_attention(x, y, z) | [(2, 1, 20, 1), (2, 1, 20, 1), (2, 1, 20, 1)]
F.scaled_dot_product_attention(x, y, z) | [(1, 3, 1, 8), (1, 3, 20, 8), (1, 3, 20, 4)]
F.scaled_dot_product_attention(x, y, z) | [(1, 3, 20, 8), (1, 3, 1, 8), (1, 3, 1, 4)]
F.scaled_dot_product_attention(x, y, z) | [(3, 20, 8), (3, 30, 8), (3, 30, 1)]
F.scaled_dot_product_attention(x, y, z, w) | [(2, 3, 20, 8), (2, 3, 20, 8), (2, 3, 20, 8), (1, 1, 20, 20)]
F.scaled_dot_product_attention(x, y, z, w) | [(2, 3, 20, 8), (2, 3, 20, 8), (2, 3, 20, 8), (2, 1, 1, 20)]
x.sum(0) | [(50, 1, 60)]
x.sum(1) | [(50, 1, 60)]
x.mean() | [(50, 1, 60)]
x.var(1) | [(6, 50, 1, 10)]
x.std(-1) | [(50, 1, 60)]
x.cumsum(0) | [(50, 1, 60)]
x.logsumexp(-1) | [(50, 1, 60)]
x.prod(-1) | [(50, 1, 6)]
x.max(0)[0] | [(50, 1, 60)]
x.sort(-1)[0] | [(50, 1, 60)]
x.topk(5)[0] | [(5, 1, 60)]
x.median() | [(5, 1, 61)]
x.gather(-1, y) | [(5, 1, 60), [60, (5, 1, 9)]]
x[y] | [(50, 1, 6), [50, (9,)]]
npg.take(x, y) | [(50, 1, 6), [300, (9, 1)]]
x.index_add(0, y, z) | [(50, 6), [50, (9,)], (9, 6)]
x.index_select(0, y) | [(50, 1, 6), [50, (9,)]]
x.scatter(0, y, z) | [(50, 6), [50, (1, 6)], (1, 6)]
x.scatter_add(0, y, z) | [(50, 6), [50, (50, 6)], (50, 6)]
npg.where(x>0, y, z) | [(50, 1), (50, 60), (1, 60)]
npg.cat([x, y], 1) | [(5, 1, 60), (5, 3, 60)]
npg.stack([x, y], 1) | [(5, 1, 60), (5, 1, 60)]
npg.einsum('bij, bjk->ik', x, y) | [(3, 1, 30), (3, 30, 20)]
npg.tensordot(x, y, 2) | [(3, 4, 1), (4, 1, 2)]
F.bilinear(x, y, z, w) | [(4, 5), (4, 6), (1, 5, 6), (1,)]
npg.kron(x, y) | [(1, 3), (4, 1)]
x.unfold(0, 3, 2) | [(9, 1, 4)]
npg.linalg.det(x) | [(3, 1, 1)]
npg.linalg.inv(x) | [(4, 4)]
npg.linalg.solve(x, y) | [(1, 4, 4), (1, 4, 1)]
npg.linalg.cholesky(x @ x.mT + 9 * npg.eye(4, dtype=x.dtype)) | [(1, 4, 4)]
npg.linalg.svdvals(x) | [(1, 4, 1)]
npg.linalg.qr(x)[1] | [(1, 4, 3)]
npg.linalg.eigvalsh(x @ x.mT) | [(1, 4, 4)]
((x * y + y).tanh() * x).exp().sum() | [(4, 1, 5), (4, 1, 5)]
x * y-y / x | [(4, 1, 5), (3, 1)]
x + y * 2.0 | [(3, 1), (3, 1)]
F.pad(x, (1, 2), mode='replicate') | [(1, 3, 5)]
x.roll(1, 0) | [(5, 1, 3)]
x.repeat(2, 1, 3) | [(5, 1, 3)]
npg.repeat_interleave(x, 2, 0) | [(5, 1, 3)]
F.mse_loss(x, y) | [(40, 1, 30), (40, 1, 30)]
F.smooth_l1_loss(x, y) | [(40, 1, 30), (40, 1, 30)]
F.binary_cross_entropy_with_logits(x, y.sigmoid()) | [(40, 1), (40, 1)]
F.kl_div(x, y.exp(), reduction='batchmean') | [(4, 1), (4, 1)]
F.cosine_similarity(x, y) | [(4, 1), (4, 1)]
x.tril() | [(4, 1, 5)]
x.flip(0) | [(4, 1, 5)]
x.diagonal(0, 0, 2) | [(4, 1, 5)]
x.clamp(-1, 1) | [(4, 1, 5)]
x.lerp(y, .3) | [(4, 1, 5), (1, 5)]
npg.addmm(x, y, z, beta=.5) | [(1, 70), (40, 64), (64, 70)]
npg.addmm(x, y, z) | [(1, 70), (40, 1), (1, 70)]
npg.baddbmm(x, y, z) | [(2, 1, 7), (2, 4, 6), (2, 6, 7)]
npg.addr(x, y, z) | [(5, 1), (5,), (1,)]
npg.addbmm(x, y, z) | [(4, 7), (3, 4, 1), (3, 1, 7)]
npg.outer(x, y) | [(5,), (1,)]
x.t() @ y.t() | [(128, 64), (96, 128)]
x.unsqueeze(1).expand(-1, 3, -1).transpose(0, 1) @ x.t() | [(5, 8)]
"""


# ----- Calls -----


class Call:
    """A function of arrays, which are tensors that require grad where they are floating."""

    def __init__(self, name: str, function: Callable[..., Any], arrays: list[Array], leaves: list[bool]) -> None:
        self.name, self.function, self.arrays, self.leaves = name, function, arrays, leaves

    def run(self, arrays: list[Array], of_gradients: Layout | None = None) -> list[Array | None]:
        """Return the results and the gradients of the leaves: of a random linear function of the results."""
        xs = [wrap(a) for a in arrays]
        for x, is_leaf in zip(xs, self.leaves, strict=True):
            if is_leaf:
                x._set_requires_grad(True)
        npg.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            ys = list(tensors_in(self.function(*xs)))
        found: list[Array | None] = [y._array.copy() for y in ys]
        ys = [y for y in ys if y.requires_grad]
        leaves = [x for x in xs if x.requires_grad]
        if not ys or not leaves:
            return found
        gs = []
        for i, y in enumerate(ys):
            g = np.asarray(np.random.default_rng(i).standard_normal(y.shape)).astype(y._array.dtype)
            other = of_gradients(g) if of_gradients else None
            gs.append(wrap(g if other is None else other))
        grads = run_backward(tuple(ys), tuple(gs), False, False, tuple(leaves), False)
        return found + [None if g is None else g._array.copy() for g in grads]


def tensors_in(x: Any) -> Iterator[Any]:
    if isinstance(x, TensorBase):
        yield x
    elif isinstance(x, (list, tuple)):
        for v in x:
            yield from tensors_in(v)


def kernels(dtype: str) -> Iterator[Call]:
    """Yield the calls of KERNELS in a floating dtype."""
    rng = np.random.default_rng(0)
    for line in KERNELS.strip().split("\n"):
        text, _, shapes = line.rpartition(" | ")
        arrays = []
        for shape in eval(shapes):
            drawn = rng.standard_normal(shape) if isinstance(shape, tuple) else rng.integers(0, *shape)
            arrays.append(drawn.astype(dtype) if drawn.dtype.kind == "f" else drawn)
        function = eval(f"lambda x, y=None, z=None, w=None: {text}")
        yield Call(line, function, arrays, [a.dtype.kind == "f" for a in arrays])


def laid_out(arrays: list[Array], layout: Layout, which: int | None) -> list[Array] | None:
    """Return the arrays, all or one of them in a layout; None where none of them can lie so."""
    others = [layout(a) if which in (None, i) else None for i, a in enumerate(arrays)]
    if all(other is None for other in others):
        return None
    return [a.copy() if other is None else other for a, other in zip(arrays, others, strict=True)]


def outcome(call: Callable[[], list[Array | None]]) -> list[Array | None] | str:
    """Return what a call returns, or its error as text."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def digests(calls: Iterator[Call]) -> Iterator[tuple[str, str]]:
    """Yield a name and a digest of the bits of each call in each layout."""
    for call in calls:
        for name, layout in LAYOUTS.items():
            arrays = laid_out(call.arrays, layout, None)
            if arrays is None:
                continue
            found = outcome(lambda call=call, arrays=arrays, layout=layout: call.run(arrays, layout))
            bits = (
                found.encode()
                if isinstance(found, str)
                else b"|".join(b"" if a is None else a.tobytes() for a in found)
            )
            yield f"{name}: {call.name}", hashlib.sha1(bits).hexdigest()


if __name__ == "__main__":
    if {"end", "start"} & {*sys.argv}:
        from .guarded import guard

        guard("end" if "end" in sys.argv else "start")
    if "op_db" in sys.argv:
        from torch.testing._internal import common_utils

        from .layout_samples import sampled

        common_utils.extract_test_fn = lambda: None  # looks for a test in all frames, at each sample: takes minutes
        chosen: list[Iterator[Call]] = [sampled(1)]
    else:
        chosen = [kernels("f4"), kernels("f8")]
    for number, group in enumerate(chosen):
        for what, digest in digests(group):
            print(number, what.replace("\n", " "), digest, sep="\t")
