"""Calls with out= in npg and PyTorch: every function that both have, with every kind of out=, comes to the same end."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg

from .helpers import TORCH_DTYPES, Unsupported, assert_like, to_npg
from .test_op_db import TIES, UNDEFINED, forms, is_lambda

DTYPES = (torch.float32, torch.int64, torch.bool)
FREE_SIGNS = {"linalg.eigh", "linalg.qr", "linalg.svd"}  # of the columns of factors
LARGEST = 400  # elements of a sample, at most


class Case(NamedTuple):
    """A call without its out=: the function of each library, its arguments, and what PyTorch returns."""

    name: str
    npg_fn: Callable[..., Any]
    torch_fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    expected: Any

    @property
    def results(self) -> tuple[torch.Tensor, ...]:
        return self.expected if isinstance(self.expected, tuple) else (self.expected,)


class Out(NamedTuple):
    """An out= to be made in either library: number `output` of the results is given by `make(lib, arguments)`.

    make returns the tensor, and the arguments, which may have been put into the same memory.
    """

    what: str
    output: int
    make: Callable[[Any, tuple[Any, ...]], tuple[Any, tuple[Any, ...]]]


# ----- Cases -----


def _takes_out(function: Any, args: Any, kwargs: Any, expected: Any) -> bool:
    results = expected if isinstance(expected, tuple) else (expected,)
    if not results or not all(isinstance(r, torch.Tensor) for r in results):
        return False
    made = tuple(torch.empty_like(r) for r in results)
    try:
        function(*args, out=made if isinstance(expected, tuple) else made[0], **kwargs)
    except (TypeError, RuntimeError, AttributeError):
        return False
    return True


def cases(part: int = 0, parts: int = 1, dtypes: Any = DTYPES) -> Iterator[Case]:
    """Yield a call of each function and dtype, of a part of all ops, that takes out= in PyTorch."""
    for op in op_db[part::parts]:
        found = forms(op)
        if not found or is_lambda(found[0].torch_fn) or op.name.startswith("__") or op.name in UNDEFINED:
            continue
        for dtype in dtypes:
            if dtype not in op.dtypes:
                continue
            seen: list[Any] = []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for s in itertools.islice(op.sample_inputs("cpu", dtype), 14):
                    args, kwargs = (s.input, *s.args), dict(s.kwargs)
                    try:
                        to_npg((args, kwargs))
                        expected = found[0].torch_fn(*args, **kwargs)
                    except (Unsupported, RuntimeError, TypeError):
                        continue
                    sizes = [x.numel() for x in torch.utils._pytree.tree_leaves((args, expected)) if _is_tensor(x)]
                    if max(sizes, default=1) > LARGEST or min(sizes, default=1) == 0 or max(sizes, default=2) < 2:
                        continue
                    if _takes_out(found[0].torch_fn, args, kwargs, expected):
                        ranks = tuple([r.ndim for r in torch.utils._pytree.tree_leaves(expected)])
                        if ranks in seen:
                            continue
                        seen.append(ranks)
                        yield Case(f"{op.name}, {dtype}", found[0].npg_fn, found[0].torch_fn, args, kwargs, expected)
                        if len(seen) == (2 if dtype is torch.float32 else 1):
                            break


def _is_tensor(x: Any) -> bool:
    return isinstance(x, torch.Tensor)


# ----- Kinds of out= -----


def _dtype(lib: Any, dtype: torch.dtype) -> Any:
    return dtype if lib is torch else TORCH_DTYPES[dtype]


def _blank(lib: Any, shape: Any, dtype: torch.dtype) -> Any:
    return lib.zeros(tuple(shape), dtype=_dtype(lib, dtype))


def _alone(make: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda lib, args: (make(lib), args)


def _kinds(k: int, r: torch.Tensor) -> Iterator[Out]:
    shape, dtype = tuple(r.shape), r.dtype
    for d in TORCH_DTYPES:
        yield Out(f"{d}", k, _alone(lambda lib, d=d: _blank(lib, shape, d)))
    yield Out("other shape", k, _alone(lambda lib: _blank(lib, (*shape, 2), dtype)))
    yield Out("empty", k, _alone(lambda lib: _blank(lib, (0,), dtype)))
    yield Out("steps", k, _alone(lambda lib: _blank(lib, (*shape, 2), dtype)[..., 0]))
    if len(shape) > 1:
        yield Out(
            "transposed", k, _alone(lambda lib: _blank(lib, shape[::-1], dtype).permute(*range(len(shape))[::-1]))
        )
    if r.numel() > 1:
        yield Out("expanded", k, _alone(lambda lib: _blank(lib, (1,) * len(shape), dtype).expand(*shape)))
    for d in (torch.float64, dtype):
        if d.is_floating_point:
            yield Out(f"requires grad, {d}", k, _alone(lambda lib, d=d: _blank(lib, shape, d).requires_grad_()))


def _sharing(k: int, r: torch.Tensor, i: int, inside: bool, t: torch.Tensor) -> Iterator[Out]:
    """Yield out= in the memory of argument i (inside: of the first tensor of a list)."""
    n, m, shape, given = r.numel(), t.numel(), tuple(r.shape), tuple(t.shape)

    def laid(window: Callable[[Any], Any], own: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def make(lib: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
            base = _blank(lib, (2 * max(n, m) + 2,), r.dtype)
            mine = own(base)
            x = args[i][0] if inside else args[i]
            mine.copy_(x)
            put = type(args[i])([mine, *args[i][1:]]) if inside else mine
            return window(base), (*args[:i], put, *args[i + 1 :])

        return make

    plain = lambda base: base[:m].reshape(given)
    yield Out(f"argument {i} itself", k, laid(lambda base: base[:n].reshape(shape), plain))
    yield Out(f"argument {i}, one on", k, laid(lambda base: base[1 : n + 1].reshape(shape), plain))
    yield Out(f"argument {i}, one before", k, laid(
        lambda base: base[:n].reshape(shape), lambda base: base[1 : m + 1].reshape(given)))  # fmt: skip
    every_second = lambda first, size, count: lambda base: base[first : 2 * count : 2].as_strided(size, _spread(size))
    yield Out(f"argument {i}, between", k, laid(every_second(1, shape, n), every_second(0, given, m)))
    if len(shape) == 2 and shape[0] == shape[1]:
        yield Out(f"argument {i}, transposed", k, laid(lambda base: base[:n].reshape(shape).t(), plain))


def _spread(shape: Any) -> list[int]:
    found, step = [], 2
    for n in reversed(shape):
        found.append(step)
        step *= n
    return found[::-1]


def outs(case: Case) -> Iterator[Out]:
    """Yield what is tried as out= of a call."""
    for k, r in enumerate(case.results):
        yield from _kinds(k, r)
        for i, x in enumerate(case.args):
            inside = isinstance(x, (list, tuple)) and bool(x)
            t = x[0] if inside else x
            if _is_tensor(t) and t.dtype == r.dtype and t.numel():
                yield from _sharing(k, r, i, inside, t)
    if any(_is_tensor(x) and x.is_floating_point() for x in case.args):
        with_grad = lambda x: x.detach().requires_grad_() if getattr(x, "is_floating_point", bool)() else x
        yield Out("an input that requires grad", 0, lambda lib, args: (
            _blank(lib, case.results[0].shape, case.results[0].dtype), tuple(map(with_grad, args))))  # fmt: skip


# ----- What comes of a call -----


def _run(case: Case, lib: Any, out: Out) -> tuple[Any, list[str], bool]:
    """Return the value of out= or the text of the error, the warnings, and whether an error left out= as it was."""
    function = case.torch_fn if lib is torch else case.npg_fn
    args, kwargs = (case.args, case.kwargs) if lib is torch else to_npg((case.args, case.kwargs))
    target, args = out.make(lib, tuple(args))
    rest = [_blank(lib, r.shape, r.dtype) for r in case.results]
    given: Any = (*rest[: out.output], target, *rest[out.output + 1 :])
    if not isinstance(case.expected, tuple):
        given = target
    before = target.detach().clone()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = function(*args, out=given, **kwargs)
        except Exception as error:
            kept = lib is torch or target.shape == before.shape and np.array_equal(target.detach(), before)
            return f"{type(error).__name__}: {error}", [], kept
    found = found[out.output] if isinstance(case.expected, tuple) else found
    assert lib is torch or found is target, f"{case.name}: not out= itself is returned"
    return target, [str(w.message) for w in seen if "resized" in str(w.message)], True


def _words(text: Any) -> Any:
    text = re.sub(
        r"^RuntimeError: [\w:]+\(\): functions with out=", "functions with out=", text
    )  # of whichever function
    return text.replace("torch", "npg").replace("CPUBoolType", "npg.BoolTensor")[:64]


# What PyTorch does otherwise, and npg on purpose not: the name of a function, of the kinds of out=, and the reason.
_COMPOSITE = "PyTorch computes it by others and copies, so what it writes to out= is recorded; npg's out= never is"
_WITHOUT_RULE = "PyTorch has no gradient yet, so that what it writes has a history that raises in backward"
_INDICES = "PyTorch does not look at the memory of indices that it gives or takes"
KNOWN = {
    "nn.functional.avg_pool3d": (".", "PyTorch writes beyond the memory of an out= that is not contiguous"),
    "conj_physical": ("grad", _COMPOSITE),
    "diag": ("grad|torch", _COMPOSITE + ", and has two texts for dtypes"),
    "diff": ("grad", _COMPOSITE),
    "inner": ("grad", _COMPOSITE),
    "tensordot": ("grad", _COMPOSITE),
    "norm": ("grad|torch|expanded", _COMPOSITE + "; the same function as linalg.matrix_norm for some"),
    "linalg.cond": ("grad", _COMPOSITE),
    "linalg.matrix_power": ("grad", _COMPOSITE),
    "linalg.matrix_norm": ("grad", _COMPOSITE),
    "linalg.norm": ("grad", _COMPOSITE),
    "linalg.tensorinv": ("grad", _COMPOSITE),
    "linalg.tensorsolve": ("grad", _COMPOSITE),
    "floor_divide": ("grad", _WITHOUT_RULE),
    "heaviside": ("grad", _WITHOUT_RULE),
    "softmax": ("grad", _WITHOUT_RULE),
    "log_softmax": ("grad", _WITHOUT_RULE),
    "linalg.lstsq": ("grad", "of rank and singular_values PyTorch has no gradient"),
    "argsort": ("grad", "PyTorch's is a part of sort, which has a gradient"),
    "linalg.multi_dot": ("grad", "PyTorch looks at the dtype first"),
    "linalg.vecdot": ("grad", "PyTorch looks at the dtype first"),
    "linspace": ("grad", "bounds are numbers"),
    "kthvalue": ("argument", _INDICES),
    "sort": ("argument", _INDICES),
    "take_along_dim": ("argument", _INDICES),
    "ldexp": ("argument|torch", "PyTorch computes it by a power and a product, and names itself in the text"),
    "linalg.eigh": ("transposed", "PyTorch copies eigenvectors by columns, and refuses what its copy would overlap"),
    "linalg.qr": ("transposed", "as linalg.eigh"),
    "geqrf": ("transposed", "as linalg.eigh"),
    "linalg.householder_product": ("transposed", "as linalg.eigh"),
    "cholesky": ("torch", "npg.cholesky is linalg.cholesky, which casts nothing"),
    "nn.functional.logsigmoid": ("other shape", "PyTorch resizes without its warning"),
    "addbmm": ("other shape", "PyTorch resizes without its warning"),
    "nanmean": ("torch", "PyTorch's text is of nansum"),
    "nn.functional.linear": ("", "npg.nn.functional.linear has no out="),
    "native_batch_norm": ("", "npg.native_batch_norm has no out="),
}


def is_known(case: Case, out: Out) -> bool:
    """Tell whether npg differs on purpose."""
    words, _ = KNOWN.get(case.name.partition(",")[0], ("nothing", ""))
    return re.search(words, out.what) is not None


def difference(case: Case, out: Out) -> str | None:
    """Return how npg's end of the call differs from PyTorch's, or None."""
    where = f"{case.name}, out={out.what} ({out.output})"
    expected, their_warnings, _ = _run(case, torch, out)
    found, own_warnings, kept = _run(case, npg, out)
    if isinstance(expected, str) or isinstance(found, str):
        e, f = (x if isinstance(x, str) else "a value" for x in (expected, found))
        both = isinstance(expected, str) and isinstance(found, str)
        # Which of two reasons to refuse comes first where a place for integers requires grad.
        order = out.what.startswith("requires grad") and not case.results[out.output].is_floating_point()
        if _words(e) != _words(f) and not (both and order):
            return f"{where}: {f}; PyTorch: {e}"
        return None if kept else f"{where}: refused, but written"
    if len(own_warnings) != len(their_warnings):
        return f"{where}: warnings {own_warnings}; PyTorch: {their_warnings}"
    if out.what == "expanded":  # which of the values stays is all one
        return None
    name = case.name.partition(",")[0]
    if name in FREE_SIGNS or name in TIES and not case.results[0].is_floating_point():
        return None
    # PyTorch may have read what it had written before, and its gelu writes nothing to an out= with steps.
    result = case.results[out.output]
    coarse = any(d == torch.float16 for d in (expected.dtype, result.dtype))  # computed in the one, cast to the other
    faults = []
    for wanted in (result.to(expected.dtype).reshape(expected.shape), expected):
        try:
            assert_like(found, wanted, where, 2e-3 if coarse else 1e-5, 1e-3 if coarse else 1e-5)
        except AssertionError as error:
            faults.append(str(error))
    return faults[0] if len(faults) == 2 else None
