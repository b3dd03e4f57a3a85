"""batch_norm, instance_norm, group_norm and local_response_norm against torch."""

import math

import numpy as np
import pytest
import torch

import npg
from npg import engine
from npg.kernels import channels
from npg.nn import functional as F
from npg.ops import batchnorm as ops
from tests.helpers import assert_like, check_like_torch, strided
from tests.ops.fused import check_both, gradients, leaf
from tests.twins import agree, attempt

rng = np.random.default_rng(0)
TF = torch.nn.functional
# Rows of one image, of several images (few numbers in a channel), of one number in a channel.
SHAPES = [(5, 3), (4, 3, 5), (2, 6, 140), (3, 6, 12, 11), (70, 6, 3, 3), (2, 6, 2, 3, 2), (6, 3, 0), (1, 6, 4, 4)]


def normal(*shape, dtype=np.float64):
    return np.asarray(rng.standard_normal(shape)).astype(dtype)


def parameters(channels_, given, dtype=np.float64):
    return [normal(channels_, dtype=dtype) if name in given else None for name in "wb"]


def batch(functional, x, w, b):
    return functional.batch_norm(x, None, None, w, b, True)


def frozen(functional, x, w, b):
    c = x.shape[1]
    lib = npg if functional is F else torch
    return functional.batch_norm(x, lib.linspace(-1, 1, c).to(x.dtype), lib.linspace(0.5, 2, c).to(x.dtype), w, b)


def instance(functional, x, w, b):
    return functional.instance_norm(x, None, None, w, b)


def groups(functional, x, w, b):
    return functional.group_norm(x, 3, w, b)


def group(functional, x, w, b):
    return functional.group_norm(x, 1, w, b)


NORMS = [batch, frozen, instance, groups, group]


def fits(norm, shape):
    return norm is not instance or len(shape) > 2


# ----- Values and gradients -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", ["", "w", "b", "wb"])
@pytest.mark.parametrize("norm", NORMS)
def test_norm_is_like_torch(norm, given, dtype):
    if norm in (groups, group) and given == "b":
        return  # torch's backward fails
    for shape in SHAPES:
        # Of images of no numbers, torch's gradient of a group_norm's weight is nan.
        if fits(norm, shape) and not (norm in (groups, group) and math.prod(shape[2:]) < 2):
            tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype is np.float32 else {}
            arrays = [normal(*shape, dtype=dtype) * dtype(3) + dtype(1), *parameters(shape[1], given, dtype)]
            # torch's double backward of group_norm needs the input's gradient and a weight's.
            second = dtype is np.float64 and given in ("", "wb") and 0 not in shape
            check_both(lambda *a: norm(F, *a), lambda *a: norm(TF, *a), *arrays, second=second, **tolerance)


@pytest.mark.parametrize("norm", NORMS)
def test_norm_of_any_layout_is_like_torch(norm):
    w, b = normal(6), normal(6)
    x = normal(4, 6, 3, 5)
    for a in (
        strided(x),
        normal(6, 4, 3, 5).transpose(1, 0, 2, 3),
        normal(4, 12, 3, 5)[:, ::2],
        x[:, ::-1],
        x[:1, :, :1],
    ):
        check_like_torch(lambda *t: norm(F, *t), lambda *t: norm(TF, *t), a.copy("K"), w, b, second=False)
    one = np.lib.stride_tricks.as_strided(normal(24), (4, 6, 1, 1), (48, 8, 3, 5))
    if norm is not instance:
        check_like_torch(lambda *t: norm(F, *t), lambda *t: norm(TF, *t), one, w, b, second=False)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(4, 6, 3, 5), (2, 6, 3, 2, 4)])
