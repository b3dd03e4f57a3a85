"""Every batching rule against a loop over the examples: values, and gradients through the batch."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import npg
from npg import ops
from npg.engine import apply
from npg.ops import fill, linalg, pooling
from npg.ops._kinds import ASSIGNMENT, ELEMENTWISE, REDUCTION
from npg.ops._op import ARITHMETIC, OPS, primitive

F = npg.nn.functional
B = 3


def floats(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 0.9, shape)


def ints(high, *shape):
    return np.random.default_rng(1).integers(0, high, shape)


A, V, M, N = floats(3, 4), floats(4, seed=1), floats(4, 2, seed=2), floats(3, 4, seed=3)
S = floats()
BATCHES = floats(2, 3, 4), floats(2, 4, 3, seed=4)
CHANNELS = floats(2, 3, 4, 2)
PLANES = floats(1, 2, 4, 5)
PLACED, PLACES = floats(2, 3, 4), (np.arange(24) * 5 % 12).reshape(2, 3, 4)
SQUARE = floats(3, 3) + 3 * np.eye(3)

LOG_P = np.log(floats(3, 2, 4))
A23 = (BATCHES[0], BATCHES[1].swapaxes(1, 2)[:1])
IMAGES = floats(2, 4, 5, 4)


def weigh(x, y, groups):
    settings = {"kernel": (3, 3), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": groups}
    return ops.conv.convolution_weight(x, y, **settings)


# Name: (function, arguments of one example). All arrays among them are batched, in every combination.
CASES = {
    "add": (lambda x, y: x + y, A, V),
    "mul rank": (lambda x, y: x * y, V, A),
    "mul 0-d": (lambda x, y: x * y, S, A),
    "div": (lambda x: 1 / x, A),
    "pow": (lambda x, y: x**y, A, A),
    "pow number": (lambda x: x**3, A),
    "maximum": (npg.maximum, A, N),
    "where": (lambda x, y: npg.where(x > y, x, y), A, V),
    "masked_fill": (lambda x, y: x.masked_fill(y > 0.5, -1.0), A, N),
    "clamp": (lambda x: x.clamp(0.3, 0.6), A),
    "lerp": (npg.lerp, A, N, S),
    "addcmul": (npg.addcmul, A, V, N),
    "cast": (lambda x: x.float().double(), A),
    "int": (lambda x: (x * 10).long() // 3, A),
    "prelu": (F.prelu, A, floats(1)),
    "logical": (lambda x, y: (x > 0.5) & ~(y > 0.5), A, V),
    "isclose": (npg.isclose, A, N),
    "tril": (lambda x: x.tril() + x.triu(1), A),
    **{
        name: (getattr(F, name), A)
        for name in (
            "relu gelu silu mish softplus elu celu leaky_relu hardtanh hardswish hardsigmoid logsigmoid softsign "
            "tanhshrink softshrink hardshrink"
        ).split()
    },
    **{
        name: (getattr(npg, name), A)
        for name in (
            "exp log sqrt rsqrt sin tanh sigmoid erf abs neg square reciprocal floor round sign expm1 log1p atan"
        ).split()
    },
    "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), A),
    "glu": (F.glu, A),
    **{
        f"{name} {dim} {keep}": (lambda x, name=name, dim=dim, keep=keep: getattr(npg, name)(x, dim, keepdim=keep), A)
        for name in ("sum", "mean", "var", "std", "amax", "amin", "logsumexp", "nansum", "nanmean", "any", "all")
        for dim, keep in ((0, False), (-1, True), ((0, 1), True))
        if name not in ("any", "all") or isinstance(dim, int)
    },
    **{
        f"{name} all": (getattr(npg, name), A)
        for name in "sum mean var std max min prod argmax argmin any all norm count_nonzero".split()
    },
    **{f"{name} 0-d": (getattr(npg, name), S) for name in "sum mean max min prod argmax amax logsumexp".split()}
    | {"logsumexp 0-d": (lambda x: x.logsumexp(0), S), "softmax 0-d": (lambda x: x.softmax(0), S)},
    "prod dim": (lambda x: x.prod(1), A),
    "argmax dim": (lambda x: x.argmax(0, keepdim=True), A),
    "argmax keepdim": (lambda x: x.argmax(keepdim=True), A),
    "max dim": (lambda x: x.max(1).values, A),
    "var_mean": (lambda x: sum(npg.var_mean(x, 0)), A),
    "aminmax": (lambda x: sum(npg.aminmax(x)), A),
    "median dim": (lambda x: x.median(0).values, A),
    "norm dim": (lambda x: npg.linalg.vector_norm(x, 3, 1), A),
    "cumsum": (lambda x: x.cumsum(0), A),
    "cumprod": (lambda x: x.cumprod(1), A),
    "cummax": (lambda x: x.cummax(1).values, A),
    "sort": (lambda x: x.sort(0).values, A),
    "topk": (lambda x: x.topk(2).values, A),
    "argsort": (lambda x: x.argsort(), A),
    "softmax": (lambda x: x.softmax(0), A),
    "log_softmax": (lambda x: x.log_softmax(-1), A),
    "reshape": (lambda x: x.reshape(2, -1), A),
    "view": (lambda x: x.view(12) * 2, A),
    "view of strided": (lambda x: x.view(3, 2, 2).sum(1), A),
    "flatten": (lambda x: x.flatten(), BATCHES[0]),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(), A),
    "squeeze dim": (lambda x: x[None].unsqueeze(-1).squeeze(0).squeeze(1), A),
    "expand": (lambda x: x.expand(2, 3, 4), A),
    "expand 0-d": (lambda x: x.expand(2, 3), S),
    "transpose": (lambda x: x.transpose(0, 1).contiguous(), A),
    "T": (lambda x: x.T @ x, A),
    "t of vector": (lambda x: x.t() * 2, V),
    "permute": (lambda x: x.permute(2, 0, 1), BATCHES[0]),
    "movedim": (lambda x: x.movedim(0, -1), BATCHES[0]),
    "select": (lambda x: x.select(1, 2) + npg.narrow(x, 1, 0, 1)[:, 0], A),
    "slice": (lambda x: x[1:, ::2], A),
    "getitem": (lambda x: x[..., None, 1], A),
    "split": (lambda x: npg.cat(x.split(2, 1)[::-1], 1), A),
    "unbind": (lambda x: sum(x.unbind(0)), A),
    "chunk": (lambda x: x.chunk(2, -1)[1], A),
    "unfold": (lambda x: x.unfold(1, 2, 1), A),
    "diagonal": (lambda x: x.diagonal(1), A),
    "flip": (lambda x: x.flip(0), A),
    "repeat": (lambda x: x.repeat(2, 1, 2), A),
    "cat": (lambda x, y: npg.cat([x, y], 0), A, N),
    "stack": (lambda x, y: npg.stack([x, y], -1), A, N),
    "stack 0-d": (lambda x, y: npg.stack([x, y]), S, S + 1),
    "index": (lambda x, i: x[i], A, ints(3, 5)),
    "index two": (lambda x, i, j: x[i, j], A, ints(3, 5), ints(4, 5)),
    "index second": (lambda x, i: x[:, i], A, ints(4, 5)),
    "index 0-d": (lambda x, i: x[i], A, ints(3)),
    "gather": (lambda x, i: x.gather(1, i), A, ints(4, 3, 2)),
    "embedding": (lambda i, w: F.embedding(i, w), ints(3, 5), A),
    "scatter": (lambda x, i, y: x.scatter(1, i, y), A, ints(4, 3, 2), N),
    "scatter number": (lambda x, i: x.scatter(1, i, 2.0), A, ints(4, 3, 2)),
    "scatter_add": (lambda x, i, y: x.scatter_add(0, i, y), A, ints(3, 2, 4), N),
    "scatter_reduce": (lambda x, i, y: x.scatter_reduce(1, i, y, "amax"), A, ints(4, 3, 2), N),
    "roll": (lambda x: x.roll(1, 0), A),
    "roll all": (lambda x: x.roll(5), A),
    "rot90": (lambda x: x.rot90(), A),
    "diag_embed": (lambda x: x.diag_embed(1, 0, 2), A),
    "repeat_interleave": (lambda x: x.repeat_interleave(2, 1), A),
    "constant_pad": (lambda x: F.pad(x, (1, 2, -1, 0), value=3.0), A),
    "index_pad": (lambda x: F.pad(x, (1, 2), mode="reflect"), A),
    "cross": (npg.linalg.cross, floats(2, 3), floats(2, 3, seed=1)),
    "matmul": (npg.matmul, A, M),
    "matmul vectors": (npg.matmul, V, V + 1),
    "matmul vector matrix": (npg.matmul, V, M),
    "matmul matrix vector": (npg.matmul, A, V),
    "matmul batches": (npg.matmul, *BATCHES),
    "matmul batch matrix": (npg.matmul, BATCHES[0], M),
    "matmul batch vector": (npg.matmul, BATCHES[0], V),
    "matmul vector batch": (npg.matmul, V, BATCHES[1]),
    "mm": (npg.mm, A, M),
    "mv": (npg.mv, A, V),
    "dot": (npg.dot, V, V + 1),
    "bmm": (npg.bmm, *BATCHES),
    "outer": (npg.outer, V, V + 1),
    "einsum": (lambda x, y: npg.einsum("ij,jk->ki", x, y), A, M),
    "einsum product": (lambda x, y: npg.einsum("ij,ij->i", x, y), A, N),
    "addmm": (lambda c, x, y: npg.addmm(c, x, y, beta=0.5, alpha=2), floats(3, 2), A, M),
    "baddbmm": (npg.baddbmm, floats(2, 3, 3), *BATCHES),
    "addr": (npg.addr, A, floats(3), V),
    "linear": (F.linear, A, floats(5, 4), floats(5)),
    "linear vector": (F.linear, V, floats(5, 4), floats(5)),
    "linear one row": (F.linear, A[:1], floats(5, 4), floats(5)),
    "linear batch": (F.linear, BATCHES[0], floats(5, 4), floats(5)),
    "linear no bias": (F.linear, A, floats(5, 4)),
    "convolution": (lambda x, w, b: npg.conv2d(x, w, b, 2, 1), IMAGES, floats(2, 4, 3, 2), floats(2)),
    "convolution groups": (lambda x, w: npg.conv2d(x, w, groups=2), IMAGES, floats(6, 2, 3, 2)),
    "convolution_transpose": (
        lambda x, w, b: npg.conv_transpose2d(x, w, b, 2, 1),
        IMAGES,
        floats(4, 2, 3, 2),
        floats(2),
    ),
    "convolution_transpose groups": (
        lambda x, w: npg.conv_transpose2d(x, w, groups=2),
        IMAGES,
        floats(4, 3, 3, 2),
    ),
    "convolution_weight": (lambda x, y: weigh(x, y, 1), IMAGES, floats(2, 2, 3, 2)),
    "convolution_weight groups": (lambda x, y: weigh(x, y, 2), IMAGES, floats(2, 4, 3, 2)),
    "im2col": (lambda x: F.unfold(x, 2, padding=1), IMAGES),
    "col2im": (lambda x: F.fold(x, (3, 4), 2), floats(2, 8, 6)),
    "upsample": (lambda x: F.interpolate(x, (3, 6), mode="bilinear"), IMAGES),
    "upsample antialias": (lambda x: F.interpolate(x, (3, 6), mode="bicubic", antialias=True), IMAGES),
    "pixel_shuffle": (lambda x: npg.pixel_shuffle(x, 2), IMAGES),
    "pixel_unshuffle": (lambda x: npg.pixel_unshuffle(x[:, :, :4], 2), IMAGES),
    "channel_shuffle": (lambda x: npg.channel_shuffle(x, 2), IMAGES),
    "grid_sampler, grid_cells": (lambda x, g: F.grid_sample(x, g, align_corners=False), IMAGES, floats(2, 3, 3, 2)),
    "affine_grid": (lambda t: F.affine_grid(t, (2, 1, 3, 4), False), floats(2, 2, 3)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (4,), w, b), A, V, V - 1),
    "layer_norm two": (lambda x: F.layer_norm(x, (3, 4)), BATCHES[0]),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), CHANNELS, floats(3), floats(3, seed=1)),
    "frozen_batch_norm": (lambda x, m, v: F.batch_norm(x, m, v), CHANNELS, floats(3), floats(3, seed=1)),
    "group_norm": (lambda x, w, b: F.group_norm(x, 3, w, b), CHANNELS, floats(3), floats(3, seed=1)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (4,), w), A, V),
    "attention": (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), A, A + 1, A - 1),
    "attention heads": (F.scaled_dot_product_attention, BATCHES[0], BATCHES[0] + 1, BATCHES[0] * 2),
    "inv": (npg.linalg.inv, SQUARE),
    "det": (npg.linalg.det, SQUARE),
    "matrix_exp": (npg.matrix_exp, SQUARE),
    "householder_product": (npg.linalg.householder_product, SQUARE, V[:2]),
    "geqrf": (lambda x: npg.geqrf(x.detach())[0], A),
    "slogdet": (lambda x: npg.linalg.slogdet(x)[1], SQUARE),
    "cholesky": (lambda x: npg.linalg.cholesky(x @ x.T), SQUARE),
    **{
        f"{name} {reduction}": (lambda x, y, name=name, r=reduction: getattr(F, name)(x, y, reduction=r), A, N)
        for name in (
            "mse_loss smooth_l1_loss huber_loss l1_loss binary_cross_entropy binary_cross_entropy_with_logits "
            "soft_margin_loss"
        ).split()
        for reduction in ("mean", "sum", "none")
    },
    "bce weight": (lambda x, y, w: F.binary_cross_entropy(x, y, w), A, N, V),
    **{
        f"{name} {k}": (lambda x, t, name=name, k=k: getattr(F, name)(x, t, **k), A, ints(4, 3))
        for name in ("cross_entropy", "nll_loss")
        for k in (
            {},
            {"reduction": "sum"},
            {"reduction": "none"},
            {"ignore_index": 2},
            {"weight": npg.tensor([0.1, 0.2, 0.3, 0.4], dtype=npg.float64), "ignore_index": 1},
            *([{"label_smoothing": 0.1}, {"label_smoothing": 0.1, "ignore_index": 0}] if name[0] == "c" else []),
        )
    },
    "cross_entropy vector": (F.cross_entropy, V, ints(4)),
    "cross_entropy image": (F.cross_entropy, BATCHES[0], ints(3, 2, 4)),
    "cross_entropy probabilities": (lambda x, p: F.cross_entropy(x, p.softmax(1)), A, N),
    "max_pool": (lambda x: F.max_pool2d(x, 2), PLANES),
    "largest": (lambda x: F.max_pool1d(x.detach(), 2), A),
    "fractional_max_pool": (lambda x, s: F.fractional_max_pool2d(x, 2, 3, _random_samples=s), PLANES, floats(1, 2, 2)),
    "avg_pool": (lambda x: F.avg_pool2d(x, 3, 2, 1), PLANES),
    "avg_pool adaptive": (lambda x: F.adaptive_avg_pool2d(x, 3), PLANES),
    "avg_pool_back": (
        lambda g: apply(pooling.avg_pool_back, (g,), {"size": (4, 7), "windows": ((3, 4),)}),
        PLANES[..., :3, :4],
    ),
    "max_unpool": (lambda x, at: apply(pooling.max_unpool, (x, at), {"size": (5, 5)}), PLACED, PLACES),
    "put_sums": (lambda x, at: apply(pooling.put_sums, (x, at), {"size": (5, 5)}), PLACED, PLACES // 2),
    "picked": (lambda x, at: apply(pooling.picked, (x, at), {"dims": 2}), PLANES[0], PLACES // 2),
}


def adjoint(f):
    """Return a function whose result is the gradient of sum(f(x) ** 2), by the adjoints of f's ops."""
    return npg.func.grad(lambda x, *others: (f(x, *others) ** 2).sum())


