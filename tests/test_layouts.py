"""Every op on equal arrays that lie in memory in other ways: the same values and gradients, and bits in both engines.

Between layouts the last digits may differ, for BLAS has other kernels for a transposed matrix and sums are added in the
order of memory; between the engines nothing may. A process whose arrays lie beside forbidden pages finds what is read
or written outside of them.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import npg
from npg.engine import name as engine_name, wrap

from .conftest import PROFILE, ROOT
from .guarded import compiler
from .layout_runs import Call, kernels, laid_out, outcome
from .layout_samples import sampled
from .layouts import LAYOUTS, SHARING

pytestmark = pytest.mark.usefixtures("quick_samples")

PARTS = 6  # of all ops, for workers
COUNT = 4 if PROFILE == "ci" else 1
DTYPES = (torch.float32, torch.float64, torch.int64) if PROFILE == "ci" else (torch.float32, torch.int64)

TOLERANCE = {"f4": 2e-5, "f8": 1e-11, "f2": 2e-2}


@np.errstate(all="ignore")
def difference(found, expected):
    """Return what differs between two outcomes, None where nothing does."""
    if isinstance(found, str) or isinstance(expected, str):
        return None if found == expected else f"{found if isinstance(found, str) else 'values'}, contiguous: {expected}"
    for i, (a, e) in enumerate(zip(found, expected, strict=True)):
        if a is None and e is None:
            continue
        if a is None or e is None or a.shape != e.shape or a.dtype != e.dtype:
            return f"result {i} is another"
        if np.array_equal(a, e, equal_nan=e.dtype.kind == "f"):
            continue
        if e.dtype.kind != "f":
            return f"result {i}: {a}, contiguous: {e}"
        tolerance = TOLERANCE[e.dtype.str[1:]]
        size = np.abs(e[np.isfinite(e)]).max(initial=1e-3)
        if not np.allclose(a, e, tolerance, tolerance * size, equal_nan=True):
            return f"result {i}: off by {np.nanmax(np.abs(a - e))} of {size}"
    return None


def is_refused(name, call, found):
    """Tell whether an in-place call was refused as it must be."""
    if "in place" not in call.name or not isinstance(found, str):
        return False
    return "read-only" in found if name == "read_only" else "refers to a single memory location" in found


def check(call: Call, each: bool) -> list[str]:
    """Return what is wrong with a call: with all arrays in each layout, or also with one of them at a time."""
    wrong = []
    expected = outcome(lambda: call.run([a.copy() for a in call.arrays]))
    for name, layout in LAYOUTS.items():
        for which in [None, *(range(len(call.arrays)) if each and len(call.arrays) > 1 else ())]:
            arrays = laid_out(call.arrays, layout, which)
            if arrays is None:
                continue
            before = [a.copy() for a in arrays]
            found = outcome(lambda arrays=arrays, layout=layout: call.run(arrays, layout))
            text = None if is_refused(name, call, found) else difference(found, expected)
            if text:
                wrong.append(f"{call.name}: {name}, {which}: {text}")
            if "in place" not in call.name and not call.name.startswith("_"):
                for a, b in zip(arrays, before, strict=True):
                    if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                        wrong.append(f"{call.name}: {name}, {which}: an input was changed")
    for name, layout in SHARING.items():  # of values that fit it, so the contiguous arrays are others, too
        arrays = laid_out(call.arrays, layout, None)
        if arrays is None or "in place" in call.name:
            continue
        expected = outcome(lambda arrays=arrays: call.run([np.array(a, order="C") for a in arrays]))
        found = outcome(lambda arrays=arrays: call.run(arrays))
        text = None if singular(expected) else difference(found, expected)
        if text:
            wrong.append(f"{call.name}: {name}: {text}")
    return wrong


def singular(expected):
    """Tell whether equal rows have made numbers that are all rounding: of a matrix that has no inverse."""
    if isinstance(expected, str):
        return False
    return any(a is not None and a.dtype.kind == "f" and not float(np.abs(a).max(initial=0)) < 1e5 for a in expected)


@pytest.mark.parametrize("part", range(PARTS))
def test_op_of_arrays_in_another_layout_is_the_same(part):
    wrong, calls = [], 0
    for call in sampled(COUNT, part, PARTS, DTYPES):
        wrong += check(call, each=PROFILE == "ci")
        calls += 1
    assert calls > 50
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:10])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_kernel_of_arrays_in_another_layout_is_the_same(dtype):
    wrong = [text for call in kernels(dtype) for text in check(call, each=PROFILE == "ci")]
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:10])


# ----- In processes of their own -----


def digests(*arguments, **environment):
    run = subprocess.run(
        [sys.executable, "-m", "tests.layout_runs", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", **environment},  # samples of meshgrid come from a set
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, f"exit status {run.returncode}: {run.stdout[-300:]} {run.stderr[-2000:]}"
    return run.stdout.splitlines()


@pytest.mark.skipif(engine_name != "cython", reason="compares the engines")
def test_engines_agree_to_the_bit_and_nothing_is_read_beside_an_array():
    arguments = ["op_db"] if PROFILE == "ci" else []
    if compiler():
        arguments.append("end")  # for both: a sum's bits depend on where its array starts
        digests("start")
    cython, python = digests(*arguments), digests(*arguments, NPG_ENGINE="python")
    assert len(cython) > 1000
    assert cython == python


@pytest.mark.skipif(compiler() is None, reason="needs a C compiler and Linux")
@pytest.mark.parametrize("side", ["end", "start"])
def test_guarded_memory_kills_who_reads_beside_an_array(side):
    reach = "x.nbytes" if side == "end" else "-1"
    code = (
        f"import ctypes, numpy as np; from tests.guarded import guard; guard({side!r}); x = np.ones(5, np.float32)\n"
        f"ctypes.string_at(x.ctypes.data, x.nbytes); ctypes.string_at(x.ctypes.data + {reach}, 1)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    assert run.returncode < 0 or b"SEGV" in run.stderr  # AddressSanitizer says so, and exits


# ----- Arrays that a tensor cannot show, or may not write -----


def test_from_numpy_refuses_what_torch_refuses_in_its_words():
    records = np.zeros(3, [("flag", np.int8), ("value", np.float32)])
    pairs = np.zeros((2, 3), [("a", np.float32), ("b", np.float32)])
    for array in (records["value"], np.ones(3, ">f4"), np.ones((2, 3))[::-1], np.ones((1, 3))[::-1]):
        for ours, theirs in ((npg.from_numpy, torch.from_numpy), (npg.as_tensor, torch.as_tensor)):
            with pytest.raises(ValueError, match="numpy array") as expected:
                theirs(array)
            with pytest.raises(ValueError, match="numpy array") as found:
                ours(array)
            assert str(found.value) == str(expected.value)
    for array in (pairs["b"], pairs["b"].T):
        x, y = npg.from_numpy(array), torch.from_numpy(array)
        assert x.stride() == y.stride() and x.data_ptr() == y.data_ptr() == array.ctypes.data


WRITES = """
x.add_(1.)
x.mul_(x)
x.zero_()
x.fill_(2.)
x.copy_(npg.ones(4))
x.relu_()
x.clamp_(0., 1.)
x.masked_fill_(x > 0, 1.)
x.index_add_(0, npg.tensor([0]), npg.ones(1))
x.scatter_(0, npg.tensor([0]), 1.)
x.index_fill_(0, npg.tensor([0]), 1.)
x.index_put_((npg.tensor([0]),), npg.ones(1))
x.put_(npg.tensor([0]), npg.ones(1))
x.normal_()
x.uniform_()
x.bernoulli_()
x.random_()
x.__setitem__(0, 1.)
x.__setitem__(slice(None), 1.)
x.__iadd__(1.)
x[1:].mul_(2.)
x.view(2, 2).t().add_(1.)
x.detach().sub_(1.)
npg.exp(x, out=x)
npg.add(x, 1., out=x)
npg.cumsum(x, 0, out=x)
npg.nn.init.ones_(x)
npg.nn.init.normal_(x)
x.apply_(lambda v: v + 1)
x.map_(npg.ones(4), lambda a, b: a + b)
x.sigmoid_()
x.erfinv_()
x.cumsum_(0)
x.tril_() if x.dim() == 2 else x.lerp_(x, .5)
npg.nn.functional.silu(x, inplace=True)
npg.nn.functional.dropout(x, .5, inplace=True)
"""


@pytest.mark.parametrize("kind", ["read-only", "mapped"])
@pytest.mark.parametrize("text", WRITES.strip().split("\n"))
def test_writing_to_read_only_memory_raises_and_changes_nothing(text, kind, tmp_path):
    a = np.arange(4, dtype=np.float32) / 8
    if kind == "mapped":
        a.tofile(tmp_path / "a")
        a = np.memmap(tmp_path / "a", np.float32, "r")
    else:
        a.flags.writeable = False
    x = npg.from_numpy(a)
    before, version = a.copy(), x._version
    with pytest.raises((ValueError, RuntimeError), match="read-only"):
        eval(text, {"npg": npg, "x": x})
    np.testing.assert_array_equal(a, before)
    assert x._version == version and x.is_leaf


def test_reading_mapped_memory_is_reading_an_array(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x", "w"):
        rng.standard_normal((6, 6)).astype(np.float32).tofile(tmp_path / name)
    found = []
    for mode in ("r", "c", "r+", None):
        arrays = [np.memmap(tmp_path / name, np.float32, mode or "r").reshape(6, 6) for name in ("x", "w")]
        x, w = (npg.from_numpy(a if mode else np.array(a)) for a in arrays)
        x.requires_grad_()
        assert not mode or np.shares_memory(x.detach().numpy(), arrays[0])
        parts = [x[::2].unfold(1, 2, 1).sum(-1), x[1:4, None].expand(3, 2, 6).sum(1), x.t()[:, 1:4], x.view(4, 9)]
        loss = (x @ w).softmax(-1).sum() + sum((p * p).sum() for p in parts) + x.as_strided((3,), (7,)).sum()
        loss.backward()
        found.append([loss.detach().numpy(), x.grad.numpy(), x.detach().clone().add_(1).numpy()])
        if mode in ("c", "r+"):
            x.detach()[0].fill_(5.0)
            assert (arrays[0][0] == 5).all() and arrays[0][1, 0] != 5
            expected = 5 if mode == "r+" else np.fromfile(tmp_path / "x", np.float32, 6)
            arrays[0].base.flush() if hasattr(arrays[0].base, "flush") else None
            assert (np.fromfile(tmp_path / "x", np.float32, 6) == expected).all()
    for other in found[:-1]:
        for a, b in zip(other[:2], found[0][:2], strict=True):
            np.testing.assert_array_equal(a, b)


def test_optimizer_refuses_parameters_in_read_only_memory():
    a = np.ones(3, np.float32)
    a.flags.writeable = False
    for make in (npg.optim.SGD, npg.optim.Adam, npg.optim.RMSprop):
        p = npg.nn.Parameter(npg.from_numpy(a))
        p.grad = npg.ones(3)
        with pytest.raises(ValueError, match="read-only"):
            make([p], lr=0.1).step()
        assert (a == 1).all()


# ----- An input that overlaps itself -----


OVERLAPPING = [
    (3, lambda x: x.expand(2, 3).as_strided((3,), (1,))),
    (3, lambda x: x.expand(2, 3).as_strided((2, 2), (1, 1))),
    (4, lambda x: x.unfold(0, 2, 1).as_strided((4,), (1,))),
    (4, lambda x: x.unfold(0, 3, 1).as_strided((4, 2), (1, 0))),
    (6, lambda x: x.view(3, 2)[:, None].expand(3, 2, 2).as_strided((2, 2), (2, 1), 1)),
    (4, lambda x: x.as_strided((2, 3), (1, 1)).as_strided((4,), (1,))),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("n", "seen"), OVERLAPPING)
def test_gradient_of_a_view_of_an_overlapping_input_is_like_torch(n, seen, dtype):
    found = []
    for lib in (npg, torch):
        x = lib.arange(1.0, n + 1).to(getattr(lib, dtype)).requires_grad_()
        y = seen(x)
        w = lib.arange(1.0, y.numel() + 1).to(x.dtype).reshape(y.shape)
        (g,) = lib.autograd.grad((y * y * w).sum(), x, create_graph=True)
        (second,) = lib.autograd.grad((g * g).sum(), x)
        found.append([g.detach().numpy(), second.numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_overlaps_of_wrapped_arrays_are_seen():
    x = wrap(np.lib.stride_tricks.sliding_window_view(np.arange(4.0), 2))
    assert x.sum().item() == 9
