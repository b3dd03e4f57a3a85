"""Arguments of scaled_dot_product_attention against torch: what is refused and when, masks together, memory order,
empty inputs, one query and groups of heads, masks that are changed after the call, examples of vmap.
"""

import itertools

import numpy as np
import pytest
import torch

import npg
from npg import random
from npg.func import jvp, vmap
from npg.functional.nn import attention as functional
from npg.nn import functional as F
from npg.ops import attention as module
from tests.helpers import assert_like, check_like_torch, to_npg
from tests.ops.fused import check_both
from tests.twins import agree, attempt

rng = np.random.default_rng(0)
TF = torch.nn.functional
sdpa, torch_sdpa = F.scaled_dot_product_attention, TF.scaled_dot_product_attention


def normal(*shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


def qkv(*lead, queries=5, keys=7, n=4, m=4, dtype=np.float64):
    return [normal(*lead, *s, dtype=dtype) for s in ((queries, n), (keys, n), (keys, m))]


def torch_math(*args, **kwargs):
    """Run torch's attention in primitives: its fused kernel has no second derivative."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch_sdpa(*args, **kwargs)


# ----- What is refused -----

REFUSED = {
    "heads of two dimensions": "F(z(5, 4), z(3, 4), z(3, 4), enable_gqa=True)",
    "key of two dimensions": "F(z(2, 4, 5, 4), z(3, 4), z(3, 4), enable_gqa=True)",
    "more key heads": "F(z(2, 2, 5, 4), z(2, 4, 3, 4), z(2, 4, 3, 4), enable_gqa=True)",
    "value heads": "F(z(2, 4, 5, 4), z(2, 2, 3, 4), z(2, 3, 3, 4), enable_gqa=True)",
    "one query, value heads": "F(z(2, 4, 1, 4), z(2, 2, 3, 4), z(2, 3, 3, 4), enable_gqa=True)",
    "integers": "F(*[z(2, 2, 5, 4).long()] * 3)",
    "bools": "F(*[z(2, 5, 4).bool()] * 3)",
    "integers and dropout": "F(*[z(2, 5, 4).long()] * 3, dropout_p=0.5)",
    "mask of integers": "F(*[z(2, 5, 4)] * 3, z(5, 5).long())",
    "mask of integers, nothing": "F(*[z(2, 0, 4)] * 3, z(1).long())",
    "mask of integers and is_causal": "F(*[z(2, 5, 4)] * 3, z(5, 5).long(), is_causal=True)",
    "mask of half": "F(*[z(2, 5, 4)] * 3, z(5, 5).half())",
    "mask of five dimensions": "F(*[z(2, 2, 5, 4)] * 3, z(1, 2, 2, 5, 5))",
    "mask of more batches": "F(*[z(2, 2, 5, 4)] * 3, z(3, 2, 2, 5, 5) == 0)",
    "mask of more dimensions": "F(*[z(5, 4)] * 3, z(3, 5, 5))",
    "mask of other keys": "F(*[z(2, 5, 4)] * 3, z(5, 4))",
    "mask and is_causal": "F(*[z(2, 5, 4)] * 3, z(5, 5), is_causal=True)",
    "mask, is_causal and dropout": "F(*[z(2, 2, 5, 4)] * 3, z(5, 5), is_causal=True, dropout_p=0.1)",
    "mask with a gradient and is_causal": "F(*[z(2, 2, 5, 4)] * 3, z(5, 5).requires_grad_(), is_causal=True)",
    "probability": "F(*[z(2, 5, 4)] * 3, dropout_p=1.5)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_attention_refuses_arguments_as_torch_does(name):
    def program(lib):
        names = {"F": lib.nn.functional.scaled_dot_product_attention, "z": lib.zeros}
        found = attempt(lambda: eval(REFUSED[name], names))
        assert isinstance(found, str)
        yield found

    agree(program)


# ----- Nothing to attend to -----

EMPTY = {
    "no queries": ((2, 3, 0, 4), (2, 3, 5, 4), (2, 3, 5, 4)),
    "no keys": ((2, 3, 5, 4), (2, 3, 0, 4), (2, 3, 0, 4)),
    "no keys of other shapes": ((2, 3, 5, 4), (5, 3, 0, 3), (2, 3, 0, 4)),
    "no width of values": ((2, 3, 5, 4), (2, 3, 5, 4), (2, 3, 5, 0)),
    "no batch": ((0, 5, 4), (0, 6, 4), (0, 6, 4)),
    "no key heads": ((2, 4, 5, 4), (2, 0, 3, 4), (2, 0, 3, 4)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_attention_of_nothing_looks_at_no_other_argument(name):
    """In torch neither; with a value that is not a number the zeros are none."""

    def program(lib):
        for settings in ({}, {"attn_mask": lib.zeros(3, 3)}, {"dropout_p": 2.0}, {"enable_gqa": True}):
            xs = [lib.full(shape, 2.0).requires_grad_() for shape in EMPTY[name]]
            y = lib.nn.functional.scaled_dot_product_attention(*xs, **settings)
            yield y.detach(), y.requires_grad, y.grad_fn.name()
            y.sum().backward()
            yield [x.grad for x in xs]
            yield lib.rand(1)
        xs = [lib.full(shape, lib.nan) for shape in EMPTY[name]]
        yield lib.nn.functional.scaled_dot_product_attention(*xs)

    agree(program)


# ----- Memory order -----


@pytest.mark.parametrize("settings", ["{}", "{'dropout_p': 0.5}", "{'attn_mask': lib.zeros(5, 5)}",
    "{'attn_mask': lib.zeros(5, 5, requires_grad=True)}", "{'attn_mask': lib.zeros(3, 5, 5)}", "{'is_causal': True}",
    "{'attn_mask': lib.zeros(2, 1, 5, 5) == 0}", "{'scale': 0.5}"])  # fmt: skip
def test_result_lies_in_memory_as_torchs(settings):
    """Like the query where PyTorch calls its kernel, in order where it multiplies."""

    def program(lib):
        base = {d: lib.randn(2, 5, 3, 4, dtype=d).transpose(1, 2) for d in (lib.float32, lib.float64)}
        others = lib.randn(5, 2, 3, 4).permute(1, 2, 0, 3), lib.randn(3, 2, 5, 4).transpose(0, 1)
        for q in (*base.values(), base[lib.float32].contiguous(), *others):
            k = q.contiguous()
            columns = k.mT.contiguous().mT
            given = eval(settings, {"lib": lib})
            for key, value in ((k, k), (q, k), (k, columns), (columns, k), (k, k[..., :2]), (k[:, :1], k)):
                if q.dtype == lib.float64 and "attn_mask" in given and given["attn_mask"].dtype == lib.float32:
                    continue
                yield lib.nn.functional.scaled_dot_product_attention(q, key, value, **given).detach().stride()
            yield lib.nn.functional.scaled_dot_product_attention(q[0], k[0], k[0]).stride()
            if not given:
                few = lib.nn.functional.scaled_dot_product_attention(q, k[:, :1], k[:, :1], enable_gqa=True)
                yield few.stride()

    agree(program)


# ----- Masks -----


@pytest.mark.parametrize("kind", ["bool", "floating"])
@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (5, 7), (7, 5), (70, 70)])
def test_mask_and_is_causal_both_hold_where_torchs_kernel_takes_both(kind, queries, keys):
    arrays = qkv(2, 3, queries=queries, keys=keys)
    mask = normal(queries, keys)
    if kind == "bool":
        mask = torch.from_numpy(mask < 0.5)
    fast = {"attn_mask": mask if kind == "bool" else torch.from_numpy(mask), "is_causal": True}
    check_like_torch(sdpa, torch_sdpa, *arrays, second=False, **fast)


def test_bool_mask_may_be_written_after_the_call():
    """PyTorch saves a copy of it."""

    def program(lib):
        for long in (6, 300):  # the shorter one saves its probabilities
            x = lib.randn(1, 1, long, 4, dtype=lib.float64).requires_grad_()
            mask = lib.rand(long, long) < 0.5
            y = lib.nn.functional.scaled_dot_product_attention(x, x, x, mask)
            mask.fill_(True)
            yield lib.autograd.grad(y.square().sum(), x)

    agree(program)


def test_floating_mask_written_after_the_call_is_seen():
    x = npg.randn(1, 1, 300, 4, requires_grad=True)
    mask = npg.zeros(300, 300)
    y = sdpa(x, x, x, mask)
    mask.fill_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("mask", [(5, 7), (2, 3, 5, 7), (1, 3, 5, 7), (2, 1, 5, 7), (1, 1, 5, 1)])
def test_padding_beside_a_mask_is_their_sum(mask, kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1 << 30 if kept else 0)
    arrays, mask, padding = qkv(2, 3), normal(*mask), normal(2, 1, 1, 7)

    def both(q, k, v, m, p):
        return functional.attend(q, k, v, m, p, 0.0, False)

    check_both(both, lambda q, k, v, m, p: torch_math(q, k, v, m + p), *arrays, mask, padding)
    hides = torch.from_numpy(np.array([[1, 1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 1, 1]], bool))[:, None, None]
    check_both(
        lambda q, k, v, m: functional.attend(q, k, v, m, to_npg(hides), 0.0, False),
        lambda q, k, v, m: torch_math(q, k, v, m.masked_fill(~hides, -np.inf)),
        *arrays,
        mask,
    )


def test_gradient_of_a_mask_of_many_batches_keeps_its_digits():
    """The sum over batches is made in float64."""
    x = npg.from_numpy(normal(4096, 1, 2, 4, dtype=np.float32))
    mask = npg.zeros(1, 1, 2, 2, requires_grad=True)
    g = npg.full((4096, 1, 2, 4), 1.0) + npg.from_numpy(normal(4096, 1, 2, 4, dtype=np.float32))
    sdpa(x, x, x, mask).backward(g)
    wide = npg.zeros(1, 1, 2, 2, dtype=npg.float64, requires_grad=True)
    sdpa(*[x.double()] * 3, wide).backward(g.double())
    np.testing.assert_allclose(mask.grad.numpy(), wide.grad.numpy(), 2e-6, 1e-4)


# ----- Groups of heads -----


@pytest.mark.parametrize("heads", [(4, 2), (4, 1), (6, 3)])
@pytest.mark.parametrize("mask", [None, (1, 7), (2, 1, 1, 7), (2, "heads", 1, 7)])
def test_one_query_of_groups_is_like_torch(heads, mask):
    many, few = heads
    arrays = [normal(2, many, 1, 4), normal(2, few, 7, 4), normal(2, few, 7, 6)]
    settings = {"enable_gqa": True}
    if mask is not None:
        shape = tuple(many if n == "heads" else n for n in mask)
        settings["attn_mask"] = torch.from_numpy(rng.random(shape) < 0.7)
    check_both(sdpa, torch_math, *arrays, **settings)
    if mask is None:
        check_both(sdpa, torch_math, *arrays, **settings, is_causal=True)


def test_one_query_reads_a_cache_where_it_lies(monkeypatch):
    """No head of key and value is repeated in memory, whatever part of a longer cache they are."""
    cache = npg.randn(2, 2, 64, 4)
    seen = []
    run = functional.apply_floating
    monkeypatch.setattr(functional, "apply_floating", lambda op, xs, *rest: seen.append(xs) or run(op, xs, *rest))
    with npg.no_grad():
        y = npg.nn.functional.scaled_dot_product_attention(
            npg.ones(2, 8, 1, 4), cache[:, :, :40], cache[:, :, :40], enable_gqa=True
        )
    assert y.shape == (2, 8, 1, 4)
    assert all(np.shares_memory(x.numpy(), cache.numpy()) for x in seen[0][1:3])


# ----- Without a gradient -----

LAYOUTS = {
    "plain": lambda x: x,
    "turned": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    "columns": lambda x: x.mT.contiguous().mT,
    "part of a cache": lambda x: x.new_full((x.shape[0], x.shape[1], 99, x.shape[3]), 3.0).slice_scatter(
        x, 2, 5, 5 + x.shape[2]
    )[:, :, 5 : 5 + x.shape[2]],
    "every second": lambda x: x.repeat_interleave(2, -1)[..., ::2],
    "one head for all": lambda x: x[:, :1].expand(x.shape),
    "one key for all": lambda x: x[:, :, :1].expand(x.shape),
    "odd steps": lambda x: x.clone().as_strided(
        x.shape, [7 if n == 1 else step for n, step in zip(x.shape, x.stride())]
    ),
}


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("queries", [1, 3, 70])
@pytest.mark.parametrize("keys", [1, 7, 80])
def test_attention_without_gradient_of_any_layout_is_torchs(queries, keys, dtype):
    torch.manual_seed(queries + 100 * keys)
    for names in itertools.islice(itertools.product(LAYOUTS, repeat=3), (queries + keys) % 7, None, 7):
        shapes = ((queries, 8), (keys, 8), (keys, 8))
        heads = (1, 1) if names[0] == "odd steps" else (2, 3)
        tensors = [LAYOUTS[name](torch.randn(*heads, *s).to(dtype)) for name, s in zip(names, shapes, strict=True)]
        expected = torch_sdpa(*[t.double() for t in tensors])
        with npg.no_grad():
            found = sdpa(*[npg.as_strided(npg.from_numpy(_storage(t)), t.shape, t.stride(), t.storage_offset())
                           for t in tensors])  # fmt: skip
        assert found.dtype == getattr(npg, str(dtype).removeprefix("torch."))
        close = {torch.float16: 4e-3, torch.float32: 2e-6, torch.float64: 1e-12}[dtype]
        np.testing.assert_allclose(found.numpy(), expected.numpy(), close, close, err_msg=str(names))


def _storage(t):
    return torch.as_strided(t, (t.untyped_storage().nbytes() // t.element_size(),), (1,), 0).numpy()


# ----- Dropout -----


def test_bits_of_dropout_are_those_of_its_factors():
    for shape, p in itertools.product(((3, 5), (2, 3, 7, 11), (1, 40000), (70000, 3), (2, 8)), (0.0, 0.3, 1.0)):
        random.manual_seed(3)
        expected = random.dropout_mask(np.empty(shape, np.float32), p) != 0
        after = random.rand(2)
        random.manual_seed(3)
        bits = random.dropout_bits(shape, p)
        assert bits.shape == (*shape[:-1], -(-shape[-1] // 8)) and bits.dtype == np.uint8
        np.testing.assert_array_equal(np.unpackbits(bits, axis=-1, count=shape[-1]), expected)
        np.testing.assert_array_equal(random.rand(2), after)
    with pytest.raises(RuntimeError, match="dropout probability has to be between 0 and 1, but got -1"):
        random.dropout_bits((2, 2), -1)


@pytest.mark.parametrize("settings", ["{}", "{'is_causal': True}", "{'attn_mask': lib.ones(5, 7).tril(2) > 0}"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout_of_any_dtype_is_torchs(dtype, settings):
    def program(lib):
        q, k, v = (lib.randn(2, 3, n, 8).to(getattr(lib, dtype)).requires_grad_() for n in (5, 7, 7))
        given = eval(settings, {"lib": lib})
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.3, **given)
        yield y.detach()
        yield lib.autograd.grad(y.float().square().sum(), (q, k, v))
        yield lib.rand(1)

    agree(program)


# ----- vmap and jvp -----


@pytest.mark.parametrize("kind", ["bool", "floating"])
@pytest.mark.parametrize("lead", [(), (2,), (2, 3), (2, 1, 3)])
def test_vmap_with_a_mask_is_that_of_each(lead, kind):
    q, k, v = (npg.from_numpy(a) for a in qkv(4, *lead))
    mask = npg.from_numpy(normal(4, 5, 7))
    mask = mask < 0.5 if kind == "bool" else mask
    for dims in ((0, 0, 0, 0), (0, 0, 0, None), (None, None, None, 0), (0, None, 0, 0)):
        given = [x if d == 0 else x[0] for x, d in zip((q, k, v, mask), dims, strict=True)]
        found = vmap(sdpa, in_dims=dims)(*given)
        for i in range(4):
            each = sdpa(*[x[i] if d == 0 else x for x, d in zip(given, dims, strict=True)])
            assert npg.allclose(found[i], each, atol=1e-12)


def test_vmap_of_gradients_with_a_mask_is_that_of_each():
    q, k, v = (npg.from_numpy(a) for a in qkv(4, 1, 2, queries=5, keys=5))
    mask = npg.from_numpy(normal(4, 2, 5, 5))

    def loss(q, mask, k, v):
        return sdpa(q, k, v, mask).sin().sum()

    found = vmap(npg.func.grad(loss, argnums=(0, 1)))(q, mask, k, v)
    for i in range(4):
        for a, b in zip(found, npg.func.grad(loss, argnums=(0, 1))(q[i], mask[i], k[i], v[i]), strict=True):
            assert npg.allclose(a[i], b, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_jvp_with_masks_is_torchs():
    arrays = [*qkv(2, 3), normal(5, 7)]
    tangents = [normal(*a.shape) for a in arrays]
    found = jvp(sdpa, tuple(map(npg.from_numpy, arrays)), tuple(map(npg.from_numpy, tangents)))
    expected = torch.func.jvp(torch_math, tuple(map(torch.from_numpy, arrays)), tuple(map(torch.from_numpy, tangents)))
    assert_like(found, expected, rtol=1e-10)
