"""Every op that npg offers, run over PyTorch's own samples of it (torch.testing's op_db), in float32 and float64.

An op is offered when npg has its name. Then every sample is called on both sides and compared in values, shapes,
dtypes and gradients, for the function and for those of its method, in-place and operator forms that npg has; integers
and bools are compared in values, small float64 samples in second-order gradients too. Random functions are seeded alike
and must draw the same numbers. Warnings of NumPy count as wrong.

Elementwise ops must agree within tests.helpers.TOLERANCES. The others may sum in another order, which float32 shows:
where they do not agree so closely, npg's float32 result must be about as near to PyTorch's float64 result as PyTorch's
own float32 result is.

Left out, by rule: samples that need what npg does not have by design (complex and other dtypes beyond its nine, sparse
layouts, other memory formats and devices: tests.helpers.Unsupported), and calls that PyTorch itself refuses.
"""

import functools
import itertools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, UnaryUfuncInfo

import npg
from npg.dtypes import NAMES_ONLY
from tests.helpers import TORCH_DTYPES, Unsupported, compare_calls, gradients_npg, gradients_torch, tensors_in, to_npg

pytestmark = pytest.mark.usefixtures("quick_samples")


FLOATS = (torch.float32, torch.float64)
INTEGERS = (torch.int64, torch.uint8, torch.bool)
FEW = 6  # samples for the other forms of a function, and for integers
SMALL = 64  # elements up to which a float64 sample is checked in second order

# ----- What is not compared -----

# Values are undefined; shapes and dtypes are compared.
UNDEFINED = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"}

# op_db says that there is a gradient, PyTorch says that there is none.
WITHOUT_GRADIENT = {"nextafter"}

# op_db says that there is a second-order gradient, PyTorch's documentation that there is none; it is 0 or raises.
WITHOUT_SECOND_ORDER = {f"nn_functional_linear_cross_entropy_chunked{reduction}" for reduction in ("", "_none")}

# Which of several equal elements is meant is undefined, and integer samples have equal elements.
TIES = {"argsort", "kthvalue", "sort", "topk"}


class Known(NamedTuple):
    """Samples on which npg differs from PyTorch on purpose: those of a dtype where the difference's text has a word."""

    dtype: torch.dtype
    word: str
    reason: str


# An entry whose samples all come out right fails, so that it is taken out.
KNOWN = {
    "nn.functional.hardsigmoid": Known(torch.float64, "gradient", "PyTorch's is the float32 nearest to 1/6"),
    "linalg.norm": Known(torch.float64, "second-order", "PyTorch's is nan at 0, where the first-order one is 0"),
    "linalg.householder_product": Known(torch.float64, "second-order", "PyTorch's divides by tau |v|^2 - 1, near 0"),
}


# ----- An op on both sides -----


class Form(NamedTuple):
    """One way to call an op: the same callable of either library."""

    name: str
    npg_fn: Callable[..., Any]
    torch_fn: Callable[..., Any]
    in_place: bool


def lookup(path: str) -> Any:
    """Return npg's object of this name in the torch namespace, else Tensor's attribute, else None."""
    found: Any = npg
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, npg.dtype):  # no function; there is a method unless npg has the dtype's name only
        return None if found.name in NAMES_ONLY else getattr(npg.Tensor, path, None)
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


def is_lambda(function: Any) -> bool:
    return isinstance(function, types.FunctionType) and function.__name__ == "<lambda>"


def counterpart(function: Any, path: str) -> Any:
    """Return npg's version of a function of op_db, or None: found by name, or rebuilt where it is a lambda."""
    if isinstance(function, functools.partial):
        inner = counterpart(function.func, function.func.__name__)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    if is_lambda(function):
        return rebuilt(function)
    found = lookup(path)
    return (lambda x: found.fget(x)) if isinstance(found, property) else found


def forms(op: Any) -> list[Form]:
    """Return the forms of an op that npg has, the function first; an empty list when npg does not offer the op."""
    last = op.name.rpartition(".")[2]
    private = op.name.startswith("_") and not op.name.startswith("__")
    if private or op.name.startswith(("torch.ops", "jiterator")):
        return []
    if lookup(op.name) is None and lookup(last + "_") is None:
        return []
    found = [Form("function", counterpart(op.op, op.name), op.op, False)]
    if op.method_variant is not None and hasattr(npg.Tensor, op.name):
        method = op.method_variant
        own = rebuilt(method) if is_lambda(method) else getattr(npg.Tensor, op.name)
        found.append(Form("method", own, method, False))
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
        self.right = self.known = self.left_out = 0
        self.wrong: list[str] = []