def test_norm_of_channels_last_is_like_torch_in_values_and_strides(norm, shape):
    x, w, b, g = normal(*shape), normal(6), normal(6), normal(*shape)

    def program(lib):
        layout = lib.channels_last if len(shape) == 4 else lib.channels_last_3d
        leaves = [lib.from_numpy(a.copy()) for a in (x, w, b)]
        leaves[0] = leaves[0].to(memory_format=layout)
        for t in leaves:
            t.requires_grad_()
        y = norm(lib.nn.functional, *leaves)
        yield y.detach(), str(tuple(y.stride()))
        y.backward(lib.from_numpy(g))
        yield [t.grad for t in leaves]

    agree(program)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(40, 6, 12, 12), (40, 6, 4, 4), (300, 6), (2, 6, 5000)])
def test_norm_of_numbers_far_from_0_keeps_its_digits(norm, shape):
    # The largest error is that of the rounded results, whatever the mean: torch's grows with it.
    if not fits(norm, shape) or (norm is groups and len(shape) == 2):  # two numbers have no such gradient
        return
    x, g = (normal(*shape, dtype=np.float32) for _ in range(2))
    for offset in (0.0, 1e2, 1e5):
        shifted = x + np.float32(offset)
        exact = torch.from_numpy(shifted.astype(np.float64)).requires_grad_()
        y = norm(TF, exact, None, None)
        (gx,) = torch.autograd.grad(y, exact, torch.from_numpy(g.astype(np.float64)))
        ours = leaf(shifted)
        found = norm(F, ours, None, None)
        (gours,) = gradients(found, ours, g=g)
        scale = max(1.0, offset) if norm is frozen else 1.0
        np.testing.assert_allclose(found._array, y.detach().numpy(), rtol=0, atol=3e-6 * scale)
        np.testing.assert_allclose(gours, gx.numpy(), rtol=0, atol=3e-6)


@pytest.mark.parametrize("norm", [batch, instance, groups])
@pytest.mark.parametrize("shape", [(4, 3, 13, 13), (8, 3, 3, 3)])
def test_norm_of_equal_numbers_is_its_bias(norm, shape):
    x = np.full(shape, 0.1, np.float32) * np.array([1.0, -3e3, 1e6], np.float32).reshape(1, 3, 1, 1)
    b = normal(3, dtype=np.float32)
    y = norm(F, *map(engine.wrap, (x, np.ones(3, np.float32), b)))
    np.testing.assert_allclose(y._array, np.broadcast_to(b.reshape(1, 3, 1, 1), shape), atol=1e-6)


@pytest.mark.parametrize(
    ("op", "settings", "count"),
    [(ops.batch_norm, {"eps": 1e-5}, 0), (ops.frozen_batch_norm, {"eps": 1e-5}, 2),
     (ops.group_norm, {"groups": 2, "eps": 1e-5}, 0)],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(3, 4, 12, 12), (5, 4, 2, 2)])
