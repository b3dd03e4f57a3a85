"""flex_attention and its masks against PyTorch on a CPU; gradients, which it refuses there, against the definition."""

import itertools
import warnings

import pytest
import torch
from torch.nn.attention import flex_attention as theirs

import npg
from npg.func import vmap
from npg.nn.attention import flex_attention as ours
from tests.helpers import assert_same_error
from tests.twins import agree, attempt

MODULES = {npg: ours, torch: theirs}


@pytest.fixture(autouse=True)
def _as_written(monkeypatch):
    """Without its compiler PyTorch runs what it would compile, without a warning, and in a hundredth of the time."""
    monkeypatch.setattr(theirs, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    ours._warn_of_lse.cache_clear()


# ----- Masks of functions -----

MASKS = {
    "causal": "lambda b, h, q, k: q >= k",
    "window": "lambda b, h, q, k: (q - k).abs() <= 2",
    "of the batch": "lambda b, h, q, k: k < L.tensor([2, 3])[b]",
    "of the head": "lambda b, h, q, k: (q - k).abs() <= h",
    "documents": "lambda b, h, q, k: (D[q] == D[k]) & (q >= k)",
    "none": "lambda b, h, q, k: q < 0",
    "some rows none": "lambda b, h, q, k: (q >= k) & (q != 2)",
    "and": "M.and_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: k > 0)",
    "or": "M.or_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: k == 3, M.noop_mask)",
    "or of none": "M.or_masks()",
}
SCORES = {
    "bias": "lambda s, b, h, q, k: s + (k - q)",
    "of the head": "lambda s, b, h, q, k: s * (h + 1) + b",
    "capped": "lambda s, b, h, q, k: 2 * L.tanh(s / 2)",
    "hidden": "lambda s, b, h, q, k: L.where(q >= k, s, -float('inf'))",
    "table": "lambda s, b, h, q, k: s + W[h, (q - k).clamp(-3, 3) + 3]",
}


def made(lib, text):
    names = {
        "L": lib,
        "M": MODULES[lib],
        "D": lib.tensor([0, 0, 0, 1, 1, 1, 1, 2]),
        "W": lib.linspace(-1, 1, 28).view(4, 7),
    }
    return eval(text, names)


@pytest.mark.parametrize("name", [*MASKS, "scores"])
def test_mask_of_a_function_is_pytorchs(name):
    text = SCORES["hidden"] if name == "scores" else MASKS[name]

    def program(lib):
        yield MODULES[lib].create_mask(made(lib, text), 2, 3, 4, 5)
        yield tuple(MODULES[lib].create_mask(made(lib, text), None, None, 2, 2).shape)

    agree(program)


def test_functions_of_other_arguments_are_refused():
    for make in ("create_mask", "create_block_mask"):
        assert_same_error(
            lambda make=make: getattr(ours, make)(lambda a: a, 1, 1, 1, 1),
            lambda make=make: getattr(theirs, make)(lambda a: a, 1, 1, 1, 1),
        )
    for name in ("and_masks", "or_masks"):
        assert_same_error(lambda name=name: getattr(ours, name)(3), lambda name=name: getattr(theirs, name)(3))
    for call in (
        lambda module: module.create_block_mask(lambda b, h, q, k: q, 1, 1, 4, 4),
        lambda module: module.create_block_mask(lambda b, h, q, k: q > k, 1, 1, 4, 4, dq_kv_order=None),
    ):
        assert_same_error(lambda call=call: call(ours), lambda call=call: call(theirs))
    with pytest.raises(AssertionError, match="create-block_mask requires a mask_mod function! Got <function"):
        ours.create_block_mask(lambda s, b, h, q, k: s, 1, 1, 4, 4)


# ----- Masks of blocks -----


def facts(mask):
    """Return all of a mask that can be compared; what stands behind the blocks of a row has no meaning."""
    return [*mask.as_tuple()[:-1], mask.shape, mask.numel(), mask.sparsity(), mask.to_dense(), repr(mask), str(mask)]


@pytest.mark.parametrize("name", ["causal", "window", "of the batch", "documents", "none"])
@pytest.mark.parametrize("settings", [{}, {"separate_full_blocks": False}, {"BLOCK_SIZE": (2, 3)},
    {"compute_dq_write_order": True}, {"compute_dq_write_order": True, "dq_kv_order": False}])  # fmt: skip
def test_block_mask_is_pytorchs(name, settings):
    def program(lib):
        text, lengths = MASKS[name], (8, 8) if name == "documents" else (8, 10)
        mask = MODULES[lib].create_block_mask(made(lib, text), 2, 3, *lengths, "cpu", **{"BLOCK_SIZE": 2} | settings)
        yield facts(mask)
        for index in ((0,), (0, 1), (-1, slice(1, 3)), (slice(None), 0, slice(0, 2)), (0, 0, lib.tensor([1, 0]))):
            part = mask[index if len(index) > 1 else index[0]]
            yield facts(part), attempt(lambda: part.mask_mod(0, 0, 0, 0))  # noqa: B023
        yield facts(mask._adjust(5, 4)), facts(mask._adjust(3, 10)), facts(mask.to("cpu"))
        yield [mask.to_string(g, limit) for g, limit in ((-1, 1), (2, 9), ((3, 1), 2))]
        yield mask.as_tuple(False)[:2], len(mask.as_tuple(False)), len(mask.as_tuple())

    agree(program)


def test_block_masks_of_their_parts_are_pytorchs():
    def program(lib):
        kind = MODULES[lib].BlockMask
        count = lib.tensor([[[2, 1]]], dtype=lib.int32)
        places = lib.tensor([[[[1, 0, 2], [2, 1, 0]]]], dtype=lib.int32)
        yield facts(kind.from_kv_blocks(count, places, BLOCK_SIZE=4))
        yield facts(kind.from_kv_blocks(count, places, count, places, BLOCK_SIZE=(4, 2), seq_lengths=(7, 5)))
        yield facts(kind.from_kv_blocks(count, places, compute_q_blocks=False))
        yield facts(kind.from_kv_blocks(count, places, dq_kv_order=True))
        ordered = kind.from_kv_blocks(count, places, dq_kv_order=places[..., 0, :])
        yield facts(ordered)
        for wrong in (
            lambda: kind.from_kv_blocks(count, places[0, 0, 0]),
            lambda: kind.from_kv_blocks(count, places, count),
            lambda: kind.from_kv_blocks(count, places, dq_kv_order="x"),
            lambda: kind.from_kv_blocks(count, places, dq_write_order_full=count),
            lambda: kind((1, 1), None, places, *[None] * 6),
            lambda: kind((1, 1), count, places, None, None, None, None, count, None),
            lambda: ordered[0],
            lambda: ordered._adjust(1, 1),
        ):
            yield attempt(wrong)

    agree(program)


# ----- Attention -----


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", [None, *MASKS])
def test_attention_with_a_mask_is_pytorchs(name, dtype):
    def program(lib):
        q, k, v = (lib.randn(2, 4, 8, n).to(getattr(lib, dtype)) for n in (6, 6, 5))
        mask = None if name is None else MODULES[lib].create_block_mask(made(lib, MASKS[name]), 2, 4, 8, 8, "cpu", 4)
        attend = MODULES[lib].flex_attention
        yield attend(q, k, v, block_mask=mask), attend(q, k, v, block_mask=mask, scale=0.3)
        yield attend(q, k[:, :2], v[:, :2], block_mask=mask, enable_gqa=True)
        y, aux = attend(q, k, v, block_mask=mask, return_aux=MODULES[lib].AuxRequest(lse=True))
        yield y, list(aux)
        yield list(attend(q, k, v, block_mask=mask, return_aux=MODULES[lib].AuxRequest())[1])
        if name is not None:
            yield attend(q, k[:1], v[:1], block_mask=mask)
        turned = q.transpose(1, 2).contiguous().transpose(1, 2)
        for x in (turned, q.permute(1, 0, 2, 3).contiguous().permute(1, 0, 2, 3)):
            yield attend(x, k, v, block_mask=mask).stride()

    agree(program)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("mask_name", [None, "causal", "some rows none"])
def test_attention_with_scores_of_a_function_is_pytorchs(name, mask_name):
    def program(lib):
        q, k, v = (lib.randn(2, 4, 8, 6) for _ in range(3))
        module = MODULES[lib]
        mask = None if mask_name is None else module.create_block_mask(made(lib, MASKS[mask_name]), 2, 4, 8, 8, "cpu")
        score, request = made(lib, SCORES[name]), module.AuxRequest(True)
        yield module.flex_attention(q, k, v, score, mask)
        y, aux = module.flex_attention(q, k[:, :2], v[:, :2], score, mask, 0.5, True, return_aux=request)
        yield y, list(aux)
        yield module.flex_attention(q.transpose(1, 2).contiguous().transpose(1, 2), k, v, score, mask).stride()

    agree(program)


def test_returned_lse_is_deprecated():
    q = npg.randn(1, 1, 3, 4)
    with pytest.warns(FutureWarning, match="return_lse is deprecated"):
        y, lse = ours.flex_attention(q, q, q, return_lse=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once
        assert npg.equal(ours.flex_attention(q, q, q, return_lse=True)[1], lse)
    assert npg.allclose(lse, (q @ q.mT / 2).logsumexp(-1)) and y.shape == q.shape


REFUSED = {
    "widths": "M.flex_attention(z(2, 2, 5, 4), z(2, 2, 5, 3), z(2, 2, 5, 4))",
    "three dimensions": "M.flex_attention(*[z(2, 5, 4)] * 3)",
    "one dimension": "M.flex_attention(*[z(4)] * 3)",
    "heads": "M.flex_attention(z(2, 4, 5, 4), z(2, 2, 5, 4), z(2, 2, 5, 4))",
    "groups": "M.flex_attention(z(2, 4, 5, 4), z(2, 3, 5, 4), z(2, 3, 5, 4), enable_gqa=True)",
    "batches": "M.flex_attention(z(2, 2, 5, 4), z(1, 2, 5, 4), z(1, 2, 5, 4))",
    "batches of the mask": "M.flex_attention(z(2, 2, 5, 4), z(1, 2, 5, 4), z(1, 2, 5, 4), block_mask=B(1, 5, 5))",
    "batches of keys": "M.flex_attention(z(3, 2, 5, 4), z(2, 2, 5, 4), z(2, 2, 5, 4), block_mask=B(3, 5, 5))",
    "short mask": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, block_mask=B(1, 4, 5))",
    "long mask": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, block_mask=B(1, 5, 8))",
    "sliced mask": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, block_mask=B(1, 5, 5)[0])",
    "backend": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, kernel_options={'BACKEND': 'X'})",
    "backend and force": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, kernel_options={'BACKEND': 'TRITON', "
    "'FORCE_USE_FLEX_ATTENTION': True})",
    "output": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, kernel_options={'OUTPUT_MAX': True})",
    "lse twice": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, return_lse=True, return_aux=M.AuxRequest())",
    "flash": "M.flex_attention(*[z(2, 2, 5, 4)] * 3, kernel_options={'BACKEND': 'FLASH'}, "
    "return_aux=M.AuxRequest(max_scores=True))",
}


