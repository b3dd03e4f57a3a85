"""Accuracy of sums, scans, norms, products and losses: npg's and PyTorch's errors, in units in the last place.

python -m tests.benchmarks.accuracy              write docs/accuracy.md: 10^7 elements, some ten minutes
python -m tests.benchmarks.accuracy 100000       print the table for as many elements, below: of these functions alone
python -m tests.benchmarks.accuracy 100000 sum var

Each function is computed in float32 and in float16 and compared with PyTorch's result in float64 from the same numbers.
The error is the largest over all results, in units in the last place (ulp) of the result's dtype; for results that are
near 0 compared with the others, the unit is that of an eighth of their root mean square; `infinite` means an inf or nan
that should be finite. Shapes: `all`, all elements; `tall`, (n, 4) over the first dimension; `wide`, (4, n), `middle`,
(4, n, 4), and `rows`, (100, n), over the second. Data: `far`, uniform in [1000, 1001) (in float16 [1, 2)); `tenth`, 0.1
everywhere; `turns`, that of `far` with every second number times -0.5; `normal`, from the normal distribution.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import npg
from npg.kernels.limits import ADDED_IN_A_KERNEL
from tests.benchmarks.judge import machine

DOCS = Path(__file__).resolve().parents[2] / "docs"
LARGE = 10**7
TIMES = 2.0  # npg's error may be this multiple of PyTorch's,
FLOOR = 2.0  # or this many units

Array = np.ndarray[Any, Any]
DATA = ("far", "tenth", "turns", "normal")
SHAPES = ("all", "tall", "wide", "middle")  # what most take


# ----- Works -----


@dataclasses.dataclass(frozen=True)
class Work:
    """One row for each shape.

    Attributes:
        run: function of a library, a tensor and a dim (None: all); returns a tensor.
        shapes: the names of the shapes it is run on (see shape_of).
        data: the names of the data it is run on, of DATA.
        near_one: run it on numbers from 0.9995 to 1.0005, whose products stay near 1.
        half: whether PyTorch supports it in float16, too.
        floor: units that npg's error may have in any case.
    """

    run: Callable[[Any, Any, Any], Any]
    shapes: tuple[str, ...] = SHAPES
    data: tuple[str, ...] = DATA
    near_one: bool = False
    half: bool = True
    floor: float = FLOOR


def _dim(dim: int | None) -> dict[str, Any]:
    return {} if dim is None else {"dim": dim}


def _gradient(lib: Any, x: Any, value: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """Return the gradient of sum(value(p)^2) / 2, p of this shape; value is linear in p, and is x for p = 0."""
    p = lib.zeros(shape, dtype=x.dtype, requires_grad=True)
    y = value(p)
    y.backward(x)
    return p.grad


def _targets(lib: Any, x: Any, classes: int) -> Any:
    return lib.from_numpy(np.arange(len(x)) % classes)


def _other(lib: Any, x: Any) -> Any:
    """Return other numbers of x's shape and kind."""
    return lib.flip(x, (0,))


def _layer_norm_weight(lib: Any, x: Any, dim: Any) -> Any:
    w = lib.ones(x.shape[-1:], dtype=x.dtype, requires_grad=True)
    lib.nn.functional.layer_norm(x, x.shape[-1:], w).backward(_other(lib, x))
    return w.grad


def _embedding(lib: Any, x: Any, dim: Any) -> Any:
    index = lib.from_numpy(np.arange(len(x)) % 3)
    return _gradient(lib, x, lambda p: lib.nn.functional.embedding(index, p), (3, x.shape[1]))


def _index_add(lib: Any, x: Any, dim: Any) -> Any:
    index = lib.from_numpy(np.arange(len(x)) % 3)
    return lib.zeros(3, *x.shape[1:], dtype=x.dtype).index_add(0, index, x)


def _scatter_add(lib: Any, x: Any, dim: Any) -> Any:
    index = lib.from_numpy(np.arange(x.numel()).reshape(tuple(x.shape)) % 3)
    return lib.zeros(3, *x.shape[1:], dtype=x.dtype).scatter_add(0, index, x)


def _bincount(lib: Any, x: Any, dim: Any) -> Any:
    return lib.bincount(lib.from_numpy(np.arange(len(x)) % 3), x)