def accepted(torch_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, raising Unsupported where PyTorch refuses the call or npg has no dtype of the result."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = torch_fn(*args, **kwargs)
        except Exception as error:
            raise Unsupported("refused by torch") from error
        if any(t.dtype not in TORCH_DTYPES or t.layout is not torch.strided for t in tensors_in(result)):
            raise Unsupported("result")
        return result

    return call


def well_defined(op: Any, form: Form, sample: Any) -> Form:
    """Return the form with op_db's own preparation of the input and of the result.

    A matrix that is to be symmetric is made so first; of an eigenvector, whose sign is arbitrary, the absolute value is
    taken.
    """
    if form.in_place:
        return form

    def prepared(function: Callable[..., Any], process: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: process(op.gradcheck_wrapper(function, *args, **kwargs))

    process = sample.output_process_fn_grad
    own = rebuilt(process) if isinstance(process, types.FunctionType) else process
    return form._replace(npg_fn=prepared(form.npg_fn, own), torch_fn=prepared(form.torch_fn, process))


def check(op: Any, form: Form, sample: Any, grad: bool, second: bool) -> None:
    """Compare one sample. Raises Unsupported where it is left out, anything else where npg is wrong."""
    form = well_defined(op, form, sample)
    torch.manual_seed(7)
    npg.manual_seed(7)
    args, kwargs = (sample.input, *sample.args), sample.kwargs
    try:
        compare_calls(
            form.npg_fn,
            accepted(form.torch_fn),
            args,
            kwargs,
            grad=grad,
            second=second,
            in_place=form.in_place,
            values=op.name not in UNDEFINED,
        )
    except AssertionError:
        if form.in_place or isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo)):
            raise
        if not all(t.dtype is torch.float32 for t in tensors_in((args, kwargs)) if t.is_floating_point()):
            raise
        if not as_near_as_torch(form, args, kwargs, grad):
            raise


def to_double(x: Any) -> Any:
    return torch.utils._pytree.tree_map(
        lambda t: (
            t.detach().double().requires_grad_(t.requires_grad)
            if isinstance(t, torch.Tensor) and t.is_floating_point()
            else t
        ),
        x,
    )


def as_near_as_torch(form: Form, args: Any, kwargs: Any, grad: bool) -> bool:
    """Tell whether npg's float32 values and gradients are about as near to PyTorch's float64 as PyTorch's float32 are.

    Distances are largest absolute differences. Allowed is four times PyTorch's own and 1e-5 of the largest value, for
    a sample on which PyTorch happens to round well.
    """
    single = values_and_gradients(form.torch_fn, args, kwargs, grad, gradients_torch)
    double = values_and_gradients(form.torch_fn, *to_double((args, kwargs)), grad, gradients_torch)
    found = values_and_gradients(form.npg_fn, to_npg(args), to_npg(kwargs), grad, gradients_npg)
    if [a.shape for a in found] != [a.shape for a in single] or [a.dtype for a in found] != [a.dtype for a in single]:
        return False
    for ours, theirs, exact in zip(found, single, double, strict=True):
        if exact.size and exact.dtype.kind == "f":
            allowed = 4 * np.abs(theirs - exact).max() + 1e-5 * max(1.0, np.abs(exact).max())
            if not np.abs(ours - exact).max() <= allowed:
                return False
        elif not np.array_equal(ours, theirs):
            return False
    return True


def values_and_gradients(function: Any, args: Any, kwargs: Any, grad: bool, gradients: Any) -> list[np.ndarray]:
    """Return the results of either library as arrays, and the gradients of the sum of those that require grad."""
    torch.manual_seed(7)
    npg.manual_seed(7)
    outs = list(tensors_in(function(*args, **kwargs)))
    inputs = [t for t in tensors_in((args, kwargs)) if t.requires_grad]
    differentiable = [y for y in outs if y.requires_grad]
    found = [y.detach().numpy() for y in outs]
    if grad and differentiable and inputs:
        ones = [y.detach() * 0 + 1 for y in differentiable]
        for x, g in zip(inputs, gradients(differentiable, inputs, ones, False), strict=True):
            found.append(np.zeros(tuple(x.shape), found[0].dtype) if g is None else g.numpy())
    return found


