"""Helpers of the tests: make the same call in npg and in PyTorch, and compare everything about the two results.

    check_like_torch(npg.exp, torch.exp, array)        one call: value, dtype, shape, gradients, second order
    check_layouts(npg.mul, torch.mul, a, b)            the same for contiguous, strided, 0-d and empty arrays
    assert_same_error(lambda: npg..., lambda: torch...)

Arrays are given as ndarrays or torch tensors. A floating array is a leaf that requires grad on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import npg
from npg import dtypes, engine, tensor  # noqa: F401  (tensor registers the class that the engine makes outputs from)
from npg.functional import _attributes

TORCH_DTYPES = {
    torch.float16: dtypes.float16,
    torch.float32: dtypes.float32,
    torch.float64: dtypes.float64,
    torch.int8: dtypes.int8,
    torch.int16: dtypes.int16,
    torch.int32: dtypes.int32,
    torch.int64: dtypes.int64,
    torch.uint8: dtypes.uint8,
    torch.bool: dtypes.bool_,
}

# (rtol, atol). One float32 ulp is 1.2e-7, one float64 ulp 2.2e-16; sums of some hundred terms in another order lose two
# digits of that.
TOLERANCES = {
    np.dtype(np.float16): (2e-3, 1e-3),
    np.dtype(np.float32): (1e-5, 1e-6),
    np.dtype(np.float64): (1e-11, 1e-12),
}


class Unsupported(Exception):
    """Raised for an argument that npg leaves out by design: complex, sparse, memory formats, other devices."""


# ----- From one library to the other -----


def _array_of(t: torch.Tensor) -> np.ndarray:
    """Return a copy of a tensor's whole storage, seen through the tensor's own shape and strides."""
    if t.layout is not torch.strided:
        raise Unsupported(str(t.layout))
    if t.dtype not in TORCH_DTYPES:
        raise Unsupported(str(t.dtype))
    if t.device.type != "cpu":
        raise Unsupported(str(t.device))
    t = t.detach().resolve_neg()
    if t.numel() == 0:
        return np.empty(tuple(t.shape), TORCH_DTYPES[t.dtype].dtype)
    storage = torch.empty(0, dtype=t.dtype).set_(t.untyped_storage()).numpy().copy()
    strides = tuple(s * storage.itemsize for s in t.stride())
    return np.ndarray(tuple(t.shape), storage.dtype, storage, t.storage_offset() * storage.itemsize, strides)


def to_npg(x: Any) -> Any:
    """Return the npg counterpart of a torch tensor, dtype or size, or of a list, tuple or dict of them.

    A tensor becomes a leaf with the same strides and the same requires_grad. Anything else is returned unchanged.

    Raises: Unsupported: for arguments that npg does not support.
    """
    if isinstance(x, torch.Tensor):
        leaf = engine.wrap(_array_of(x))
        if x.requires_grad:
            leaf._set_requires_grad(True)
        return leaf
    if isinstance(x, torch.dtype):
        if x not in TORCH_DTYPES:
            raise Unsupported(str(x))
        return TORCH_DTYPES[x]
    if isinstance(x, (torch.layout, torch.memory_format)):
        if x not in (torch.strided, torch.contiguous_format, torch.preserve_format):
            raise Unsupported(repr(x))
        return getattr(_attributes, str(x).removeprefix("torch."))
    if isinstance(x, torch.device):
        if x.type != "cpu":
            raise Unsupported(repr(x))
        return "cpu"
    if isinstance(x, (complex, torch.nn.Module)):
        raise Unsupported(repr(x))
    if isinstance(x, torch.nn.LinearCrossEntropyOptions):
        return npg.nn.LinearCrossEntropyOptions(**to_npg(dataclasses.asdict(x)))
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, dict):
        return {k: to_npg(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        items = [to_npg(v) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return x


def to_torch(x: Any, requires_grad: bool | None = None) -> Any:
    """Return the torch counterpart of an npg tensor or ndarray, or of a list, tuple or dict of them.

    Args:
        requires_grad: that of the new tensors; None keeps an npg tensor's own, and is False for ndarrays.
    """
    if isinstance(x, engine.TensorBase):
        t = torch.from_numpy(x._array.copy(order="K"))
        return t.requires_grad_(x.requires_grad if requires_grad is None else requires_grad)
    if isinstance(x, np.ndarray):
        base = x if x.base is None else x.base
        strided = isinstance(base, np.ndarray) and base.dtype == x.dtype and min(x.strides, default=0) >= 0
        if strided and x.size and base.flags.c_contiguous:  # keep the strides: a copy of the base, seen the same way
            offset = (x.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // x.itemsize
            flat = torch.from_numpy(base.reshape(-1).copy())
            t = flat.as_strided(x.shape, [s // x.itemsize for s in x.strides], offset)
        else:
            t = torch.from_numpy(x.copy())
        return t.requires_grad_(bool(requires_grad) and t.is_floating_point())
    if isinstance(x, dict):
        return {k: to_torch(v, requires_grad) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(to_torch(v, requires_grad) for v in x)
    return x


def tensors_in(x: Any) -> Iterator[Any]:
    """Yield the tensors of either library in nested lists, tuples and dicts."""
    if isinstance(x, (torch.Tensor, engine.TensorBase)):
        yield x
    elif isinstance(x, dict):
        for v in x.values():
            yield from tensors_in(v)
    elif isinstance(x, (list, tuple)):
        for v in x:
            yield from tensors_in(v)


# ----- Comparing -----


def assert_like(
    actual: Any,
    expected: Any,
    what: str = "value",
    rtol: float | None = None,
    atol: float | None = None,
    values: bool = True,
) -> None:
    """Compare npg's result with torch's: structure, shape, dtype and values; integers and bools exactly, nan with nan.

    Args:
        actual: npg tensor, or nested lists and tuples of tensors and numbers.
        expected: the same from torch.
        what: a prefix of the message.
        rtol, atol: None takes the TOLERANCES of the dtype.
        values: compare values, not only structure, shape and dtype.
    """
    if isinstance(expected, torch.Tensor):
        assert isinstance(actual, engine.TensorBase), f"{what}: expected a Tensor, got {type(actual).__name__}"
        array, expected_array = actual._array, expected.detach().resolve_neg().numpy(force=True)
        assert array.shape == expected_array.shape, f"{what}: shape {array.shape}, torch has {expected_array.shape}"
        assert array.dtype == expected_array.dtype, f"{what}: dtype {array.dtype}, torch has {expected_array.dtype}"
        if not values:
            return
        if expected_array.dtype.kind != "f":
            np.testing.assert_array_equal(array, expected_array, err_msg=what)
            return
        if np.array_equal(array, expected_array):
            return
        tolerances = TOLERANCES[expected_array.dtype]
        rtol, atol = tolerances[0] if rtol is None else rtol, tolerances[1] if atol is None else atol
        with np.errstate(invalid="ignore"):  # inf - inf; assert_allclose below looks at those places
            near = np.abs(array - expected_array) <= atol + rtol * np.abs(expected_array)
        if not near.all():  # slow, but explains the difference
            np.testing.assert_allclose(array, expected_array, rtol, atol, err_msg=what)
    elif isinstance(expected, (list, tuple)):
        assert isinstance(actual, (list, tuple)), f"{what}: expected a sequence, got {type(actual).__name__}"
        assert len(actual) == len(expected), f"{what}: {len(actual)} results, torch has {len(expected)}"
        for i, (f, e) in enumerate(zip(actual, expected, strict=True)):
            assert_like(f, e, f"{what}[{i}]", rtol, atol, values)
    elif isinstance(expected, torch.dtype):
        assert actual is TORCH_DTYPES[expected], f"{what}: {actual}, torch has {expected}"
    elif isinstance(expected, float):
        np.testing.assert_allclose(actual, expected, rtol or 1e-6, atol or 0, err_msg=what)
    else:
        assert actual == expected, f"{what}: {actual!r}, torch has {expected!r}"


def _weights(shapes: list[tuple[int, ...]], like: list[torch.Tensor], seed: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(np.asarray(rng.standard_normal(s))).to(t.dtype) for s, t in zip(shapes, like, strict=True)]


def gradients_torch(outs: Any, ins: Any, gs: Any, create_graph: bool) -> list[Any]:
    """Return the gradients of torch tensors `outs`, weighted with `gs`, with respect to `ins`; None where none is."""
    return list(torch.autograd.grad(outs, ins, gs, create_graph=create_graph, allow_unused=True, retain_graph=True))


def gradients_npg(outs: Any, ins: Any, gs: Any, create_graph: bool) -> list[Any]:
    """Return the same for npg tensors."""
    return list(engine.run_backward(tuple(outs), tuple(gs), True, create_graph, tuple(ins), False))


def _zero_where_none(expected: Any, actual: Any) -> tuple[Any, Any]:
    # A gradient that is identically zero may be absent on one side and zeros on the other.
    if expected is None and actual is not None:
        expected = torch.from_numpy(np.zeros_like(actual._array))
    elif actual is None and expected is not None:
        actual = engine.wrap(np.zeros_like(expected.detach().numpy()))
    return expected, actual


def compare_calls(
    npg_fn: Callable[..., Any],
    torch_fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    grad: bool = True,
    second: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
    in_place: bool | None = None,
    values: bool = True,
) -> None:
    """Call both functions on the same torch arguments and compare values, gradients and gradients of gradients.

    Args:
        args, kwargs: for torch_fn; npg_fn gets to_npg of them.
        grad: compare the gradients of every argument that requires grad.
        second: compare second-order gradients too: those of a random linear function of the first-order ones.
        in_place: the functions change their first argument; None: as torch_fn's name says.
        values: compare values, not only shapes and dtypes.
    Raises: Unsupported: when the arguments cannot be given to npg.
    """
    npg_args, npg_kwargs = to_npg(args), to_npg(kwargs)
    if in_place is None:
        in_place = _is_in_place(torch_fn)
    if args and isinstance(args[0], torch.Tensor) and in_place:
        # A leaf cannot be changed in place, so both sides change a recorded copy of it.
        first, *rest = args
        npg_first, *npg_rest = npg_args
        expected = torch_fn(first.clone(), *rest, **kwargs)
        actual = npg_fn(_recorded_copy(npg_first), *npg_rest, **npg_kwargs)
    else:
        expected = torch_fn(*args, **kwargs)
        actual = npg_fn(*npg_args, **npg_kwargs)
    assert_like(actual, expected, "value", rtol, atol, values)
    if not grad:
        return
    ins = [t for t in tensors_in((args, kwargs)) if t.requires_grad]
    npg_ins = [t for t in tensors_in((npg_args, npg_kwargs)) if t.requires_grad]
    pairs = list(zip(tensors_in(expected), tensors_in(actual), strict=True))
    for i, (t, n) in enumerate(pairs):
        assert n.requires_grad == t.requires_grad, f"output {i}: requires_grad is not torch's, {t.requires_grad}"
    outs = [t for t, _ in pairs if t.requires_grad]
    npg_outs = [n for _, n in pairs if n.requires_grad]
    if not outs or not ins:
        return
    gs = _weights([tuple(t.shape) for t in outs], outs, seed)
    gs = [g.requires_grad_(second) for g in gs]
    npg_gs = to_npg(gs)
    first = gradients_torch(outs, ins, gs, second)
    npg_first = gradients_npg(npg_outs, npg_ins, npg_gs, second)
    for i, (e, f) in enumerate(zip(first, npg_first, strict=True)):
        e, f = _zero_where_none(e, f)
        if e is not None:
            assert_like(f, e, f"gradient {i}", rtol, atol)
    if not second:
        return
    both = [(e, f) for e, f in zip(first, npg_first, strict=True) if e is not None and e.requires_grad]
    if not both:
        return
    missing = [i for i, (_, f) in enumerate(both) if f is None or not f.requires_grad]
    assert not missing, f"gradients {missing} are not recorded with create_graph=True, torch's are"
    vs = _weights([tuple(e.shape) for e, _ in both], [e for e, _ in both], seed + 1)
    again = gradients_torch([e for e, _ in both], ins + gs, vs, False)
    npg_again = gradients_npg([f for _, f in both], npg_ins + npg_gs, to_npg(vs), False)
    for i, (e, f) in enumerate(zip(again, npg_again, strict=True)):
        e, f = _zero_where_none(e, f)
        if e is not None:
            assert_like(f, e, f"second-order gradient {i}", rtol, atol)


def _is_in_place(torch_fn: Callable[..., Any]) -> bool:
    name = getattr(torch_fn, "__name__", "")
    return name.endswith("_") and not name.endswith("__") or (name.startswith("__i") and name != "__invert__")


def _recorded_copy(x: Any) -> Any:
    from npg.ops.elementwise import clone

    return engine.apply(clone, (x,), {})


def check_like_torch(npg_fn: Callable[..., Any], torch_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Check that npg_fn does the same on these arguments as torch_fn.

    Args:
        args: ndarrays, torch tensors, numbers, or lists of them. A floating ndarray becomes a leaf that requires grad;
            a torch tensor is used unchanged.
        kwargs: for the functions, except grad, second, rtol, atol and seed, which go to compare_calls.
    """
    settings = {k: kwargs.pop(k) for k in ("grad", "second", "rtol", "atol", "seed") if k in kwargs}
    compare_calls(npg_fn, torch_fn, to_torch(args, True), to_torch(kwargs, True), **settings)