def _attention(lib: Any, x: Any, dim: Any) -> Any:
    v = x[None]
    return lib.nn.functional.scaled_dot_product_attention(v[:, :7] * 0.001, v * 0.001, v)


_ROWS = {"shapes": ("tall",)}
_LAST = {"shapes": ("wide",)}
_FLAT = {"shapes": ("all",)}
_AXES = {"shapes": ("tall", "wide", "middle")}
_NARROW = {"data": ("normal", "turns", "tenth")}  # exponentials, logarithms


def _loss(name: str, **settings: Any) -> Work:
    def run(lib: Any, x: Any, dim: Any) -> Any:
        return getattr(lib.nn.functional, name)(x, _other(lib, x) * 0.5, **settings)

    return Work(run, shapes=("all",))


def _class_loss(name: str, reduction: str) -> Work:
    def run(lib: Any, x: Any, dim: Any) -> Any:
        return getattr(lib.nn.functional, name)(x, _targets(lib, x, x.shape[1]), reduction=reduction)

    return Work(run, **_ROWS)


def _bias(lib: Any, x: Any, dim: Any) -> Any:
    shape = [n if d != dim else 1 for d, n in enumerate(x.shape)]
    return _gradient(lib, x, lambda p: x.detach() + p, tuple(shape))


def _linear(lib: Any, x: Any, dim: Any) -> Any:
    weight = lib.zeros(x.shape[1], 2, dtype=x.dtype)
    return _gradient(lib, x, lambda p: lib.nn.functional.linear(x[:, :2], weight, p), (x.shape[1],))