def samples(op: Any, dtype: torch.dtype, form: Form, grad: bool) -> Iterator[Any]:
    few = form.name != "function" or dtype not in FLOATS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are made with deprecated functions
        made = list(itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=grad), FEW if few else None))
    yield from (sample for sample in made if not (form.in_place and sample.broadcasts_input))


def run(op: Any) -> Tally:
    """Run all samples of an op in all forms that npg has."""
    tally = Tally()
    for form in forms(op):
        for dtype in (*FLOATS, *INTEGERS):
            if dtype not in op.dtypes or (dtype in INTEGERS and op.name in TIES):
                continue
            differentiable = op.supports_inplace_autograd if form.in_place else op.supports_autograd
            grad = differentiable and dtype.is_floating_point and op.name not in WITHOUT_GRADIENT
            for i, sample in enumerate(samples(op, dtype, form, grad)):
                tensors = list(tensors_in((sample.input, sample.args, sample.kwargs)))
                small = sum(t.numel() for t in tensors) <= SMALL
                second = grad and op.supports_gradgrad and dtype is torch.float64 and small and form.name == "function"
                second = second and op.formatted_name not in WITHOUT_SECOND_ORDER
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
                        known = KNOWN.get(op.name)
                        if known and dtype is known.dtype and known.word in text:
                            tally.known += 1
                            continue
                        tally.wrong.append(f"{form.name}, {dtype}, sample {i}: {sample.summary()[:300]}\n{text[:1200]}")
    return tally


OFFERED = [op for op in op_db if forms(op)]


@pytest.mark.parametrize("op", OFFERED, ids=lambda op: op.formatted_name)
def test_op_over_torch_samples_agrees(op, record_property):
    tally = run(op)
    record_property("op_db", (tally.right, len(tally.wrong), tally.known, tally.left_out))
    if tally.wrong:
        pytest.fail(f"{len(tally.wrong)} wrong, {tally.right} right\n" + "\n\n".join(tally.wrong[:4]), pytrace=False)
    assert tally.known or op.name not in KNOWN, f"{op.name} is right now; take it out of KNOWN"


def test_op_db_offers_what_the_foundation_needs():
    assert len({op.name for op in OFFERED}) > 250


# ----- The harness itself -----


def entry(name: str) -> Any:
    return next(op for op in op_db if op.name == name)


# Mistakes: the name of the function, and what is called in its place with the right one as first argument.
WRONG = {
    "value": ("exp", lambda right, x: right(x) * (1 + 1e-4)),
    "value of a sum": ("sum", lambda right, x, *args, **kwargs: right(x, *args, **kwargs) * (1 + 1e-4)),
    "gradient": ("exp", lambda right, x: right(x.detach()) + 0 * x),
    "no gradient": ("exp", lambda right, x: right(x.detach())),
    "dtype": ("exp", lambda right, x: right(x).double().half()),
    "shape": ("sum", lambda right, x, *args, **kwargs: right(x, *args, **kwargs)[None]),
    "warning": ("exp", lambda right, x: right(x) + 0 * float(np.exp(np.float64(1000.0)) > 0)),
}


@pytest.mark.parametrize("what", WRONG)
def test_harness_mistake_is_caught(monkeypatch, what):
    name, mistaken = WRONG[what]
    assert not run(entry(name)).wrong
    monkeypatch.setattr(npg, name, functools.partial(mistaken, getattr(npg, name)))
    wrong = run(entry(name)).wrong
    assert any(text.startswith("function, torch.float32") for text in wrong)
    assert any(text.startswith("function, torch.float64") for text in wrong)


def test_harness_mistake_in_second_order_is_caught(monkeypatch):
    right = npg.square
    # The gradient is 2 x, but as a constant.
    monkeypatch.setattr(npg, "square", lambda x: right(x.detach()) + 2 * x.detach() * (x - x.detach()))
    wrong = run(entry("square")).wrong
    wrong = [text for text in wrong if text.startswith("function, torch.float")]
    assert wrong and all("second-order" in text or "not recorded" in text for text in wrong)