def test_norm_skips_gradients_that_nobody_wants_and_equals_its_composite(op, settings, count, shape):
    inputs = (normal(*shape), normal(4), normal(4), *(normal(4) ** 2 for _ in range(count)))
    y, saved = op.forward(*inputs, **settings)
    composite = op.composite(*inputs, **settings)
    ys, cs = (y, composite) if op.is_multi else ((y,), (composite,))
    for found, expected in zip(ys, cs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    g = (ys[0], None, None) if op.is_multi else ys[0]
    full = op.joint(g, None, *inputs, saved=saved, needs=(True,) * len(inputs), **settings)
    for i in range(3):
        needs = tuple(i == j for j in range(len(inputs)))
        part = op.joint(g, None, *inputs, saved=saved, needs=needs, **settings)
        assert [a is None for a in part] == [i != j for j in range(len(inputs))]
        np.testing.assert_array_equal(part[i], full[i])


@pytest.mark.parametrize("norm", NORMS)
def test_half_is_like_torch(norm):
    x = normal(4, 6, 3, 5, dtype=np.float16)
    for dtype in (np.float16, np.float32):
        w, b = normal(6, dtype=dtype), normal(6, dtype=dtype)
        if norm is frozen and dtype is np.float32:
            continue  # its statistics are float16, which torch refuses then
        ours = norm(F, *map(engine.wrap, (x, w, b)))
        assert_like(ours, norm(TF, *map(torch.from_numpy, (x, w, b))), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 4, 12, 12), (9, 4, 6, 6), (9, 4, 2, 2), (300, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mean", [0, 5])
def test_channel_kernels_give_the_sums_of_float64(shape, dtype, mean):
    x, g = (normal(*shape, dtype=dtype) + np.array(mean, dtype) for _ in range(2))
    rows, gs = channels.channels_of(x, False), channels.channels_of(g, False)
    over = (0, *range(2, x.ndim))
    exact = x.astype(np.float64)
    shift, moved, variance = channels.moments(rows)
    assert (shift is None) == (mean < 2 and rows.shape[2] > 31)
    shift = np.zeros(4, dtype) if shift is None else shift
    np.testing.assert_allclose(shift + moved, exact.mean(over), atol=1e-6 if dtype == "float32" else 1e-14)
    np.testing.assert_allclose(variance, exact.var(over), rtol=1e-6 if dtype == "float32" else 1e-13)
    total, along = channels.channel_sums(gs, rows, shift)
    beside = shift.reshape(1, -1, *(1,) * (x.ndim - 2)).astype(np.float64)
    np.testing.assert_allclose(total, g.sum(over, dtype=np.float64), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(along, (g * (exact - beside)).sum(over), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("norm", [batch, instance])  # torch's group_norm gives nan
@pytest.mark.parametrize("shape", [(4, 3, 12, 12), (8, 3, 3, 3)])
def test_norm_of_numbers_whose_squares_overflow_is_like_torch(norm, shape):
    x = normal(*shape, dtype=np.float32) * np.float32(1e25)  # both give 0
    found, expected = norm(F, engine.wrap(x), None, None), norm(TF, torch.from_numpy(x), None, None)
    assert_like(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_norm_runs_with_hooks_on_saved_tensors(norm):
    x, g = normal(4, 6, 12, 12), normal(4, 6, 12, 12)
    plain, hooked = leaf(x), leaf(x)
    (expected,) = gradients(norm(F, plain, None, None), plain, g=g)
    with npg.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = norm(F, hooked, None, None)
    np.testing.assert_array_equal(gradients(y, hooked, g=g)[0], expected)


# ----- Running statistics -----


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (2, 3, 12, 12), (1, 3, 2)])
@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0, 2.0])
def test_running_statistics_move_like_torchs(shape, momentum):
    x = normal(*shape, dtype=np.float32)

    def program(lib):
        for name in ("batch_norm", "instance_norm") if len(shape) > 2 else ("batch_norm",):
            mean, var = lib.linspace(-1, 1, 3), lib.linspace(0.5, 2, 6)[::2]
            for training in (True, True, False):
                yield getattr(lib.nn.functional, name)(lib.from_numpy(x), mean, var, None, None, training, momentum)
                yield mean, var

    agree(program)


def test_native_batch_norm_returns_the_statistics():
    x = normal(4, 3, 5, dtype=np.float32)

    def program(lib):
        for training in (True, False):
            for dtype in (lib.float32, lib.float16):
                t = lib.from_numpy(x).to(dtype)
                yield lib.native_batch_norm(t, None, None, lib.zeros(3), lib.ones(3), training, 0.1, 1e-3)
        t = lib.from_numpy(x).requires_grad_()
        y, mean, scale = lib.native_batch_norm(t, None, None, None, None, True, 0.1, 1e-5)
        yield str(y.grad_fn).split(" ")[0], str(mean.requires_grad), str(scale.requires_grad)

    agree(program)


def test_refused_call_changes_nothing():
    for statistics in ((npg.zeros(3), npg.ones(4)), (npg.zeros(3), npg.ones(3).double())):
        before = [t.clone() for t in statistics]
        with pytest.raises(RuntimeError):
            F.batch_norm(npg.ones(2, 3, 4), *statistics, training=True)
        for t, old in zip(statistics, before, strict=True):
            assert npg.equal(t, old)
            assert t._version == 0
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    mean = npg.zeros(3)
    with pytest.raises((RuntimeError, ValueError)):
        F.batch_norm(npg.ones(2, 3, 4), mean, engine.wrap(array), training=True)
    assert mean._version == 0


def test_frozen_statistics_may_change_before_the_backward():
    x, mean, var = leaf(normal(4, 3)), npg.zeros(3).double(), npg.ones(3).double()
    y = F.batch_norm(x, mean, var, leaf(normal(3)), leaf(normal(3)))
    (expected,) = gradients(y, x, g=np.ones((4, 3)))
    F.batch_norm(leaf(normal(4, 3)), mean, var, training=True)
    for create_graph in (False, True):
        np.testing.assert_allclose(gradients(y, x, g=np.ones((4, 3)), create_graph=create_graph)[0], expected)


# ----- local_response_norm -----


@pytest.mark.parametrize("size", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("shape", [(2, 4, 3), (1, 5, 3, 2), (2, 1, 2, 2, 2), (2, 4, 0)])
def test_local_response_norm_is_like_torch(size, shape):
    settings = {"alpha": 0.3, "beta": 0.6, "k": 1.5}
    check_like_torch(F.local_response_norm, TF.local_response_norm, normal(*shape), size, **settings)


# ----- Refusals -----

CALLS = [
    "F.batch_norm(lib.ones(1, 3), None, None, training=True)",
    "F.batch_norm(lib.ones(1, 3, 1, 1), None, None, training=True)",
    "F.batch_norm(lib.ones(3), None, None, training=True)",
    "F.batch_norm(lib.ones(2, 3), None, None)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), None)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), None, training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(4), lib.ones(4), training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(4), training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), lib.ones(4), training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), None, lib.ones(4), training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), eps=-1.0)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), training=True, eps=0.0)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3, requires_grad=True), lib.ones(3), training=True)",
    "F.batch_norm(lib.ones(2, 3).long(), lib.ones(3), lib.ones(3))",
    "F.batch_norm(lib.ones(2, 3).double(), lib.ones(3), lib.ones(3))",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3).double(), lib.ones(3).double())",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), lib.ones(3), lib.ones(3).double())",
    "F.batch_norm(lib.ones(2, 3).half(), lib.ones(3), lib.ones(3), lib.ones(3).half())",
    "F.batch_norm(lib.ones(2, 3).half(), lib.ones(3), lib.ones(3), lib.ones(3))",
    "F.batch_norm(lib.ones(0, 3), lib.ones(4), lib.ones(3), training=True)",
    "F.batch_norm(lib.ones(2, 3, 0), lib.ones(3), lib.ones(3), lib.ones(3), lib.ones(3), training=True)",
    "F.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), [1.0])",
    "lib.batch_norm(lib.ones(1, 3), None, None, None, None, True, 0.1, 1e-5, True)",
    "lib.native_batch_norm(lib.ones(0, 3), None, None, None, None, True, 0.1, 1e-5)",
    "F.instance_norm(lib.ones(2, 3))",
    "F.instance_norm(lib.ones(2, 3, 1))",
    "F.instance_norm(lib.ones(2, 3, 4), use_input_stats=False)",
    "F.instance_norm(lib.ones(2, 3, 4), lib.ones(4), lib.ones(4))",
    "F.instance_norm(lib.ones(2, 3, 4), weight=lib.ones(4))",
    "F.instance_norm(lib.ones(2, 3, 4), lib.ones(3), None)",
    "F.instance_norm(lib.ones(2, 3, 4).long())",
    "F.instance_norm(lib.ones(2, 3, 0)), F.instance_norm(lib.ones(0, 3, 2))",
    "F.group_norm(lib.ones(6), 3)",
    "F.group_norm(lib.ones(1, 6), 6)",
    "F.group_norm(lib.ones(1, 6, 1), 6)",
    "lib.group_norm(lib.ones(1, 6, 1), 6)",
    "F.group_norm(lib.ones(2, 6, 4), 4)",
    "F.group_norm(lib.ones(2, 6, 4), -1)",
    "lib.group_norm(lib.ones(2, 6, 4), 0)",
    "F.group_norm(lib.ones(2, 6, 4), 2.0)",
    "F.group_norm(lib.ones(2, 6, 4), 3, lib.ones(5))",
    "F.group_norm(lib.ones(2, 6, 4), 3, lib.ones(1, 6))",
    "F.group_norm(lib.ones(2, 6, 4).long(), 3)",
    "F.group_norm(lib.ones(2, 6, 4).half(), 3, lib.ones(6).half(), lib.ones(6))",
    "F.group_norm(lib.ones(0, 6, 4), 3, lib.ones(6)), F.group_norm(lib.ones(2, 6, 0), 3)",
    "F.local_response_norm(lib.ones(2, 3), 2)",
    "F.local_response_norm(lib.ones(2, 3, 4), 0)",
    "F.local_response_norm(lib.ones(2, 3, 4, 5), 0)",
    "F.local_response_norm(lib.arange(24).view(2, 3, 4), 2)",
]


