"""Transformers against torch: draws, training steps, masks, padding in evaluation, texts."""

import copy
import inspect
import itertools
import math
import pickle

import pytest
import torch

import npg
from tests.twins import agree, attempt, warned

SHAPE = {"d_model": 8, "nhead": 2, "dim_feedforward": 12}
CLASSES = (
    "TransformerEncoderLayer",
    "TransformerDecoderLayer",
    "Transformer",
    "TransformerEncoder",
    "TransformerDecoder",
)


def stack(lib, kind, layers=2, **settings):
    """Return an encoder or decoder in float64."""
    settings = SHAPE | {"dtype": lib.float64} | settings
    layer = getattr(lib.nn, f"Transformer{kind}Layer")(**settings)
    return getattr(lib.nn, f"Transformer{kind}")(layer, layers)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_training_steps_give_the_same_numbers(batch_first, norm_first):
    """With dropout, in attention and around it: its draws depend on how tensors lie in memory."""

    def program(lib):
        layers = {"num_encoder_layers": 2, "num_decoder_layers": 1, "dropout": 0.2, "dtype": lib.float64}
        model = lib.nn.Transformer(**SHAPE, **layers, batch_first=batch_first, norm_first=norm_first)
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
        lead = (3, 5) if batch_first else (5, 3)
        src, tgt = lib.randn(*lead, 8, dtype=lib.float64), lib.randn(*lead, 8, dtype=lib.float64)
        mask = model.generate_square_subsequent_mask(5, dtype=lib.float64)
        for _ in range(2):
            optimizer.zero_grad()
            y = model(src, tgt, tgt_mask=mask)
            loss = (y - tgt).square().mean()
            loss.backward()
            optimizer.step()
            yield loss, y.stride()
        yield dict(model.state_dict())

    agree(program)


@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_masks_and_hints_are_torchs(kind):
    def program(lib):
        model = stack(lib, kind, batch_first=True, dropout=0.0)
        x, memory = (lib.randn(2, n, 8, dtype=lib.float64) for n in (4, 3))
        causal = lib.nn.Transformer.generate_square_subsequent_mask(4, dtype=lib.float64)
        masks = [None, causal, causal == 0, causal.isinf(), lib.randn(4, 4, dtype=lib.float64), causal.expand(4, 4, 4)]
        hidden = lib.tensor([[False, False, False, True], [False, True, False, False]])
        for mask, padding, hint in itertools.product(masks, (None, hidden), (None, False, True)):
            if kind == "Encoder":
                kwargs = {"mask": mask, "src_key_padding_mask": padding, "is_causal": hint}
                inputs = [x]
            else:
                kwargs = {"tgt_mask": mask, "tgt_key_padding_mask": padding, "tgt_is_causal": hint}
                inputs = [x, memory]
            yield warned(lambda: attempt(lambda: model(*inputs, **kwargs)))  # noqa: B023
        if kind == "Decoder":
            masks = {"memory_mask": masks[4][:, :3], "memory_key_padding_mask": hidden[:, 1:]}
            yield warned(lambda: model(x, memory, **masks))
        yield model(*(t[0] for t in inputs))

    agree(program)


def test_encoder_returns_zeros_at_padding_where_torchs_is_nested():
    """In evaluation without gradients, unless a setting, a mask, or padding that is not at the end prevents it."""

    def program(lib):
        x = lib.randn(3, 4, 8, dtype=lib.float64)
        at_end = lib.tensor([[False] * 4, [False, False, True, True], [True] * 4])
        within = lib.tensor([[False] * 4, [False, True, False, True], [False] * 4])
        floating = lib.where(at_end, -math.inf, 0.0).to(lib.float64)
        for settings in ({}, {"batch_first": True}, {"batch_first": True, "bias": False}):
            for options in ({}, {"enable_nested_tensor": False}, {"norm": lib.nn.LayerNorm(8, dtype=lib.float64)}):
                layer = lib.nn.TransformerEncoderLayer(**SHAPE, **settings, dtype=lib.float64)
                model, seen = warned(lambda: lib.nn.TransformerEncoder(layer, 2, **options))  # noqa: B023
                yield seen, model.use_nested_tensor, model.enable_nested_tensor
                model.eval()
                inputs = x if settings.get("batch_first") else x.transpose(0, 1)
                for padding in (at_end[:2], within, floating[:2]):
                    part = inputs[: len(padding)] if settings.get("batch_first") else inputs[:, : len(padding)]
                    with lib.no_grad():
                        yield warned(lambda: model(part, src_key_padding_mask=padding))[0]  # noqa: B023
                    yield model(part, src_key_padding_mask=padding).detach()
        with lib.no_grad():
            model = stack(lib, "Encoder", batch_first=True).eval()
            yield warned(lambda: model(x, src_key_padding_mask=at_end))[0]  # PyTorch's are a prototype, and warn
            yield model(
                x,
                mask=lib.zeros(4, 4, dtype=lib.float64),
                src_key_padding_mask=lib.where(within, -math.inf, 0.0).to(x.dtype),
            )
            lib.backends.mha.set_fastpath_enabled(False)
            try:
                yield model(x[:2], src_key_padding_mask=at_end[:2])
            finally:
                lib.backends.mha.set_fastpath_enabled(True)

    agree(program)


