"""Activation modules and the functions that they call."""

import itertools
import pickle

import pytest

import npg
from npg.nn.modules import activation
from npg.ops import joining
from tests.twins import agree, attempt, warned

CLASSES = [
    value
    for value in vars(activation).values()
    if isinstance(value, type) and isinstance(vars(value).get("function"), str)
]


@pytest.mark.parametrize("module", CLASSES)
def test_module_calls_what_nn_functional_has(module, monkeypatch):
    """As PyTorch's do: who replaces a function replaces it in the modules too."""
    monkeypatch.setattr(npg.nn.functional, module.function, lambda *_args, **_settings: "replaced")
    arguments = {activation.Threshold: (0.1, 20)}.get(module, ())
    assert module(*arguments)(npg.ones(2, 2)) == "replaced"


# ----- MultiheadAttention -----


def heads(lib, *args, **kwargs):
    """Return a module in float64, of which every parameter is drawn, the biases too."""
    module = lib.nn.MultiheadAttention(*args, dtype=lib.float64, **kwargs)
    with lib.no_grad():
        for name, p in module.named_parameters():
            if "bias" in name:
                p.copy_(lib.randn(p.shape, dtype=p.dtype))
    return module


def drawn(lib, *shape):
    return lib.randn(shape, dtype=lib.float64, requires_grad=True)


def outcome(lib, module, *inputs, **kwargs):
    """Return output and weights, and the gradients of the inputs, the masks and the parameters."""
    y, weights = module(*inputs, **kwargs)
    masks = [kwargs.get("attn_mask"), kwargs.get("key_padding_mask")]
    leaves = [*dict.fromkeys(inputs), *(m for m in masks if m is not None and m.requires_grad)]
    leaves += [p for p in module.parameters() if p is not None]
    loss = y.sin().sum() if weights is None else y.sin().sum() + weights.cos().sum()
    return y, y.stride(), weights, lib.autograd.grad(loss, leaves)


MOVES_NOTHING = {
    *("ViewBackward0", "PermuteBackward0", "TransposeBackward0", "SplitBackward0", "SplitWithSizesBackward0"),
    *("ScaledDotProductFlashAttentionForCpuBackward0", "torch::autograd::AccumulateGrad"),
}
CONSTRUCTIONS = [
    {},
    {"bias": False, "batch_first": True},
    {"kdim": 5, "vdim": 3},
    {"kdim": 5, "vdim": 3, "bias": False, "batch_first": True},
    {"add_bias_kv": True},
    {"add_zero_attn": True, "add_bias_kv": True, "batch_first": True},
    {"dropout": 0.4},
]


@pytest.mark.parametrize("settings", CONSTRUCTIONS, ids=str)
def test_attention_of_heads_is_torchs(settings):
    """With and without weights and masks, over one, two and three inputs, with and without a batch."""

    def program(lib):
        module = heads(lib, 8, 2, **settings)
        kdim, vdim = settings.get("kdim", 8), settings.get("vdim", 8)
        for lead, need_weights in itertools.product(((), (3,)), (True, False)):

            def input(length, features):
                shape = (*lead, length) if settings.get("batch_first") else (length, *lead)  # noqa: B023
                return drawn(lib, *shape, features)

            x, k, v = input(4, 8), input(5, kdim), input(5, vdim)
            calls = [(x, k, v)] if kdim != 8 else [(x, x, x), (x, k, k), (x, k, v)]
            for inputs in calls:
                keys = 4 if inputs[1] is x else 5
                hidden = lib.rand(*lead, keys) < 0.3
                hidden[..., 0] = False
                masks = [
                    None,
                    lib.randn(4, keys, dtype=lib.float64, requires_grad=True),
                    lib.randn(2 * (lead or (1,))[0], 4, keys, dtype=lib.float64, requires_grad=True),
                    lib.ones(4, keys, dtype=lib.bool).triu(1),
                ]
                for mask, padding in itertools.product(masks, (None, hidden)):
                    kwargs = {"attn_mask": mask, "key_padding_mask": padding, "need_weights": need_weights}
                    yield warned(lambda: outcome(lib, module, *inputs, **kwargs))  # noqa: B023
                if mask is not None:
                    yield outcome(lib, module, *inputs, attn_mask=mask, need_weights=need_weights, is_causal=True)
                yield module(*inputs, average_attn_weights=False, need_weights=need_weights)
                yield module.eval()(*inputs, need_weights=need_weights)
                module.train()

    agree(program)