CASES |= {
    **{
        f"adjoint of {name}": (adjoint(CASES[name][0]), *CASES[name][1:])
        for name in (
            "select",
            "slice",
            "getitem",
            "diagonal",
            "unfold",
            "index",
            "index two",
            "index second",
            "gather",
            "index_pad",
        )
    },
    "adjoint of grid_sampler: spread_pixels, weigh_pixels, read_pixels": (
        adjoint(lambda g, x: F.grid_sample(x, g, align_corners=False)),
        floats(2, 3, 3, 2),
        IMAGES,
    ),
    "adjoint of embedding": (adjoint(lambda w, i: F.embedding(i, w)), A, ints(3, 5)),
    "adjoint of take": (adjoint(npg.take), A, ints(12, 2, 3)),
    "adjoint of matrix_exp: derivative": (adjoint(npg.matrix_exp), SQUARE),
    "adjoint of its own": (adjoint(adjoint(lambda x, i: x[i])), A, ints(3, 5)),
    "adjoint of embedding's": (adjoint(adjoint(lambda w, i: F.embedding(i, w))), A, ints(3, 5)),
    "take": (npg.take, A, ints(12, 2, 3) - 6),
    "put": (lambda x, i, y: npg.put(x, i, y), A, ints(12, 5) - 6, V[[0, 1, 2, 3, 0]]),
    "put accumulate": (lambda x, i, y: npg.put(x, i, y, accumulate=True), A, ints(12, 4), V),
    "index_put": (lambda x, y, i: npg.index_put(x, (i,), y), A, floats(5, 4), ints(3, 5)),
    "index_put one value": (lambda x, y, i: npg.index_put(x, (i,), y), A, S, ints(3, 5)),
    "index_put accumulate": (
        lambda x, y, i, j: npg.index_put(x, (i, j), y, accumulate=True),
        A,
        floats(5),
        ints(3, 5),
        ints(4, 5),
    ),
    "index_copy second": (lambda x, y, i: x.index_copy(1, i, y), A, floats(3, 2), np.array([2, 1])),
    "index_add": (lambda x, y: x.index_add(0, npg.tensor([2, 0]), y), A, floats(2, 4)),
    "index_copy": (lambda x, y: x.index_copy(1, npg.tensor([2, 0]), y), A, floats(3, 2)),
    "index_fill": (lambda x: x.index_fill(1, npg.tensor([2, 0]), 3.0), A),
    "fill": (lambda x, y: apply(fill.fill, (x, y), {}), A, S),
    "trace": (npg.trace, A),
    "dist": (npg.dist, A, V),
    "cdist": (lambda x, y: npg.cdist(x, y, 1.5), *A23),
    "cdist products": (lambda x, y: npg.cdist(x, y, compute_mode="use_mm_for_euclid_dist"), A, N[:2]),
    "pdist": (npg.pdist, A),
    "ctc_loss": (
        lambda x: F.ctc_loss(x, npg.tensor([[1, 2], [2, 2]]), (2, 3), (1, 2), reduction="none"),
        LOG_P,
    ),
    "solve": (npg.linalg.solve, SQUARE, floats(3, 2)),
    "solve vector": (npg.linalg.solve, SQUARE, floats(3)),
    "solve_triangular": (lambda x, y: npg.linalg.solve_triangular(x, y, upper=True), SQUARE, floats(2, 3, 2)),
    "lstsq": (lambda x, y: apply(linalg.lstsq, (x, y), {"rcond": None}), A.T, floats(4, 2)),
    "pinv": (lambda x: apply(linalg.pinv, (x,), {"tolerance": None}), A),
    "qr": (lambda x: sum(y.abs().sum() for y in npg.linalg.qr(x)), A),
    "view_dtype": (lambda x: x.view(npg.int64), A),
    "recurrence": (adjoint(lambda x: x.cumprod(0)), A * (A > 0.4)),
}
# Where a later index, or a number alone is batched.
LOOPED = {"index second", "index 0-d", "adjoint of index second", "index_copy second"}
CONSTANT = {
    "fractional_max_pool": {1},
    "bce weight": {2},
    "frozen_batch_norm": {1, 2},
    **{f"soft_margin_loss {r}": {1} for r in ("mean", "sum", "none")},
}  # no gradient, as in torch