WORKS: dict[str, Work] = {
    # Reductions
    "sum": Work(lambda lib, x, dim: x.sum(**_dim(dim))),
    "mean": Work(lambda lib, x, dim: x.mean(**_dim(dim))),
    "nansum": Work(lambda lib, x, dim: x.nansum(**_dim(dim))),
    "nanmean": Work(lambda lib, x, dim: x.nanmean(**_dim(dim))),
    "var": Work(lambda lib, x, dim: x.var(**_dim(dim))),
    "std": Work(lambda lib, x, dim: x.std(**_dim(dim))),
    "mean of var_mean": Work(lambda lib, x, dim: lib.var_mean(x, **_dim(dim))[1]),
    "logsumexp": Work(lambda lib, x, dim: x.logsumexp(dim), **_AXES),
    "prod": Work(lambda lib, x, dim: x.prod(**_dim(dim)), near_one=True, data=("normal",)),
    "norm": Work(lambda lib, x, dim: lib.linalg.vector_norm(x, 2, dim)),
    "1-norm": Work(lambda lib, x, dim: lib.linalg.vector_norm(x, 1, dim)),
    "3-norm": Work(lambda lib, x, dim: lib.linalg.vector_norm(x, 3, dim)),
    "dist": Work(lambda lib, x, dim: lib.dist(x, _other(lib, x) * 0.5), **_FLAT),
    "cosine_similarity": Work(
        lambda lib, x, dim: lib.nn.functional.cosine_similarity(x, x * x, dim), **_AXES, half=False
    ),
    "normalize": Work(lambda lib, x, dim: lib.nn.functional.normalize(x, dim=dim), **_AXES),
    # Scans
    "cumsum": Work(lambda lib, x, dim: x.cumsum(dim), **_AXES),
    "cumprod": Work(lambda lib, x, dim: x.cumprod(dim), **_AXES, near_one=True, data=("normal",)),
    "logcumsumexp": Work(lambda lib, x, dim: x.logcumsumexp(dim), **_AXES, **_NARROW),
    # Along a dimension
    "softmax": Work(lambda lib, x, dim: x.softmax(dim), **_AXES, **_NARROW),
    "log_softmax": Work(lambda lib, x, dim: x.log_softmax(dim), **_AXES, **_NARROW),
    "layer_norm": Work(
        lambda lib, x, dim: lib.nn.functional.layer_norm(x, x.shape[-1:]),
        shapes=("wide", "rows"),
        data=("normal", "turns"),
    ),
    "rms_norm": Work(lambda lib, x, dim: lib.nn.functional.rms_norm(x, x.shape[-1:]), shapes=("rows",)),
    # A kernel for small matrices adds up so many numbers in one: where all are alike, all errors have one sign.
    "attention": Work(_attention, floor=ADDED_IN_A_KERNEL / 2, **_ROWS),
    # Products
    "dot": Work(lambda lib, x, dim: lib.dot(x, _other(lib, x)), **_FLAT),
    "matrix times vector": Work(lambda lib, x, dim: x @ _other(lib, x)[0], **_LAST),
    "vector times matrix": Work(lambda lib, x, dim: _other(lib, x)[:, 0] @ x, **_ROWS),
    "matrices": Work(lambda lib, x, dim: x.T @ _other(lib, x), **_ROWS),
    "einsum i,i->": Work(lambda lib, x, dim: lib.einsum("i,i->", x, _other(lib, x)), **_FLAT),
    "einsum ij,ij->j": Work(lambda lib, x, dim: lib.einsum("ij,ij->j", x, _other(lib, x)), **_ROWS),
    "einsum ij,ij->i": Work(lambda lib, x, dim: lib.einsum("ij,ij->i", x, _other(lib, x)), **_LAST),
    "einsum ij->j": Work(lambda lib, x, dim: lib.einsum("ij->j", x), **_ROWS),
    # What is added at indices
    "index_add": Work(_index_add, **_ROWS),
    "scatter_add": Work(_scatter_add, **_FLAT),
    "bincount": Work(_bincount, **_FLAT, half=False),
    # Gradients
    "gradient of a bias": Work(_bias, **_AXES),
    "gradient of linear's bias": Work(_linear, **_ROWS),
    "gradient of layer_norm's weight": Work(_layer_norm_weight, **_ROWS, data=("normal",)),
    "gradient of embedding": Work(_embedding, **_ROWS),
    # Losses
    "mse_loss": _loss("mse_loss"),
    "mse_loss, sum": _loss("mse_loss", reduction="sum"),
    "l1_loss": _loss("l1_loss"),
    "smooth_l1_loss": _loss("smooth_l1_loss"),
    "huber_loss": _loss("huber_loss"),
    "soft_margin_loss": dataclasses.replace(_loss("soft_margin_loss"), **_NARROW),
    "hinge_embedding_loss": dataclasses.replace(_loss("hinge_embedding_loss"), half=False),
    "poisson_nll_loss": dataclasses.replace(_loss("poisson_nll_loss"), **_NARROW),
    "binary_cross_entropy_with_logits": _loss("binary_cross_entropy_with_logits"),
    "kl_div": dataclasses.replace(_loss("kl_div", reduction="sum"), data=("far", "tenth")),
    "cross_entropy": _class_loss("cross_entropy", "mean"),
    "cross_entropy, sum": _class_loss("cross_entropy", "sum"),
    "nll_loss": _class_loss("nll_loss", "mean"),
    # Of several tensors
    "get_total_norm": Work(
        lambda lib, x, dim: lib.nn.utils.get_total_norm([x, _other(lib, x)]), shapes=("all",), half=False
    ),
}


# ----- Numbers -----


