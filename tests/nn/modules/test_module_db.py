"""Every module that npg offers over PyTorch's own module samples: initial state, output, gradients, repr, modes."""

import functools
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="compares with torch")
from torch.testing._internal.common_modules import module_db  # noqa: E402

import npg  # noqa: E402
from tests.helpers import Unsupported, assert_like, tensors_in, to_npg, to_torch  # noqa: E402

OFFERED = [info for info in module_db if info.name.startswith("nn.") and hasattr(npg.nn, info.name[3:])]


# PyTorch has no samples of these; other files test them.
ELSEWHERE = set(
    """
    AlphaDropout CosineSimilarity DataParallel Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout Flatten GeLU
    Hardsigmoid Identity Module ModuleDict ModuleList PairwiseDistance ParameterDict ParameterList Sequential
    TripletMarginLoss TripletMarginWithDistanceLoss Unflatten
""".split()
)


def test_modules_without_samples_are_these() -> None:
    classes = {name for name, value in vars(npg.nn).items() if isinstance(value, type)}
    modules = {name for name in classes if issubclass(getattr(npg.nn, name), npg.nn.Module)}
    assert modules - {info.name[3:] for info in OFFERED} == ELSEWHERE, "give it a test in tests/nn/modules, and name it"


@functools.cache
def samples(name: str, dtype: Any, training: bool) -> list[Any]:
    info = next(i for i in module_db if i.name == name)
    return list(info.module_inputs_func(info, "cpu", dtype, True, training))


def build(cls: Any, sample: Any, dtype: Any, convert: Any) -> Any:
    args, kwargs = convert(sample.constructor_input.args), convert(sample.constructor_input.kwargs)
    module = cls(*args, **kwargs)
    return module


def torch_leaves(x: Any) -> Any:
    """Return the samples' tensors as fresh leaves."""
    if isinstance(x, torch.Tensor):
        return x.detach().clone().requires_grad_(x.requires_grad)
    if isinstance(x, (list, tuple)):
        return type(x)(torch_leaves(v) for v in x)
    if isinstance(x, dict):
        return {k: torch_leaves(v) for k, v in x.items()}
    return x


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # kl_div, in both libraries
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("info", OFFERED, ids=lambda info: info.name)
def test_module_samples_agree_with_torch(info: Any, dtype: Any, training: bool) -> None:
    checked = 0
    for sample in samples(info.name, dtype, training):
        try:
            to_npg(sample.constructor_input.args), to_npg(sample.constructor_input.kwargs)
            to_npg(sample.forward_input.args if sample.forward_input else ())
        except Unsupported:
            continue
        torch.manual_seed(7)
        theirs = build(info.module_cls, sample, dtype, torch_leaves).to(dtype).train(training)
        npg.manual_seed(7)
        ours = build(getattr(npg.nn, info.name[3:]), sample, dtype, to_npg).to(to_npg(dtype)).train(training)
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for name, value in theirs.state_dict().items():
            assert_like(ours.state_dict()[name], value, f"initial {name}")
        if sample.forward_input is None:
            continue
        their_args, their_kwargs = torch_leaves(sample.forward_input.args), torch_leaves(sample.forward_input.kwargs)
        our_args, our_kwargs = to_npg(their_args), to_npg(their_kwargs)
        torch.manual_seed(11)
        expected = theirs(*their_args, **their_kwargs)
        npg.manual_seed(11)
        found = ours(*our_args, **our_kwargs)
        assert_like(found, expected, "output")
        checked += 1
        live = [(f, e) for f, e in zip(tensors_in(found), tensors_in(expected), strict=True) if e.requires_grad]
        for f, e in live:
            weights = torch.arange(e.numel(), dtype=e.dtype).cos().reshape(e.shape)
            e.backward(weights, retain_graph=True)
            f.backward(to_npg(weights), retain_graph=True)
        for f, e in zip(tensors_in((our_args, our_kwargs)), tensors_in((their_args, their_kwargs)), strict=True):
            if e.grad is not None:
                assert_like(f.grad, e.grad, "gradient of an input")
        for (name, f), (_, e) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            if e.grad is not None:
                # Sums of some hundred float32 terms, in another order.
                assert_like(f.grad, e.grad, f"gradient of {name}", atol=4e-6 if dtype is torch.float32 else None)
    assert checked or not samples(info.name, dtype, training)


def test_module_db_offers_what_the_names_say() -> None:
    names = {info.name[3:] for info in OFFERED}
    assert {"Linear", "Embedding", "LayerNorm", "GELU", "CrossEntropyLoss", "BCEWithLogitsLoss", "Softmax"} <= names
    assert to_torch(npg.ones(1)).dtype is torch.float32