ACTIVATIONS = ["'relu'", "'gelu'", "F.relu", "F.gelu", "F.silu", "nn.ReLU()", "nn.GELU()", "nn.SiLU()", "'tanh'"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_is_a_name_a_function_or_a_module(activation):
    def program(lib):
        for kind in ("Encoder", "Decoder"):

            def build():
                given = eval(activation, {"nn": lib.nn, "F": lib.nn.functional})
                return getattr(lib.nn, f"Transformer{kind}Layer")(**SHAPE, activation=given, dropout=0.0)  # noqa: B023

            layer = attempt(build)
            if isinstance(layer, str):
                yield layer
                continue
            yield repr(layer), dict(layer.state_dict()), getattr(layer, "activation_relu_or_gelu", None)
            yield warned(lambda: getattr(lib.nn, f"Transformer{kind}")(layer, 1))[1]  # noqa: B023
            x = lib.randn(3, 2, 8)
            yield layer(x) if kind == "Encoder" else layer(x, x)

    agree(program)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
def test_transformer_draws_prints_and_refuses_as_torchs():
    def program(lib):
        model = lib.nn.Transformer(8, 2, 1, 2, 12, bias=False)
        yield repr(model), dict(model.state_dict()), (model.d_model, model.nhead, model.batch_first)
        x = lib.ones(3, 2, 8)
        yield attempt(lambda: model(x, x[:, :1]))
        yield attempt(lambda: model(x, x[..., :4]))
        yield attempt(lambda: lib.nn.Transformer(8, 2, 1, 1, batch_first=True)(x, x[:1]))
        yield attempt(lambda: lib.nn.Transformer(8, 3))
        yield attempt(lambda: lib.nn.TransformerEncoderLayer(8, 2)(x, is_causal=True))
        yield attempt(lambda: stack(lib, "Encoder")(x.double(), lib.zeros(3, 3, dtype=lib.int64)))
        yield attempt(lambda: stack(lib, "Decoder")(x.double(), x.double(), lib.zeros(3, 3, dtype=lib.int64)))
        custom = lib.nn.Transformer(8, 2, custom_encoder=lib.nn.Linear(8, 8), custom_decoder=lib.nn.ReLU())
        yield repr(custom), dict(custom.state_dict())
        for dtype in (None, lib.float64):
            yield model.generate_square_subsequent_mask(3, dtype=dtype)

    agree(program)


def test_signatures_are_torchs():
    def of(lib, name, method):
        parameters = inspect.signature(getattr(getattr(lib.nn, name), method)).parameters.values()
        return [(p.name, getattr(p.default, "__name__", p.default)) for p in parameters]

    for name, method in itertools.product(CLASSES, ("__init__", "forward")):
        assert of(npg, name, method) == of(torch, name, method)


def test_floating_masks_are_added_in_evaluation_too():
    """PyTorch's fast path takes them for bool ones."""
    model = stack(npg, "Encoder", batch_first=True, dropout=0.0)
    x, mask, padding = (npg.randn(2, *shape, dtype=npg.float64) for shape in ((4, 8), (4, 4), (4,)))
    for kwargs in ({"mask": mask[0]}, {"src_key_padding_mask": padding}):
        expected = model.train()(x, **kwargs)
        with npg.no_grad():
            assert npg.equal(model.eval()(x, **kwargs), expected)


def test_copies_and_pickles_compute_the_same_and_old_ones_have_an_activation():
    layer = npg.nn.TransformerEncoderLayer(**SHAPE, dropout=0.0)
    x = npg.randn(3, 2, 8)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert npg.equal(other(x), layer(x))
    state = {k: v for k, v in vars(layer).items() if k != "activation"}
    for kind in (npg.nn.TransformerEncoderLayer, npg.nn.TransformerDecoderLayer):
        old = kind.__new__(kind)
        old.__setstate__(dict(state))
        assert old.activation is npg.nn.functional.relu


def test_an_encoder_in_vmap_and_grad_is_that_of_each():
    model = stack(npg, "Encoder", 1, batch_first=True, dropout=0.0)
    mask = npg.nn.Transformer.generate_square_subsequent_mask(4, dtype=npg.float64)
    xs, parameters = npg.randn(3, 4, 8, dtype=npg.float64), dict(model.named_parameters())

    def loss(parameters, x):
        return npg.func.functional_call(model, parameters, (x, mask)).sin().sum()

    found = npg.func.vmap(npg.func.grad(loss), in_dims=(None, 0))(parameters, xs)
    for i in range(3):
        expected = npg.func.grad(loss)(parameters, xs[i])
        assert all(npg.allclose(found[name][i], expected[name], atol=1e-12) for name in expected)
