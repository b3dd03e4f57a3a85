"""Every op that npg offers, run over PyTorch's own samples of it (torch.testing's op_db), in float32 and float64.

An op is offered when npg has its name. Then every sample is called on both sides and compared in values, shapes, dtypes and
gradients, for the function and for those of its method, in-place and operator forms that npg has; integers and bools are
compared in values, small float64 samples in second-order gradients too. Random functions are seeded alike and must draw
the same numbers.

Left out, by rule: samples that need what npg does not have by design (complex and other dtypes beyond its nine, sparse
layouts, other memory formats and devices: tests.helpers.Unsupported), and calls that PyTorch itself refuses.
"""

import functools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg
from tests.helpers import TORCH_DTYPES, Unsupported, compare_calls, tensors_in

# op_db seeds for every sample, and torch.manual_seed formats a traceback for each kind of GPU that might come to be used.
torch.manual_seed = torch.default_generator.manual_seed

# ----- What npg does otherwise, with the reason -----

# Ops whose values are undefined: only shape and dtype are compared.
UNDEFINED = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"}

# name of the op: (which samples, reason). An entry whose samples all come out right fails, so that it is taken out.
KNOWN: dict[str, tuple[Callable[..., bool], str]] = {}

FLOATS = (torch.float32, torch.float64)
INTEGERS = (torch.int64, torch.uint8, torch.bool)
FEW = 6  # samples for the other forms of a function, and for integers
SMALL = 64  # elements up to which a float64 sample is checked in second order


# ----- An op on both sides -----


class Form(NamedTuple):
    """One way to call an op: the same callable of either library."""

    name: str
    npg_fn: Callable[..., Any]
    torch_fn: Callable[..., Any]
    in_place: bool


def lookup(path: str) -> Any:
    """Return npg's object of this name in the torch namespace, a Tensor attribute where there is no function, or None."""
    found: Any = npg
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if found is not None else getattr(npg.Tensor, path, None)


def _seeded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    npg.manual_seed(42)  # as torch's wrapper_set_seed
    return function(*args, **kwargs)


def rebuilt(function: types.FunctionType) -> Callable[..., Any]:
    """Return torch's own lambda with npg in the place of torch."""
    scope = {**function.__globals__, "torch": npg, "np": npg, "wrapper_set_seed": _seeded, "F": npg.nn.functional}
    made = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def counterpart(function: Any, path: str) -> Any:
    """Return npg's version of a function of op_db, or None: found by name, or rebuilt where it is a lambda."""
    if isinstance(function, functools.partial):
        inner = counterpart(function.func, function.func.__name__)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    if isinstance(function, types.FunctionType) and function.__name__ == "<lambda>":
        return rebuilt(function)
    return lookup(path)


def forms(op: Any) -> list[Form]:
    """Return the forms of an op that npg has, the function first; an empty list when npg does not offer the op."""
    last = op.name.rpartition(".")[2]
    private = op.name.startswith("_") and not op.name.startswith("__")
    if private or op.name.startswith(("torch.ops", "jiterator")) or (lookup(op.name) or lookup(last + "_")) is None:
        return []
    found = [Form("function", counterpart(op.op, op.name), op.op, False)]
    if op.method_variant is not None and hasattr(npg.Tensor, op.name):
        found.append(Form("method", counterpart(op.method_variant, op.name), op.method_variant, False))
    if op.inplace_variant is not None:
        name = getattr(op.inplace_variant, "__name__", op.name + "_")
        found.append(Form("in place", counterpart(op.inplace_variant, name), op.inplace_variant, True))
    if op.operator_variant is not None:
        found.append(Form("operator", op.operator_variant, op.operator_variant, False))
    if op.inplace_operator_variant is not None:
        found.append(Form("in-place operator", op.inplace_operator_variant, op.inplace_operator_variant, True))
    return [f for f in found if f.npg_fn is not None]


# ----- Running the samples -----


class Tally:
    """What came of an op's samples."""

    def __init__(self) -> None:
        self.right = self.left_out = 0
        self.wrong: list[str] = []