def batches(arrays, which, constant=()):
    """Return for each array a tensor, with B different examples where it is one of `which`; `constant`: no leaves."""
    rng = np.random.default_rng(7)
    made = []
    for n, a in enumerate(arrays):
        if n in which:
            change = (
                (lambda x: x * rng.uniform(0.6, 1.1)) if a.dtype.kind == "f" else (lambda x: (x + 1) % (x.max() + 1))
            )
            a = np.stack([a, *[change(a) for _ in range(B - 1)]])
        made.append(npg.tensor(a, requires_grad=a.dtype.kind == "f" and n not in constant))
    return made


def looped(f, args, which):
    return npg.stack([f(*[x[i] if n in which else x for n, x in enumerate(args)]) for i in range(B)])


def gradients(y, args):
    wanted = [x for x in args if x.requires_grad]
    if not y.requires_grad:
        return []
    weights = npg.tensor(floats(*y.shape, seed=11))
    return npg.autograd.grad(y, wanted, weights, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("name", CASES)
def test_rule_gives_what_a_loop_gives(name):
    f, *arrays = CASES[name]
    for bits in range(1, 2 ** len(arrays)):
        which = {n for n in range(len(arrays)) if bits >> n & 1}
        args = batches(arrays, which, CONSTANT.get(name, ()))
        with npg.func.vmap_report() as report:
            found = npg.func.vmap(f, tuple(0 if n in which else None for n in range(len(arrays))))(*args)
        if name not in LOOPED:
            assert not report.looped
        expected = looped(f, args, which)
        assert found.shape == expected.shape and found.dtype is expected.dtype
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-13)
        assert found.requires_grad == expected.requires_grad
        for g, e in zip(gradients(found, args), gradients(expected, args), strict=True):
            np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["matmul", "linear", "softmax", "sum all", "getitem", "cat", "cross_entropy {}", "div"]
)
def test_rule_nests(name):
    f, *arrays = CASES[name]
    inner = [np.stack([a, a if a.dtype.kind != "f" else a * 0.5]) for a in arrays]
    args = [npg.tensor(np.stack([a, a, a if a.dtype.kind != "f" else a + 0.1])) for a in inner]
    found = npg.func.vmap(npg.func.vmap(f))(*args)
    expected = npg.stack([npg.stack([f(*[x[i, j] for x in args]) for j in range(2)]) for i in range(3)])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-10)