@pytest.mark.parametrize("name", REFUSED)
def test_attention_refuses_arguments_as_pytorchs(name):
    def program(lib):
        module = MODULES[lib]

        def block_mask(batch, queries, keys):
            return module.create_block_mask(lambda b, h, q, k: q >= k, batch, 1, queries, keys, "cpu")

        found = attempt(lambda: eval(REFUSED[name], {"M": module, "z": lib.zeros, "B": block_mask}))
        assert isinstance(found, str)
        yield found

    agree(program)


# ----- What PyTorch does on other devices only -----


@pytest.mark.parametrize("score_name", [None, *SCORES])
@pytest.mark.parametrize("mask_name", [None, "causal", "some rows none"])
def test_gradients_are_those_of_the_definition(score_name, mask_name):
    def program(lib):
        q, k, v = (lib.randn(2, 4, 8, 6, dtype=lib.float64, requires_grad=True) for _ in range(3))
        module = MODULES[lib]
        score = None if score_name is None else made(lib, SCORES[score_name])
        seen = lib.ones(2, 4, 8, 8, dtype=lib.bool)
        if mask_name is not None:
            seen = module.create_mask(made(lib, MASKS[mask_name]), 2, 4, 8, 8)
        if lib is npg:
            mask = None if mask_name is None else module.create_block_mask(made(lib, MASKS[mask_name]), 2, 4, 8, 8)
            y, aux = module.flex_attention(q, k, v, score, mask, return_aux=module.AuxRequest(True, True))
            y = y if score else module.flex_attention(q, k, v, None, mask)
            lse, top = aux
        else:
            s = q @ k.mT / 6**0.5
            places = [lib.arange(n).view([-1 if i == j else 1 for j in range(4)]) for i, n in enumerate((2, 4, 8, 8))]
            s = s if score is None else score(s, *places)
            s = s.masked_fill(~seen, -lib.inf)
            rows = s.isneginf().all(-1)
            safe = s.masked_fill(rows[..., None], 0.0)
            y = safe.softmax(-1).masked_fill(rows[..., None], 0.0) @ v
            lse, top = safe.logsumexp(-1).masked_fill(rows, -lib.inf), s.amax(-1)
        yield y.detach(), lse.detach(), top.detach()
        yield lib.autograd.grad(y.sin().sum() + lse.clamp(min=-9).sum(), (q, k, v))

    agree(program)