def test_norms_refuse_and_accept_as_torch_does():
    def program(lib):
        for call in CALLS:
            yield call, attempt(lambda call=call: eval(call, {"lib": lib, "F": lib.nn.functional}))

    agree(program)


# ----- Batches and tangents -----


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dims", [(0, None, None), (0, 0, 0), (0, 0, None), (None, 0, 0)])
def test_vmap_of_norm_is_like_torchs(norm, dims):
    arrays = [normal(2, 4, 6, 3, 2), normal(2, 6), normal(2, 6)]
    arrays = [a if d == 0 else a[0] for a, d in zip(arrays, dims, strict=True)]

    def program(lib):
        def loss(*a):
            return (norm(lib.nn.functional, *a) ** 3).sum()

        yield lib.func.vmap(lib.func.grad(loss, argnums=(0, 1, 2)), in_dims=dims)(*map(lib.from_numpy, arrays))

    if norm is frozen:
        with npg.func.vmap_report() as report:
            npg.func.vmap(lambda *a: ops.frozen_batch_norm(*a, a[1], a[1] ** 2, eps=1.0), in_dims=dims)(
                *map(engine.wrap, arrays)
            )
    else:
        with npg.func.vmap_report() as report:
            agree(program)
    assert not report.looped


def test_vmap_moves_batched_statistics_and_refuses_others():
    x = normal(3, 4, 2, 5)

    def program(lib):
        for name in ("batch_norm", "instance_norm"):
            norm = getattr(lib.nn.functional, name)
            mean, var = lib.zeros(3, 2).double(), lib.ones(3, 2).double()
            yield lib.func.vmap(lambda x, m, v, norm=norm: norm(x, m, v, None, None, True))(
                lib.from_numpy(x), mean, var
            )
            yield mean, var
            call = lib.func.vmap(lambda x, norm=norm, m=mean[0], v=var[0]: norm(x, m, v, None, None, True))
            yield attempt(lambda call=call: call(lib.from_numpy(x)))

    agree(program)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's first jvp
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("which", [(0, 1, 2), (0,), (1,), (2,)])
def test_jvp_of_norm_is_like_torchs(norm, which):
    arrays, tangents = ([normal(4, 6, 3, 2), normal(6), normal(6)] for _ in range(2))

    def program(lib):
        leaves = [lib.from_numpy(a) for a in arrays]

        def function(*given):
            inputs = list(leaves)
            for i, t in zip(which, given, strict=True):
                inputs[i] = t
            return norm(lib.nn.functional, *inputs)

        yield lib.func.jvp(function, tuple(leaves[i] for i in which), tuple(lib.from_numpy(tangents[i]) for i in which))

    agree(program)
