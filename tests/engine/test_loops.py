"""Small arrays, on which the Cython engine calls NumPy's inner loops directly: the bits are those of the ufunc."""

import itertools
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from npg.ops import activation, comparison, division, elementwise, special
from npg.ops._op import Op

UFUNCS = sorted(
    {
        op.name: op
        for module in (activation, comparison, elementwise, special)
        for op in vars(module).values()
        if isinstance(op, Op) and op.is_ufunc
    }.items()
)
_draw = np.random.default_rng(0)


def _array(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.asarray(_draw.random(shape) * 0.9 + 0.05, dtype)  # within the domain of every op


def _arrays(shape: tuple[int, ...], dtype: str) -> dict[str, np.ndarray]:
    """Return arrays of one shape and dtype in several layouts."""
    plain = _array(shape, dtype)
    wide = _array((*shape[:-1], shape[-1] * 2) if shape else (2,), dtype)
    unaligned = np.frombuffer(b"x" + plain.tobytes(), dtype, offset=1).reshape(shape)
    readonly = _array(shape, dtype)
    readonly.flags.writeable = False
    return {
        "plain": plain,
        "gaps": wide[..., ::2] if shape else wide[1:].reshape(()),
        "columns": np.asfortranarray(_array(shape, dtype)),
        "unaligned": unaligned,
        "readonly": readonly,
    }


def _leaf(engine: ModuleType, array: np.ndarray) -> Any:
    """Return a leaf on the array itself, in its layout."""
    x = engine.wrap(array)
    x._set_requires_grad(True)
    return x


def _outcome(engine: ModuleType, op: Op, operands: Iterable[Any], in_place: bool = False) -> list[Any]:
    """Return the bytes of the results and gradients of an op on operands, or the error."""
    inputs = [_leaf(engine, x) if isinstance(x, np.ndarray) else x for x in operands]
    if in_place:
        inputs[0] = engine.apply(elementwise.clone, (inputs[0],), {})
    y = engine.Function(op, None, "inplace" if in_place else "function")(*inputs)
    results = [y._array.dtype, y._array.shape, y._array.tobytes()]
    if y.requires_grad:
        leaves = [x for x in inputs if hasattr(x, "_array") and x._fn is None]
        g = engine.wrap(np.linspace(-1, 2, y._array.size, dtype=y._array.dtype).reshape(y._array.shape))
        engine.run_backward((y,), (g,), False, False)
        results += [None if x._grad is None else x._grad._array.tobytes() for x in leaves]
    return results


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "op"), UFUNCS)
def test_ufunc_of_small_arrays_bits_equal(engines: dict, name: str, op: Op, dtype: str) -> None:
    if op.forward.types[0] not in "fde?" and "f" not in "".join(op.forward.types):
        pytest.skip("of integers only")
    for shape in ((), (1,), (3,), (4, 5), (2, 3, 17)):
        operands = _arrays(shape, dtype).values()
        for chosen in itertools.product(operands, repeat=len(op.inputs)):
            assert _outcome(engines["cython"], op, chosen) == _outcome(engines["python"], op, chosen)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number", [2, -3, 0.1, 1e300, float("nan"), float("-inf"), 2**53 + 1, -(2**62), 2**70, True])
def test_ufunc_of_an_array_and_a_number_bits_equal(engines: dict, number: float, dtype: str) -> None:
    x = _array((3, 4), dtype)
    for op, operands in itertools.product(
        (elementwise.add, elementwise.sub, elementwise.mul, division.div), ((x, number), (number, x))
    ):
        assert _outcome(engines["cython"], op, operands) == _outcome(engines["python"], op, operands)


@pytest.mark.parametrize("dtypes", list(itertools.product(["float16", "float32", "float64"], repeat=2)))
def test_ufunc_of_two_dtypes_bits_equal(engines: dict, dtypes: tuple[str, str]) -> None:
    for shapes in itertools.product(((), (1,), (3,), (2, 3), (0,)), repeat=2):
        operands = [_array(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            continue
        outcomes = [_outcome(engines[name], elementwise.mul, operands) for name in ("cython", "python")]
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("size", [2047, 2048, 2049])
def test_ufunc_at_the_limit_of_small_bits_equal(engines: dict, size: int) -> None:
    operands = [_array((size,), "float32") for _ in range(2)]
    for op in (elementwise.mul, division.div):
        assert _outcome(engines["cython"], op, operands) == _outcome(engines["python"], op, operands)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_place_of_small_arrays_bits_equal(engines: dict, dtype: str) -> None:
    for chosen in itertools.product(_arrays((2, 3), dtype).values(), repeat=2):
        if not chosen[0].flags.writeable:
            continue
        for op in (elementwise.add, elementwise.mul, division.div):
            outcomes = [_outcome(engines[name], op, chosen, in_place=True) for name in ("cython", "python")]
            assert outcomes[0] == outcomes[1]


def test_one_array_as_both_operands_bits_equal(engines: dict) -> None:
    for name, op in (("mul", elementwise.mul), ("sub", elementwise.sub)):
        outcomes = []
        for engine in engines.values():
            x = _leaf(engine, np.linspace(0, 1, 6, dtype=np.float32))
            y = engine.apply(op, (x, x), {})
            engine.run_backward((y,), (engine.wrap(np.ones(6, np.float32)),), False, False)
            outcomes.append((name, y._array.tobytes(), x._grad._array.tobytes()))
        assert outcomes[0] == outcomes[1]


def test_a_rule_that_looks_at_its_arguments_is_not_read_as_loops(engine: ModuleType) -> None:
    calls = []

    def looks(g, _y, x):
        calls.append(x.shape)
        return g * x

    op = Op(lambda x: np.square(x))
    op.forward, op.is_ufunc, op.inputs = np.square, True, ("x",)
    op._set_vjps((looks,))
    for shape in ((2,), (3,)):
        x = _leaf(engine, np.ones(shape, np.float32))
        y = engine.apply(op, (x,), {})
        engine.run_backward((y,), (engine.wrap(np.ones(shape, np.float32)),), False, False)
    assert calls == [(2,), (3,)]