def both(call: Callable[..., Any], *arrays: Any, **settings: Any) -> None:
    """Check call(npg, *arrays) against call(torch, *arrays), see check_like_torch."""
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays, **settings)


def drawn(rng: np.random.Generator, *shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Return an array of normal numbers."""
    return np.asarray(rng.standard_normal(shape)).astype(dtype, copy=False)


def strided(a: np.ndarray) -> np.ndarray:
    """Return the same values in memory with gaps and the dimensions in reverse order."""
    wide = np.zeros(tuple(2 * n for n in a.shape[::-1]), a.dtype)
    view = wide.transpose()[(slice(None, None, 2),) * a.ndim]
    view[...] = a
    return view


def check_layouts(npg_fn: Callable[..., Any], torch_fn: Callable[..., Any], *arrays: Any, **kwargs: Any) -> None:
    """Run check_like_torch on the arrays as they are, strided, cut to one element (0-d), and on empty ones.

    For functions that take any shape and broadcast. Numbers among the arrays stay as they are.
    """

    def each(change: Callable[[np.ndarray], np.ndarray]) -> list[Any]:
        return [change(a) if isinstance(a, np.ndarray) else a for a in arrays]

    for changed in (
        list(arrays),
        each(strided),
        each(lambda a: np.array(a.reshape(-1)[0])),
        each(lambda a: np.empty((2, 0), a.dtype)),
    ):
        check_like_torch(npg_fn, torch_fn, *changed, **kwargs)


def assert_same_error(npg_call: Callable[[], Any], torch_call: Callable[[], Any], text: bool = True) -> None:
    """Check that both calls fail with the same exception and, except for the library's name, the same first line.

    Args:
        text: compare the texts too; otherwise only the exceptions.
    """
    expected = actual = None
    try:
        torch_call()
    except Exception as error:
        expected = error
    try:
        npg_call()
    except Exception as error:
        actual = error
    assert expected is not None, "torch accepts this call"
    assert actual is not None, f"npg accepts this call; torch raises {expected!r}"
    assert isinstance(actual, type(expected)), f"npg raises {actual!r}, torch {expected!r}"
    if text:
        line = str(expected).split("\n")[0].replace("torch", "npg")
        assert str(actual).split("\n")[0] == line, f"npg says {str(actual)!r}, torch {line!r}"


def same_result_or_error(npg_fn: Callable[..., Any], torch_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Check that both calls give the same values and dtypes, or fail with the same exception and text.

    Args:
        args, kwargs: torch's; npg gets to_npg of them.
    """
    npg_arguments = to_npg((args, kwargs))  # before torch may change them in place
    try:
        expected = torch_fn(*args, **kwargs)
    except Exception as refusal:
        error = refusal
    else:
        assert_like(npg_fn(*npg_arguments[0], **npg_arguments[1]), expected)
        return

    def refuse() -> None:
        raise error

    assert_same_error(lambda: npg_fn(*npg_arguments[0], **npg_arguments[1]), refuse)
