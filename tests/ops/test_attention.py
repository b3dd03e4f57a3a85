"""scaled_dot_product_attention against torch: masks, layouts, tiles, dropout, gradients of both backwards."""

import itertools
import math

import numpy as np
import pytest
import torch

import npg
from npg import engine, random
from npg.nn import functional as F
from npg.ops import _attention_tiles, attention as module
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided
from tests.ops.fused import check_both, check_composite, gradients, leaf

rng = np.random.default_rng(0)
TF = torch.nn.functional
op = module.attention
sdpa, torch_sdpa = F.scaled_dot_product_attention, TF.scaled_dot_product_attention


def normal(*shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


def qkv(*lead, queries=5, keys=7, n=4, m=6, dtype=np.float64):
    return [normal(*lead, *s, dtype=dtype) for s in ((queries, n), (keys, n), (keys, m))]


def torch_math(*args, **kwargs):
    """Run torch's attention in primitives: its fused kernel has no second derivative and needs v as wide as k."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch_sdpa(*args, **kwargs)


# ----- Values and gradients -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (2, 2, 3)])
@pytest.mark.parametrize(("queries", "keys"), [(5, 7), (7, 5), (6, 6), (1, 4), (4, 1)])
def test_attention_is_like_torch(lead, queries, keys, is_causal, dtype):
    arrays = qkv(*lead, queries=queries, keys=keys, dtype=dtype)
    check_both(sdpa, torch_math, *arrays, is_causal=is_causal, second=dtype is np.float64)


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("length", [64, 65, 130, 300])
def test_attention_over_several_tiles_is_like_torch(length, is_causal, monkeypatch):
    arrays = qkv(3, 2, queries=length, keys=length, n=8, m=8)
    check_like_torch(sdpa, torch_math, *arrays, is_causal=is_causal, second=False)
    for tile, limit in ((1, module.KEPT), (1 << 14, 0), (_attention_tiles.TILE, 0)):
        monkeypatch.setattr(_attention_tiles, "TILE", tile)
        monkeypatch.setattr(module, "KEPT", limit)
        check_like_torch(sdpa, torch_math, *arrays, is_causal=is_causal, second=False)


def test_attention_over_several_tiles_has_causal_keys_beyond_the_queries(monkeypatch):
    monkeypatch.setattr(_attention_tiles, "BLOCK", 4)
    for queries, keys in ((10, 13), (13, 10), (3, 13), (13, 3)):
        check_both(sdpa, torch_math, *qkv(2, 2, queries=queries, keys=keys), is_causal=True)


@pytest.mark.parametrize("kept", [True, False])
def test_attention_tiles_do_not_change_a_row(kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1 << 30 if kept else 0)
    arrays = qkv(4, 2, queries=70, keys=70, m=4, dtype=np.float32)
    settings = {"is_causal": True, "scale": 0.5}
    g = normal(4, 2, 70, 4, dtype=np.float32)
    results = []
    for tile in (1 << 30, 1):
        monkeypatch.setattr(_attention_tiles, "TILE", tile)
        y, saved = op.forward(*arrays, None, None, None, **settings)
        needs = (True, True, True, False, False, False)
        results.append((y, *op.joint(g, y, *arrays, None, None, None, saved=saved, needs=needs, **settings)[:3]))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_attention_equals_its_composite():
    for is_causal, mask in itertools.product((False, True), (None, normal(5, 7))):
        inputs = (*qkv(2, 3), mask, None, None)
        check_composite(op, inputs, {"is_causal": is_causal, "scale": 0.4})


@pytest.mark.parametrize("scale", [0.0, 0.3, -1.0, 2.0])
def test_attention_with_a_scale_is_like_torch(scale):
    # PyTorch takes square roots of the scale, so a negative one is compared with the formula.
    q, k, v = qkv(2, 3)
    if scale < 0:
        s = scale * q @ np.swapaxes(k, -1, -2)
        p = np.exp(s - s.max(-1, keepdims=True))
        expected = p / p.sum(-1, keepdims=True) @ v
        np.testing.assert_allclose(sdpa(*map(engine.wrap, (q, k, v)), scale=scale)._array, expected, 1e-12)
    else:
        check_both(sdpa, torch_math, q, k, v, scale=scale, second=scale > 0)


def test_attention_on_large_scores_does_not_overflow():
    arrays = [300.0 * a for a in qkv(2, 3, dtype=np.float32)]
    y = sdpa(*map(engine.wrap, arrays), is_causal=True)
    wide = torch_math(*(torch.from_numpy(a.astype(np.float64)) for a in arrays), is_causal=True)
    assert np.isfinite(y._array).all()
    np.testing.assert_allclose(y._array, wide.numpy(), 1e-3, 1e-2)  # scores of 1e5 are rounded to 1e-2 in float32


# ----- Layouts -----


@pytest.mark.parametrize("is_causal", [False, True])
def test_attention_of_any_layout_is_like_torch(is_causal):
    q, k, v = qkv(2, 3)
    turned = [np.ascontiguousarray(a.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3) for a in (q, k, v)]
    gaps = [strided(a) for a in (q, k, v)]
    columns = [np.ascontiguousarray(a.swapaxes(2, 3)).swapaxes(2, 3) for a in (q, k, v)]
    for arrays in (turned, gaps, columns, (turned[0], k, gaps[2])):
        check_both(sdpa, torch_math, *arrays, is_causal=is_causal, second=False)


def test_attention_lays_its_result_out_like_the_query():
    q = leaf(normal(2, 5, 3, 4))
    k = v = leaf(normal(2, 3, 7, 4))
    y = sdpa(q.transpose(1, 2), k, v)
    assert y._array.transpose(0, 2, 1, 3).flags.c_contiguous
    y = sdpa(leaf(normal(5, 2, 3, 4)).permute(1, 2, 0, 3), k, v)
    assert y._array.transpose(2, 0, 1, 3).flags.c_contiguous
    assert sdpa(leaf(normal(2, 3, 5, 4)), k, v)._array.flags.c_contiguous
    q, k = normal(2, 3, 5, 4), normal(2, 3, 7, 4)
    expected, _ = op.forward(q, k, k, None, None, None, is_causal=True, scale=0.5)
    y, _ = op.forward(q, k, k, None, None, None, is_causal=True, scale=0.5, layout="time")
    assert np.array_equal(y, expected) and y.transpose(2, 0, 1, 3).flags.c_contiguous


@pytest.mark.parametrize("order", [(2, 0, 3, 1, 4), (2, 1, 3, 0, 4)], ids=["batch first", "time first"])
def test_attention_on_one_projection_gives_one_gradient(order):
    # nanoGPT's layout: q, k and v are parts of (B, T, 3 C), or of (T, B, 3 C). Their gradients are parts of one array.
    projection = normal(2, 6, 3, 3, 4)
    q, k, v = projection.transpose(order)
    y, saved = op.forward(q, k, v, None, None, None, is_causal=True, scale=0.5)
    needs = (True, True, True, False, False, False)
    grads = op.joint(y, y, q, k, v, None, None, None, saved=saved, needs=needs, is_causal=True, scale=0.5)[:3]
    assert grads[0].base is not None and grads[0].base is grads[1].base is grads[2].base
    assert grads[0].base.shape == projection.shape
    apart = [np.ascontiguousarray(a) for a in (q, k, v)]
    separate = op.joint(y, y, *apart, None, None, None, saved=saved, needs=needs, is_causal=True, scale=0.5)[:3]
    for a, b in zip(grads, separate, strict=True):
        assert b.flags.c_contiguous
        np.testing.assert_allclose(a, b, 1e-12)


def test_attention_on_split_heads_sends_its_gradient_back_without_a_copy():
    batch, length, heads, n = 2, 6, 3, 4

    def attend(functional, x):
        parts = x.split(heads * n, 2)
        q, k, v = (p.reshape(batch, length, heads, n).transpose(1, 2) for p in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(batch, length, heads * n)

    x = normal(batch, length, 3 * heads * n)
    check_like_torch(lambda a: attend(F, a), lambda a: attend(TF, a), x, second=False)
    a = leaf(x)
    grads = []
    a.register_hook(lambda g: grads.append(g._array.base))
    gradients(attend(F, a), a, g=normal(batch, length, heads * n))
    assert grads[0] is not None and grads[0].shape == (batch, length, 3, heads, n)


def test_attention_of_a_tensor_with_itself_is_like_torch():
    check_both(lambda x: sdpa(x, x, x), lambda x: torch_math(x, x, x), normal(2, 3, 5, 4))


def test_attention_takes_a_gradient_that_is_one_number_expanded():
    arrays = [leaf(a) for a in qkv(2, 3)]
    y = sdpa(*arrays)
    full = gradients(y, *arrays, g=np.ones(y._array.shape))
    for a, b in zip(gradients(y, *arrays, g=np.broadcast_to(1.0, y._array.shape)), full, strict=True):
        np.testing.assert_allclose(a, b, 1e-12, 1e-14)


def test_attention_skips_gradients_that_nobody_wants():
    arrays = qkv(2, 3)
    mask = normal(5, 7)
    settings = {"is_causal": False, "scale": 0.5}
    y, saved = op.forward(*arrays, mask, None, None, **settings)
    full = op.joint(y, y, *arrays, mask, None, None, saved=saved, needs=(True,) * 4 + (False, False), **settings)
    for i in range(4):
        needs = tuple(i == j for j in range(6))
        part = op.joint(y, y, *arrays, mask, None, None, saved=saved, needs=needs, **settings)
        assert [g is None for g in part] == [i != j for j in range(6)]
        np.testing.assert_allclose(part[i], full[i], 1e-12)


def test_attention_without_a_backward_keeps_nothing():
    y, saved = op.forward(*qkv(2, 3), None, None, None, is_causal=True, scale=0.5, keep=False)
    assert saved == () and y.shape == (2, 3, 5, 6)


# ----- Masks -----


MASKS = [(5, 7), (1, 7), (5, 1), (1, 1), (3, 5, 7), (2, 1, 5, 7), (2, 3, 5, 7), (2, 1, 1, 7)]


@pytest.mark.parametrize("shape", MASKS)
def test_attention_with_a_bool_mask_is_like_torch(shape):
    mask = torch.from_numpy(rng.random(shape) < 0.6)
    check_both(sdpa, torch_math, *qkv(2, 3), attn_mask=mask)


@pytest.mark.parametrize("shape", MASKS)
def test_attention_with_a_floating_mask_is_like_torch(shape):
    check_both(sdpa, torch_math, *qkv(2, 3), attn_mask=normal(*shape))


@pytest.mark.parametrize("lead", [(), (3,), (2, 2, 3)])
def test_attention_with_a_mask_of_other_leading_shapes_is_like_torch(lead):
    for shape in ((5, 7), (*lead, 5, 7), (1,) * len(lead) + (5, 1)):
        check_both(sdpa, torch_math, *qkv(*lead), attn_mask=normal(*shape))


def test_attention_with_a_mask_over_several_tiles_is_like_torch(monkeypatch):
    monkeypatch.setattr(_attention_tiles, "BLOCK", 4)
    monkeypatch.setattr(_attention_tiles, "TILE", 1)
    for limit in (module.KEPT, 0):
        monkeypatch.setattr(module, "KEPT", limit)
        for shape in ((13, 9), (2, 1, 13, 9), (3, 13, 1)):
            check_like_torch(sdpa, torch_math, *qkv(2, 3, queries=13, keys=9), attn_mask=normal(*shape), second=False)


@pytest.mark.parametrize("kept", [True, False])
def test_attention_of_a_query_that_may_look_nowhere_is_zero(kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1 << 30 if kept else 0)
    arrays = qkv(2, 3)
    for mask in (rng.random((5, 7)) < 0.5, np.where(rng.random((5, 7)) < 0.5, 0.0, -math.inf)):
        mask[2] = False if mask.dtype == bool else -math.inf
        check_both(sdpa, torch_math, *arrays, attn_mask=torch.from_numpy(mask))
        xs = [leaf(a) for a in arrays]
        y = sdpa(*xs, attn_mask=engine.wrap(mask))
        assert (y._array[:, :, 2] == 0).all()
        assert all(np.isfinite(g).all() for g in gradients(y, *xs, g=np.ones(y._array.shape)))


def test_attention_with_a_mask_and_is_causal_is_refused_as_torch_does():
    arrays, mask = qkv(2, 3, keys=5), normal(5, 5)
    assert_same_error(
        lambda: sdpa(*map(engine.wrap, arrays), attn_mask=engine.wrap(mask), is_causal=True),
        lambda: torch_math(*map(torch.from_numpy, arrays), attn_mask=torch.from_numpy(mask), is_causal=True),
    )


def test_attention_casts_a_float32_mask():
    q, k, v = qkv(2, 3)
    mask = normal(5, 7, dtype=np.float32)
    actual = sdpa(*map(engine.wrap, (q, k, v)), attn_mask=engine.wrap(mask))
    expected = sdpa(*map(engine.wrap, (q, k, v)), attn_mask=engine.wrap(mask.astype(np.float64)))
    np.testing.assert_array_equal(actual._array, expected._array)


# ----- Broadcasting and groups -----


@pytest.mark.parametrize(
    "leads", [((2, 3), (1, 3), (2, 1)), ((3,), (2, 3), (2, 3)), ((1,), (4,), (1,)), ((), (2,), (2,))]
)
def test_attention_broadcasts_leading_dimensions_as_torch_does(leads):
    arrays = [normal(*lead, *s) for lead, s in zip(leads, ((5, 4), (7, 4), (7, 6)), strict=True)]
    check_both(sdpa, torch_math, *arrays)


@pytest.mark.parametrize("heads", [(4, 2), (4, 1), (4, 4), (6, 3)])
def test_attention_with_groups_of_queries_is_like_torch(heads):
    many, few = heads
    arrays = [normal(2, many, 5, 4), normal(2, few, 7, 4), normal(2, few, 7, 6)]
    check_both(sdpa, torch_math, *arrays, enable_gqa=True)


@pytest.mark.parametrize(("queries", "keys"), [(0, 4), (4, 0), (0, 0)])
def test_attention_of_nothing_is_like_torch(queries, keys):
    check_both(sdpa, torch_math, *qkv(2, 3, queries=queries, keys=keys), second=False)
    check_both(sdpa, torch_math, *qkv(0, 3), second=False)


def test_attention_without_features_averages_the_values():
    q, k, v = qkv(2, 3, n=0)
    y = sdpa(*map(engine.wrap, (q, k, v)))
    np.testing.assert_allclose(y._array, np.broadcast_to(v.mean(-2, keepdims=True), y._array.shape))


# ----- Dropout -----


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("length", [6, 130])
def test_attention_drops_what_torch_drops(length, is_causal):
    arrays = qkv(2, 3, queries=length, keys=length, n=4, m=4)

    def seeded(fn, seed):
        def call(*args, **kwargs):
            seed(5)
            return fn(*args, **kwargs)

        return call

    check_both(
        seeded(sdpa, random.manual_seed),
        seeded(torch_sdpa, torch.manual_seed),
        *arrays,
        dropout_p=0.3,
        is_causal=is_causal,
        second=length < 100,
    )


def test_attention_with_dropout_one_is_zero():
    assert not sdpa(*map(engine.wrap, qkv(2, 3)), dropout_p=1.0)._array.any()


# ----- Dtypes and errors -----


def test_attention_of_half_is_computed_in_float32():
    arrays = qkv(2, 3, dtype=np.float16)
    actual = sdpa(*map(engine.wrap, arrays))
    assert_like(actual, torch_math(*(torch.from_numpy(a) for a in arrays)))


REFUSED = [
    ((5,), (5,), (5,)),
    ((4, 5), (4, 6), (4, 5)),
    ((2, 4, 5), (2, 4, 5), (2, 7, 5)),
    ((2, 4, 5), (3, 4, 5), (3, 4, 5)),
    ((2, 4, 3, 5), (2, 2, 3, 5), (2, 2, 3, 5)),
]


@pytest.mark.parametrize("shapes", REFUSED)
def test_attention_refuses_shapes_as_torch_does(shapes):
    assert_same_error(
        lambda: sdpa(*(engine.wrap(normal(*s)) for s in shapes)), lambda: torch_sdpa(*(torch.ones(s) for s in shapes))
    )


def test_attention_refuses_other_arguments_as_torch_does():
    x, t = engine.wrap(normal(2, 3, 4, 5, dtype=np.float32)), torch.ones(2, 3, 4, 5)
    for npg_mask, torch_mask in (
        (np.ones((4, 4), np.int64), torch.ones(4, 4).long()),
        (np.ones((4, 4)), torch.ones(4, 4).double()),
        (np.ones((4, 5), np.float32), torch.ones(4, 5)),
    ):
        assert_same_error(
            lambda m=npg_mask: sdpa(x, x, x, attn_mask=engine.wrap(m)), lambda m=torch_mask: torch_sdpa(t, t, t, m)
        )
    assert_same_error(lambda: sdpa(x, x, x, dropout_p=1.5), lambda: torch_sdpa(t, t, t, dropout_p=1.5))
    wide = engine.wrap(normal(2, 3, 4, 5))
    assert_same_error(lambda: sdpa(x, wide, x), lambda: torch_sdpa(t, t.double(), t))
    few, torch_few = engine.wrap(normal(2, 2, 4, 5, dtype=np.float32)), torch.ones(2, 2, 4, 5)
    assert_same_error(
        lambda: sdpa(x, few, few, enable_gqa=True), lambda: torch_sdpa(t, torch_few, torch_few, enable_gqa=True)
    )
    assert_same_error(lambda: sdpa([1], x, x), lambda: torch_sdpa([1], t, t))


# ----- The Cython engine's path -----


def _hidden_end(lead, keys):
    shape = *lead[:1], *(1,) * len(lead), keys
    return np.broadcast_to(np.arange(keys) < keys - keys // 4, shape)


SHAPES = [
    ((1, 4), 64, 64, 32, 32), ((2, 3), 7, 7, 5, 3), ((3,), 2, 9, 1, 4), ((2, 2), 9, 2, 4, 1), ((1, 1), 70, 130, 8, 8),
    ((5, 2), 1, 3, 4, 4), ((5, 2), 3, 1, 4, 4), ((12, 4), 40, 40, 16, 16), ((1, 2), 200, 192, 4, 4),
    ((1, 2), 3, 1000, 4, 4), ((2, 2), 130, 300, 64, 64),
]  # fmt: skip
MASKS_OF = {
    "number": lambda lead, queries, keys, dtype: (normal(1, 1, dtype=dtype), None),
    "rows": lambda lead, queries, keys, dtype: (normal(queries, 1, dtype=dtype), None),
    "bool": lambda lead, queries, keys, dtype: (np.tri(queries, keys, keys // 2, dtype=bool), None),
    "heads": lambda lead, queries, keys, dtype: (normal(*lead, queries, keys, dtype=dtype), None),
    "padding": lambda lead, queries, keys, dtype: (None, _hidden_end(lead, keys)),
    "both": lambda lead, queries, keys, dtype: (normal(queries, keys, dtype=dtype), _hidden_end(lead, keys)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keep", ["nothing", "probabilities", "logarithms"])
@pytest.mark.parametrize("masks", ["none", "causal", *MASKS_OF])
@pytest.mark.parametrize(("lead", "queries", "keys", "n", "m"), SHAPES)
def test_attention_of_the_engine_has_the_bits_of_the_python_code(
    lead, queries, keys, n, m, masks, keep, dtype, monkeypatch
):
    monkeypatch.setattr(module, "KEPT", 0 if keep == "logarithms" else 1 << 30)
    arrays = qkv(*lead, queries=queries, keys=keys, n=n, m=m, dtype=dtype)
    mask, padding = MASKS_OF.get(masks, lambda *_: (None, None))(lead, queries, keys, dtype)
    settings = {"is_causal": masks == "causal", "scale": 0.3, "keep": keep != "nothing"}
    y, saved = op.forward(*arrays, mask, padding, None, **settings)
    monkeypatch.setattr(module, "_attend", None)
    again, saved_again = op.forward(*arrays, mask, padding, None, **settings)
    assert y.tobytes() == again.tobytes()
    assert [a.tobytes() for a in saved] == [a.tobytes() for a in saved_again]


@pytest.mark.skipif(module._attend_back is None, reason="compares C with NumPy")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keep", ["probabilities", "logarithms"])
@pytest.mark.parametrize("masks", ["none", "causal", *MASKS_OF])
@pytest.mark.parametrize(("lead", "queries", "keys", "n", "m"), SHAPES)
def test_gradients_of_attention_in_c_have_the_bits_of_the_python_code(
    lead, queries, keys, n, m, masks, keep, dtype, monkeypatch
):
    monkeypatch.setattr(module, "KEPT", 0 if keep == "logarithms" else 1 << 30)
    arrays = qkv(*lead, queries=queries, keys=keys, n=n, m=m, dtype=dtype)
    mask, padding = MASKS_OF.get(masks, lambda *_: (None, None))(lead, queries, keys, dtype)
    settings = {"is_causal": masks == "causal", "scale": 0.3}
    y, saved = op.forward(*arrays, mask, padding, None, **settings)
    done = []
    back = module._attend_back
    for needs in [(True, True, True), (True, False, False), (False, True, False), (False, False, True)]:
        g = normal(*y.shape, dtype=dtype)
        for gradient in (g, strided(g), np.broadcast_to(g[..., :1], g.shape)):
            found = []
            for function in (lambda *args: done.append(back(*args)) or done[-1], None):
                monkeypatch.setattr(module, "_attend_back", function)
                found.append(
                    op.joint(
                        gradient, y, *arrays, mask, padding, None, saved=saved, needs=(*needs, False, False, False),
                        **settings,
                    )[:3]
                )  # fmt: skip
            for c, python, need in zip(*found, needs, strict=True):
                assert (c is None) == (python is None) == (not need)
                assert c is None or c.tobytes() == python.tobytes()
    assert done[0] == (queries > 1 and keys > 1)


@pytest.mark.skipif(module._attend_back is None, reason="compares C with NumPy")
def test_gradients_of_attention_in_c_know_what_numpy_does_with_a_matrix_and_itself(monkeypatch):
    q, k, v = qkv(1, 2, queries=32, keys=32, n=8, m=32, dtype=np.float32)
    y, saved = op.forward(q, k, v, None, None, None, is_causal=False, scale=0.3)
    found = []
    for function in (module._attend_back, None):
        monkeypatch.setattr(module, "_attend_back", function)
        needs = (True, True, True, False, False, False)
        found.append(op.joint(v, y, q, k, v, None, None, None, saved=saved, needs=needs, is_causal=False, scale=0.3))
    for c, python in zip(found[0][:3], found[1][:3], strict=True):
        assert c.tobytes() == python.tobytes()


@pytest.mark.skipif(engine.name != "cython", reason="of the Cython engine")
@pytest.mark.parametrize(("factor", "expected"), [(1.0, True), (300.0, False), (math.nan, False)])
def test_engine_attends_only_where_scores_need_no_shift(factor, expected, monkeypatch):
    done = []
    attend = module._attend
    monkeypatch.setattr(module, "_attend", lambda *args: done.append(attend(*args)) or done[-1])
    arrays = [factor * a for a in qkv(2, 3, queries=6, keys=6, dtype=np.float32)]
    y, _ = op.forward(*arrays, None, None, None, is_causal=True, scale=1.0)
    assert done == [expected]
    monkeypatch.setattr(module, "_attend", None)
    np.testing.assert_array_equal(y, op.forward(*arrays, None, None, None, is_causal=True, scale=1.0)[0])


def test_attention_of_tiny_scores_is_shifted():
    arrays = qkv(2, 2, queries=5, keys=5, n=4, m=4, dtype=np.float32)
    arrays[0], arrays[1] = np.full_like(arrays[0], 8.0), np.full_like(arrays[1], -8.0)  # scores of -256
    y = sdpa(*map(engine.wrap, arrays), scale=1.0)._array
    # Means of five numbers of about 1, which may be near 0: an error of their sum is one of the numbers' size.
    np.testing.assert_allclose(y, np.broadcast_to(arrays[2].mean(-2, keepdims=True), y.shape), 1e-6, 1e-7)


@pytest.mark.skipif(engine.name == "python", reason="compares C with NumPy")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("keys", [1, 2, 63, 64, 65, 200, 1000])
def test_one_query_gives_the_same_bits_in_c_and_in_numpy(keys, heads, recorded, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    found = []
    for lead, lies_apart in itertools.product(((1, heads), (3, heads)), (False, True)):
        q, k, v = (rng.standard_normal((*lead, t, n)).astype(dtype) for t, n in ((1, 8), (keys, 8), (keys, 5)))
        if lies_apart:
            q, k, v = (np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2) for a in (q, k, v))
        mask = npg.from_numpy(rng.standard_normal((1, keys)).astype(dtype))
        for attend, added in itertools.product((module._attend, None), (None, mask)):
            with monkeypatch.context() as patch:
                patch.setattr(module, "_attend", attend)
                tensors = [npg.from_numpy(a).detach().requires_grad_(recorded) for a in (q, k, v)]
                y = F.scaled_dot_product_attention(*tensors, attn_mask=added)
                grads = npg.autograd.grad(y.sum(), tensors) if recorded else ()
                found.append([t.detach().numpy() for t in (y, *grads)])
        for a, b in ((0, 2), (1, 3)):
            for x, e in zip(found[-4 + a], found[-4 + b], strict=True):
                np.testing.assert_array_equal(x, e)