def test_gradient_of_a_table_in_the_scores_is_that_of_each_place():
    table = npg.zeros(4, 7, dtype=npg.float64, requires_grad=True)
    q = npg.randn(2, 4, 8, 6, dtype=npg.float64)

    def attend(table):
        return ours.flex_attention(q, q, q, lambda s, b, h, i, j: s + table[h, (i - j).clamp(-3, 3) + 3]).sin().sum()

    attend(table).backward()
    step = 1e-6
    for at in itertools.islice(itertools.product(range(4), range(7)), 0, None, 5):
        moved = npg.zeros(4, 7, dtype=npg.float64)
        moved[at] = step
        slope = (attend(moved) - attend(-moved)) / (2 * step)
        assert npg.allclose(table.grad[at], slope, atol=1e-7)


def test_masks_that_see_the_same_in_each_head_take_no_memory():
    mask = vmap(vmap(lambda b, h: npg.ones(3) > b, in_dims=(None, 0)), in_dims=(0, None))(npg.arange(2), npg.arange(4))
    assert mask.stride() == (3, 0, 1)
    block_mask = ours.create_block_mask(lambda b, h, q, k: q >= k, None, None, 8, 8)
    q = npg.randn(2, 4, 8, 6)
    expected = npg.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)
    assert npg.allclose(ours.flex_attention(q, q, q, block_mask=block_mask), expected, atol=1e-6)


def test_settings_of_kernels_are_named():
    options = ours.FlexKernelOptions(BLOCK_M=64, BACKEND="AUTO")
    q = npg.ones(1, 1, 2, 2)
    assert npg.equal(ours.flex_attention(q, q, q, kernel_options=options), q)
    assert set(ours.FlexKernelOptions.__annotations__) == set(theirs.FlexKernelOptions.__annotations__)


def test_other_dtypes_of_key_and_value_are_computed_in_float32():
    def program(lib):
        q, k, v = (lib.randn(1, 2, 5, 4).to(d) for d in (lib.float32, lib.float16, lib.float16))
        yield MODULES[lib].flex_attention(q, k, v)

    agree(program)