def test_attention_refuses_what_torch_refuses():
    def program(lib):
        for args in ((0, 1), (4, 0), (5, 2)):
            yield attempt(lambda: lib.nn.MultiheadAttention(*args))  # noqa: B023
        m, x = lib.nn.MultiheadAttention(4, 2), lib.ones(3, 2, 4)
        separate = lib.nn.MultiheadAttention(4, 2, kdim=3, vdim=2)
        one, two, three = lib.zeros(3), lib.zeros(3, 3), lib.zeros(4, 3, 3)
        for inputs, kwargs in [
            ((x[0, 0], x, x), {}),
            ((x, x[0], x), {}),
            ((x[0], x, x), {}),
            ((x, x, x), {"key_padding_mask": one}),
            ((x[0], x[0], x[0]), {"key_padding_mask": two}),
            ((x, x, x), {"attn_mask": one}),
            ((x[:, 0], x[:, 0], x[:, 0]), {"attn_mask": one}),
            ((x[:, 0], x[:, 0], x[:, 0]), {"attn_mask": three}),
            ((x, x, x), {"attn_mask": two[:2]}),
            ((x, x, x), {"attn_mask": three[:2]}),
            ((x, x, x), {"attn_mask": two.int()}),
            ((x, x, x), {"key_padding_mask": two[:2].int()}),
            ((x, x, x), {"key_padding_mask": two}),
            ((x, x, x), {"key_padding_mask": two[:2, :2]}),
            ((x, x, x), {"attn_mask": two.double()}),
            ((x, x, x), {"attn_mask": two.double(), "need_weights": False}),
            ((x, x, x), {"attn_mask": two.bool(), "key_padding_mask": two[:2]}),
            ((x, x, x), {"is_causal": True}),
            ((x[..., :3], x, x), {}),
            ((x, x[:2], x), {}),
            ((x, x[..., :3], x[..., :3]), {}),
            ((x, x[:, :1], x[:, :1]), {}),
            ((x.double(), x.double(), x.double()), {}),
        ]:
            yield warned(lambda: attempt(lambda: m(*inputs, **kwargs)))  # noqa: B023
        for inputs in [(x, x, x), (x, x[..., :3], x[:2, :, :2]), (x, x[..., :3], x[..., :3])]:
            yield attempt(lambda: separate(*inputs))  # noqa: B023

    agree(program)


def test_attention_function_takes_what_no_module_gives():
    """Static keys and values, and weights, biases or rows that do not belong together."""

    def program(lib):
        x, w = lib.randn(3, 2, 4), lib.randn(12, 4)
        static, row = lib.randn(4, 5, 2), lib.randn(1, 1, 4)
        q = w[:4]

        def call(weight=w, bias=None, bias_k=None, bias_v=None, heads=2, **kwargs):
            return attempt(
                lambda: lib.nn.functional.multi_head_attention_forward(
                    x, x, x, 4, heads, weight, bias, bias_k, bias_v, False, 0.0, q, None, **kwargs
                )
            )

        separate = {"use_separate_proj_weight": True, "q_proj_weight": q, "k_proj_weight": q, "v_proj_weight": q}
        yield call(static_k=static, static_v=static)
        yield call(static_k=static, static_v=static, key_padding_mask=lib.zeros(2, 5), need_weights=False)
        yield call(static_k=static, static_v=static, bias_k=row, bias_v=row)
        yield call(static_k=static[:2]), call(static_v=static[:2])
        yield call(static_k=static[..., :1]), call(static_v=static[..., :1])
        yield call(bias_k=row), call(bias_v=row), call(heads=3), call(weight=None)
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
            yield call(**separate | {name: None}), call(**separate | {name: w})
        yield call(**separate), call(bias=w[:, 0], **separate), call(bias=w[:6, 0], **separate)

    agree(program)


def test_attention_prints_and_keeps_what_torchs_does():
    def program(lib):
        for settings in CONSTRUCTIONS:
            m = lib.nn.MultiheadAttention(8, 2, **settings)
            yield repr(m), dict(m.state_dict())
            yield sorted((k, v) for k, v in vars(m).items() if not k.startswith("_") and not lib.is_tensor(v))
        m.__setstate__({k: v for k, v in vars(m).items() if k != "_qkv_same_embed_dim"})
        yield m._qkv_same_embed_dim
        x, two, three, hidden = lib.ones(2, 3, 8), lib.randn(3, 3), lib.randn(4, 3, 3), lib.randn(2, 3)
        for mask, padding in itertools.product((None, two, three), (None, hidden)):
            yield m.merge_masks(mask, padding, x)

    agree(program)
    m = npg.nn.MultiheadAttention(4, 2)
    assert npg.equal(pickle.loads(pickle.dumps(m)).in_proj_weight, m.in_proj_weight)


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_in_vmap_and_grad_is_that_of_each(need_weights):
    module = heads(npg, 4, 2)
    xs, hidden = npg.randn(3, 5, 4, dtype=npg.float64), npg.rand(3, 5) < 0.4
    hidden[:, 0] = False

    def loss(parameters, x, padding):
        y, _ = npg.func.functional_call(module, parameters, (x, x, x, padding, need_weights))
        return y.sin().sum()

    parameters = dict(module.named_parameters())
    found = npg.func.vmap(npg.func.grad(loss), in_dims=(None, 0, 0))(parameters, xs, hidden)
    for i in range(3):
        expected = npg.func.grad(loss)(parameters, xs[i], hidden[i])
        assert all(npg.allclose(found[name][i], expected[name], atol=1e-12) for name in expected)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("of_one", [True, False])
def test_attention_without_weights_moves_no_data_between_products(batch_first, of_one, monkeypatch):
    """The heads are views of the projections, and so are their gradients, in both orders."""
    joined, cat = [], joining.cat
    monkeypatch.setattr(joining, "cat", lambda *parts, dim: (joined.append(parts[0].ndim), cat(*parts, dim=dim))[1])
    module = npg.nn.MultiheadAttention(8, 2, batch_first=batch_first)
    x = npg.randn(3, 4, 8, requires_grad=True)
    keys = x if of_one else npg.randn(3, 4, 8, requires_grad=True)
    y, _ = module(x, keys, keys, need_weights=False)
    assert (y.transpose(0, 1) if batch_first else y).is_contiguous()  # as PyTorch's
    nodes, names = [y.grad_fn], set()
    while nodes:
        node = nodes.pop()
        names.add(node.name())
        nodes += [n for n, _ in node.next_functions if n is not None]
    assert names <= MOVES_NOTHING
    y.backward(npg.randn(3, 4, 8))
    assert 3 not in joined  # the parts of the weight and of the bias are joined, but no activations