def shape_of(name: str, n: int) -> tuple[tuple[int, ...], int | None]:
    """Return a shape of about n elements and the dimension that is worked over."""
    return {
        "all": ((n,), None),
        "tall": ((n // 4, 4), 0),
        "wide": ((4, n // 4), 1),
        "middle": ((4, n // 16, 4), 1),
        "rows": ((100, n // 100), 1),
    }[name]


def numbers(name: str, shape: tuple[int, ...], dtype: Any, near_one: bool = False) -> Array:
    """Return the numbers of DATA called so."""
    rng = np.random.default_rng(1337)
    if near_one:
        return (1.0 + 0.001 * (rng.random(shape) - 0.5)).astype(dtype)
    if name == "far":
        return (rng.random(shape) + (1.0 if dtype == np.float16 else 1000.0)).astype(dtype)
    if name == "tenth":
        return np.full(shape, 0.1, dtype)
    if name == "turns":
        signs = np.where(np.arange(np.prod(shape)) % 2, -0.5, 1.0).reshape(shape)
        return (signs * (rng.random(shape) + (1.0 if dtype == np.float16 else 1000.0))).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def error(found: Array, exact: Array, dtype: Any) -> float:
    """Return the largest error in units of the last place of a dtype; see the top of this file."""
    with np.errstate(over="ignore"):
        rounded = exact.astype(dtype).astype(np.float64)
    exact = np.where(np.isinf(rounded), rounded, exact)
    same = (found == exact) | (np.isnan(found) & np.isnan(exact))
    scale = np.sqrt(np.mean(np.square(exact))) / 8
    size = np.maximum(np.abs(exact), scale if np.isfinite(scale) else 0.0)
    with np.errstate(all="ignore"):
        unit = np.spacing(np.minimum(size, float(np.finfo(dtype).max) / 2).astype(dtype)).astype(np.float64)
        return float(np.max(np.where(same, 0.0, np.nan_to_num(np.abs(found - exact) / unit, nan=np.inf)), initial=0.0))


def result(lib: Any, work: Work, x: Array, dim: int | None) -> Array:
    """Return what a library computes, in float64."""
    given = lib.from_numpy(x)
    with np.errstate(all="ignore"):
        return np.asarray(work.run(lib, given, dim).detach().numpy(), np.float64)


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured: the errors of both libraries."""

    work: str
    shape: str
    data: str
    dtype: str
    npg: float
    torch: float
    floor: float = FLOOR

    @property
    def holds(self) -> bool:
        return self.npg <= max(self.floor, TIMES * self.torch)


def measured(names: list[str], n: int, dtypes: tuple[Any, ...] = (np.float32, np.float16)) -> Iterator[Row]:
    """Compute some works on about n elements."""
    for name in names:
        work = WORKS[name]
        for shape_name in work.shapes:
            shape, dim = shape_of(shape_name, n)
            for data in work.data:
                for dtype in dtypes:
                    if dtype == np.float16 and not work.half:
                        continue
                    x = numbers(data, shape, dtype, work.near_one)
                    exact = result(torch, work, x.astype(np.float64), dim)
                    errors = [error(result(lib, work, x, dim), exact, dtype) for lib in (npg, torch)]
                    yield Row(name, shape_name, data, np.dtype(dtype).name, *errors, work.floor)


# ----- The report -----


def _text(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}" if value < 1e9 else "infinite"


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a table: for each function and shape the worst data of each dtype."""
    lines = [
        "| function | shape | float32: data | npg | PyTorch | float16: data | npg | PyTorch | over the limit |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((r.work, r.shape) for r in rows):
        cells, good = [], True
        for dtype in ("float32", "float16"):
            mine = [r for r in rows if (r.work, r.shape, r.dtype) == (*key, dtype)]
            good = good and all(r.holds for r in mine)
            if mine:
                worst = max(mine, key=lambda r: (not r.holds, r.npg, r.torch))
                cells += [worst.data, _text(worst.npg), _text(worst.torch)]
            else:
                cells += ["", "", ""]
        lines.append(f"| {key[0]} | {key[1]} | {' | '.join(cells)} | {'' if good else 'yes'} |")
    return lines


def report(rows: list[Row], n: int) -> str:
    """Return the text of docs/accuracy.md."""
    assert __doc__ is not None
    what = __doc__.split("\n\n")[-1].strip()
    lines = [
        "# Accuracy",
        "",
        f"Written by `python -m tests.benchmarks.accuracy`; do not edit. {machine()}",
        "",
        f"{n:,} elements. {what}",
        "",
        f"The limit for npg's error is {TIMES:g} times PyTorch's, or {FLOOR:g} units where that is more. (Of attention",
        f"{WORKS['attention'].floor:g}: BLAS adds up {ADDED_IN_A_KERNEL} numbers; alike ones have like errors.)",
        f"npg stays within it in {sum(r.holds for r in rows)} of {len(rows)} combinations of function, shape, dtype",
        "and data. A row shows the data for which npg's error is largest.",
        "",
        *table(rows),
    ]
    return "\n".join(lines) + "\n"


def main(args: list[str]) -> None:
    n = int(args.pop(0)) if args and args[0].isdigit() else LARGE
    rows = list(measured(args or list(WORKS), n))
    if n == LARGE and not args:
        (DOCS / "accuracy.md").write_text(report(rows, n), encoding="utf-8")
    else:
        print(*table(rows), sep="\n")
    for row in rows:
        if not row.holds:
            print(row, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
