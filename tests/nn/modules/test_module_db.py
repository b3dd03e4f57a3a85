"""Every module that npg offers over PyTorch's own module samples: initial state, output, gradients, repr, modes."""

import copy
import functools
import math
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="compares with torch")
from torch.testing._internal.common_modules import module_db  # noqa: E402

import npg  # noqa: E402
from tests.helpers import Unsupported, assert_like, tensors_in, to_npg, to_torch  # noqa: E402

OFFERED = [
    info
    for info in module_db
    if info.name.startswith("nn.") and hasattr(npg.nn, info.name[3:]) and info.name != "nn.TransformerEncoder"
]  # the encoder's samples have a module of PyTorch's as argument


# PyTorch has no samples of these; other files test them.
ELSEWHERE = set(
    """
    AdaptiveLogSoftmaxWithLoss AlphaDropout ChannelShuffle Container CosineSimilarity CrossMapLRN2d DataParallel
    Dropout Dropout1d Dropout2d Dropout3d EmbeddingBag FeatureAlphaDropout Flatten Fold GeLU Hardsigmoid Identity
    LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d
    LazyLinear MaxUnpool1d MaxUnpool2d MaxUnpool3d Module ModuleDict ModuleList NLLLoss2d PairwiseDistance
    ParameterDict ParameterList PixelShuffle PixelUnshuffle RNNBase RNNCellBase RReLU Sequential SyncBatchNorm
    TransformerDecoder TransformerEncoder TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold Upsample
    UpsamplingBilinear2d UpsamplingNearest2d
""".split()
)


def test_modules_without_samples_are_these() -> None:
    classes = {name for name, value in vars(npg.nn).items() if isinstance(value, type)}
    modules = {name for name in classes if issubclass(getattr(npg.nn, name), npg.nn.Module)}
    assert modules - {info.name[3:] for info in OFFERED} == ELSEWHERE, "give it a test in tests/nn/modules, and name it"


@functools.cache
def samples(name: str, dtype: Any, training: bool) -> list[Any]:
    info = next(i for i in module_db if i.name == name)
    torch.manual_seed(0)  # the same samples, whichever tests ran before
    return list(info.module_inputs_func(info, "cpu", dtype, True, training))


def build(cls: Any, sample: Any, dtype: Any, convert: Any) -> Any:
    args, kwargs = convert(sample.constructor_input.args), convert(sample.constructor_input.kwargs)
    if convert is to_npg:
        args = [npg.nn.functional.gelu if x is torch.nn.functional.gelu else x for x in args]
    return cls(*args, **kwargs)


def torch_leaves(x: Any) -> Any:
    """Return the samples' tensors as fresh leaves."""
    if isinstance(x, torch.Tensor):
        return x.detach().clone().requires_grad_(x.requires_grad)
    if isinstance(x, (list, tuple)):
        return type(x)(torch_leaves(v) for v in x)
    if isinstance(x, dict):
        return {k: torch_leaves(v) for k, v in x.items()}
    return x


def as_float64(x: Any) -> Any:
    """Return fresh leaves in float64 of the samples' floating tensors."""
    if isinstance(x, torch.Tensor):
        return torch_leaves(x.double() if x.is_floating_point() else x).requires_grad_(x.requires_grad)
    if isinstance(x, (list, tuple)):
        return type(x)(as_float64(v) for v in x)
    return {k: as_float64(v) for k, v in x.items()} if isinstance(x, dict) else x


def assert_near(found: Any, exact: Any, what: str) -> None:
    """Compare a float32 gradient with that in float64, relative to its largest element.

    The gradient of a softmax is a difference of nearly equal sums, of which either library's float32 keeps five digits:
    the elements of one are no measure of the other's.
    """
    error, top = (to_torch(found).double() - exact).abs().max(), exact.abs().max()
    assert error <= 1e-6 + 1e-5 * top, f"{what}: {error} from float64, the largest element is {top}"


def backward(outputs: Any, convert: Any) -> None:
    """Run the backward of each output from the same gradient, in either library."""
    for y in tensors_in(outputs):
        if y.requires_grad:
            shape = tuple(y.shape)
            weights = torch.arange(math.prod(shape), dtype=torch.float64).cos().reshape(shape)
            y.backward(convert(weights).to(y.dtype), retain_graph=True)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # kl_div, in both libraries
@pytest.mark.filterwarnings("ignore:linear_cross_entropy. ``options`` ignored:UserWarning")  # likewise
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")  # Transformer, in both
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # PyTorch's, of its kernels
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("info", OFFERED, ids=lambda info: info.name)
def test_module_samples_agree_with_torch(info: Any, dtype: Any, training: bool) -> None:
    checked, chosen = 0, samples(info.name, dtype, training)
    if info.name in ("nn.Transformer", "nn.TransformerDecoderLayer"):  # a third each time: all of them in three runs
        chosen = chosen[training + (dtype is torch.float64) :: 3]
    for sample in chosen:
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
            if torch.nn.parameter.is_lazy(value):
                assert npg.nn.parameter.is_lazy(ours.state_dict()[name])
                continue
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
        backward(expected, lambda x: x)
        backward(found, to_npg)
        exact, exact_args, exact_kwargs = copy.deepcopy(theirs).double(), *as_float64((their_args, their_kwargs))
        of_products = (torch.nn.MultiheadAttention, torch.nn.CTCLoss, torch.nn.LinearCrossEntropyLoss)
        is_near = dtype is torch.float32 and any(isinstance(m, of_products) for m in theirs.modules())
        if is_near:
            exact.zero_grad()
            torch.manual_seed(11)
            backward(exact(*exact_args, **exact_kwargs), lambda x: x)
        tensors = [list(tensors_in(x)) for x in ((our_args, our_kwargs), (their_args, their_kwargs))]
        exacts = tensors_in((exact_args, exact_kwargs))
        for f, e, x in zip(*tensors, exacts, strict=True):
            if e.grad is not None:
                what = "gradient of an input"
                assert_near(f.grad, x.grad, what) if is_near else assert_like(f.grad, e.grad, what)
        modules = (ours, theirs, exact)
        for (name, f), (_, e), (_, x) in zip(*(m.named_parameters() for m in modules), strict=True):
            if e.grad is not None:
                what = f"gradient of {name}"
                if is_near:
                    assert_near(f.grad, x.grad, what)
                else:  # sums of some hundred float32 terms, in another order
                    atol = 4e-6 * max(1.0, float(e.grad.abs().max())) if dtype is torch.float32 else None
                    assert_like(f.grad, e.grad, what, atol=atol)
    assert checked or not chosen


def test_module_db_offers_what_the_names_say() -> None:
    names = {info.name[3:] for info in OFFERED}
    assert {"Linear", "Embedding", "LayerNorm", "GELU", "CrossEntropyLoss", "BCEWithLogitsLoss", "Softmax"} <= names
    assert to_torch(npg.ones(1)).dtype is torch.float32