def test_every_rule_has_its_case():
    # The ops that the cases reach, and those that share a rule with one of them.
    source = inspect.getsource(inspect.getmodule(test_every_rule_has_its_case))
    others = set(
        "mode kthvalue logcumsumexp cummin contract vector_norm reverse_cumsum cofactor index_pad diagonal_copy "
        "addmv svd eigh embedding_double_backward scatter_sum ties row_top".split()
    )
    kinds = (ELEMENTWISE.batch, ASSIGNMENT.batch, REDUCTION.batch)
    for op in OPS:
        if op.batch_rule is not None and op.batch_rule not in kinds and op.name not in others:
            assert op.name.removesuffix("_dim").removesuffix("_backward") in source, op.name


# Run on one example after the other, for they have no batching rule and no composite.
WITHOUT_A_RULE = set(
    "as_strided bernoulli coefficients copy_slices embedding_bag fill_by has_zero masked_put masked_scatter "
    "masked_select median nanmedian padded poisson rrelu_slopes strided_clear strided_gather strided_scatter "
    "unique unique_consecutive unique_dim".split()
)


def test_ops_without_a_batching_rule_are_these():
    for module in pkgutil.iter_modules(ops.__path__):
        importlib.import_module(f"npg.ops.{module.name}")
    declared = [op for op in OPS if op.__module__.startswith("npg.ops.")]
    assert {op.name for op in declared if op.batch_rule is None and op.composite is None} == WITHOUT_A_RULE


def test_an_op_that_broadcasts_and_reduces_is_looped_and_right():
    """What an op does to dimensions follows from its declared kind, not from the shapes that it takes."""

    @primitive(lambda g, _y, _a, b: g * b, lambda g, _y, a, _b: g * a, promote=ARITHMETIC, broadcasts=True)
    def inner(input, other):
        """Return the sum of input * other."""
        return np.asarray(np.sum(input * other))

    OPS.remove(inner)
    a, b = npg.tensor(A), npg.tensor(N)
    with npg.func.vmap_report() as report:
        y = npg.func.vmap(lambda x, y: apply(inner, (x, y), {}))(a, b)
    assert y.shape == (3,) and report.looped["inner"] == 1
    np.testing.assert_allclose(y.numpy(), (A * N).sum(1))