def accepted(torch_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, raising Unsupported for a call that PyTorch refuses or a result that npg has no dtype for."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = torch_fn(*args, **kwargs)
        except Exception as error:
            raise Unsupported("refused by torch") from error
        if any(t.dtype not in TORCH_DTYPES or t.layout is not torch.strided for t in tensors_in(result)):
            raise Unsupported("result")
        return result

    return call


def check(op: Any, form: Form, sample: Any, grad: bool, second: bool) -> None:
    """Compare one sample. Raises Unsupported where it is left out, anything else where npg is wrong."""
    torch.manual_seed(7)
    npg.manual_seed(7)
    compare_calls(
        form.npg_fn,
        accepted(form.torch_fn),
        (sample.input, *sample.args),
        sample.kwargs,
        grad=grad,
        second=second,
        in_place=form.in_place,
        values=op.name not in UNDEFINED,
    )


def samples(op: Any, dtype: torch.dtype, form: Form, grad: bool) -> Iterator[Any]:
    few = form.name != "function" or dtype not in FLOATS
    for i, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=grad)):
        if few and i >= FEW:
            return
        if form.in_place and sample.broadcasts_input:
            continue
        yield sample


def run(op: Any) -> Tally:
    """Run all samples of an op in all forms that npg has."""
    tally = Tally()
    for form in forms(op):
        for dtype in (*FLOATS, *INTEGERS):
            if dtype not in op.dtypes:
                continue
            differentiable = op.supports_inplace_autograd if form.in_place else op.supports_autograd
            grad = differentiable and dtype.is_floating_point
            for i, sample in enumerate(samples(op, dtype, form, grad)):
                tensors = list(tensors_in((sample.input, sample.args, sample.kwargs)))
                small = sum(t.numel() for t in tensors) <= SMALL
                second = grad and op.supports_gradgrad and dtype is torch.float64 and small and form.name == "function"
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of torch: samples use deprecated arguments
                    warnings.simplefilter(
                        "error", RuntimeWarning
                    )  # of NumPy: npg is as quiet about nan and inf as torch
                    try:
                        check(op, form, sample, grad, second)
                        tally.right += 1
                    except Unsupported:
                        tally.left_out += 1
                    except Exception as error:
                        text = f"{type(error).__name__}: {error}".strip()
                        tally.wrong.append(f"{form.name}, {dtype}, sample {i}: {sample.summary()[:300]}\n{text[:1200]}")
    return tally


OFFERED = [op for op in op_db if forms(op)]


@pytest.mark.parametrize("op", OFFERED, ids=lambda op: op.formatted_name)
def test_op_over_torch_samples_agrees(op, record_property):
    tally = run(op)
    known = KNOWN.get(op.name)
    record_property("op_db", (op.formatted_name, tally.right, len(tally.wrong), tally.left_out))
    if tally.wrong:
        pytest.fail(f"{len(tally.wrong)} wrong, {tally.right} right\n" + "\n\n".join(tally.wrong[:4]), pytrace=False)
    assert known is None, f"{op.name} is right now; take it out of KNOWN"


def test_op_db_offers_what_the_foundation_needs():
    assert len({op.name for op in OFFERED}) > 250


# ----- The harness itself -----


def entry(name: str) -> Any:
    return next(op for op in op_db if op.name == name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("exp", lambda x: npg.exp(x) * (1 + 1e-4)),
        ("exp", lambda x: npg.exp(x.detach())),
        ("exp", lambda x: npg.exp(x).double()),
        ("sum", lambda x, *args, **kwargs: npg.sum(x, *args, **kwargs).reshape(-1)),
        ("tanh", lambda x: npg.tanh(x) + 0 * x.detach()),
    ],
    ids=["value", "gradient", "dtype", "shape", "right"],
)
def test_harness_wrong_function_is_caught(monkeypatch, name, wrong, request):
    monkeypatch.setattr(npg, name, wrong)
    monkeypatch.delattr(npg.Tensor, name)
    op = entry(name)
    tally = Tally()
    for sample in op.sample_inputs("cpu", torch.float32, requires_grad=True):
        try:
            check(op, forms(op)[0], sample, True, False)
            tally.right += 1
        except AssertionError as error:
            tally.wrong.append(str(error))
    caught = bool(tally.wrong) and not tally.right
    assert caught == (request.node.callspec.id != "right")
