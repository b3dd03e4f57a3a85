"""Operators that programs define (npg.library, torch.ops), and the conditions that they state, against torch."""

import itertools
from collections.abc import Sequence

import pytest
import torch

import npg
from npg import _C, _checks, _ops, library

NUMBERS = itertools.count()
SIDES = {"torch": (torch, torch.library, torch.ops), "npg": (npg, library, _ops.ops)}


def error_of(call):
    """Return the type and the text of the error that a call raises, or its result."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.fixture(params=SIDES)
def side(request):
    return SIDES[request.param]


@pytest.fixture
def name():
    return f"npg_tests::op{next(NUMBERS)}"


def values(x):
    return x.detach().tolist()


def test_custom_op_runs_and_has_the_gradient_that_is_registered(side, name):
    t, lib, ops = side

    def power(x: t.Tensor, n: int = 2, *, factor: float = 1.0) -> t.Tensor:
        return t.from_numpy(x.detach().numpy() ** n * factor).to(x.dtype)

    op = lib.custom_op(name, power, mutates_args=())
    assert repr(op) == f"<CustomOpDef({name})>"
    x = t.tensor([1.0, 3.0], requires_grad=True)
    assert values(op(x)) == [1.0, 9.0] and values(op(x, 3, factor=2.0)) == [2.0, 54.0]
    with pytest.raises(RuntimeError, match="no autograd formula was registered. Please use register_autograd"):
        op(x).sum().backward()

    def setup(ctx, inputs, keyword_only_inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.n, ctx.factor = inputs[1], keyword_only_inputs["factor"]

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ctx.n * x ** (ctx.n - 1) * ctx.factor, None

    op.register_autograd(backward, setup_context=setup)
    (op(x, 3, factor=2.0) * t.tensor([1.0, 10.0])).sum().backward()
    assert values(x.grad) == [6.0, 540.0]
    namespace, _, short = name.partition("::")
    assert values(getattr(getattr(ops, namespace), short)(x)) == [1.0, 9.0]
    assert str(getattr(getattr(ops, namespace), short)) == name.replace("::", ".")
    with t.no_grad():
        assert op(x).grad_fn is None


def test_operator_by_its_schema_runs_the_kernel_for_the_cpu(side, name):
    t, lib, ops = side
    lib.define(name, "(Tensor x, int n=2, *, float? s=None, int[] l=[1, 2]) -> Tensor")
    namespace, _, short = name.partition("::")
    op = getattr(getattr(ops, namespace), short)
    x = t.ones(2)
    with pytest.raises(NotImplementedError, match=f"Could not run '{name}' with arguments from the 'CPU' backend"):
        op(x)
    calls = []

    @lib.impl(name, ("cpu", "cuda"))
    def kernel(x, n=2, *, s=None, l=(1, 2)):
        calls.append((n, s, list(l)))
        return x * n

    lib.register_fake(name)(lambda x, n=2, *, s=None, l=(1, 2): x)
    assert values(op(x)) == [2.0, 2.0] and values(op(x, 3, s=1.5, l=[4])) == values(op(n=3, x=x)) == [3.0, 3.0]
    assert calls == [(2, None, [1, 2]), (3, 1.5, [4]), (3, None, [1, 2])]
    for wrong, text in {
        lambda: op(): r"is missing value for argument 'x'. Declaration: npg_tests::op\d+\(Tensor x, int n=2",
        lambda: op("a"): "Expected a value of type 'Tensor' for argument 'x' but instead found type 'str'",
        lambda: lib.define(name, "(Tensor x) -> Tensor"): "with the same name and overload name multiple times",
    }.items():
        with pytest.raises(RuntimeError, match=text):
            wrong()
    assert lib is torch.library or error_of(lambda: lib.impl("npg_tests::none", "cpu", kernel)) == (
        "RuntimeError",
        "operator npg_tests::none does not exist",
    )  # PyTorch waits for it to be defined
    with pytest.raises(AttributeError, match=f"'_OpNamespace' '{namespace}' object has no attribute 'none'"):
        getattr(getattr(ops, namespace), "none")  # noqa: B009


def test_library_defines_and_implements(side):
    t, lib, ops = side
    namespace = f"npg_tests_{next(NUMBERS)}"
    own = lib.Library(namespace, "DEF")
    assert own.define("twice(Tensor x) -> Tensor") == "twice"
    other = lib.Library(namespace, "IMPL", "CPU")
    other.impl("twice", lambda x: x * 2)
    op = getattr(ops, namespace).twice
    assert values(op(t.ones(1))) == values(op.default(t.ones(1))) == [2.0]
    with pytest.raises(ValueError, match="Unsupported kind"):
        lib.Library(namespace, "OTHER")
    with pytest.raises(TypeError, match="Input function is required to be a callable"):
        other.impl("twice", 3)
    own._destroy()


SCHEMAS = [
    "def f(x: T, y: T | None, n: int, m: int | None = None, f: float = 1.5, b: bool = True, s: str = 'q') -> T: ...",
    "def f(x: list[T], y: Sequence[int], *, k: float = 2.0) -> tuple[T, T]: ...",
    "def f(x: T, d: DT = D, i: bool | None = None, n: int | float | bool = 2) -> None: ...",
    "def f(x: 'T') -> list[T]: ...",
    "def f(x: T) -> int: ...",
    "def f(x): ...",
    "def f(x: dict) -> T: ...",
    "def f(x: T): ...",
    "def f(*x: T) -> T: ...",
    "def f(x: T) -> dict: ...",
    "def f(x: T, l: list[int] = [1]) -> T: ...",
]


@pytest.mark.parametrize("source", SCHEMAS)
@pytest.mark.parametrize("mutates", [(), "unknown", ("x",), ("none",)])
def test_schemas_of_annotations_are_torchs(source, mutates):
    got = []
    for t, lib, _ in SIDES.values():
        names = {"T": t.Tensor, "DT": t.dtype, "D": t.float32, "Sequence": Sequence}
        exec(source, names)
        result = error_of(lambda f=names["f"], lib=lib: lib.infer_schema(f, mutates_args=mutates))
        got.append(result if isinstance(result, str) else (result[0], result[1].partition(".")[0][:60]))
    assert got[0] == got[1]


def test_compiled_library_is_refused():
    with pytest.raises(OSError, match="Could not load this library: .*x.so; npg runs no operators that are compiled"):
        _ops.ops.load_library("x.so")
    assert _ops.ops.loaded_libraries == set()


CHECKS = ["_check", "_check_index", "_check_value", "_check_type", "_check_not_implemented", "_check_tensor_all"]
CONDITIONS = [
    lambda t: True,
    lambda t: False,
    lambda t: 1,
    lambda t: t.tensor(True),
    lambda t: t.tensor([True, False]),
    lambda t: t.tensor([1]),
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("message", [None, "text", lambda: "text"])
def test_conditions_are_checked_as_torch_checks_them(check, condition, message):
    got = [error_of(lambda t=t: getattr(t, check)(condition(t), message)) for t in (torch, npg)]
    assert got[0] == got[1]


def test_assert_is_torchs():
    for make in CONDITIONS:
        got = [error_of(lambda t=t, make=make: t._assert(make(t), "text")) for t in (torch, npg)]
        assert got[0] == got[1]
    assert _checks._check_is_size(3) is None and npg._check_with(ValueError, True, None) is None
    with pytest.raises(RuntimeError, match="Expected cond to be True"):
        npg._check_is_size(3, max=2)


def test_compiled_part_has_the_names_that_programs_use():
    keys = _C.DispatchKeySet(_C.DispatchKey.AutocastCPU) | _C.DispatchKeySet(_C.DispatchKey.AutocastCUDA)
    assert keys.has(_C.DispatchKey.AutocastCPU) and not keys.has(_C.DispatchKey.CPU)
    assert keys.add(_C.DispatchKey.CPU).has(_C.DispatchKey.CPU)
    with _C._ExcludeDispatchKeyGuard(keys):
        assert _C._get_tracing_state() is None and _C._log_api_usage_once("x") is None
    assert {key.name for key in _C.DispatchKey} <= set(dir(torch._C.DispatchKey))
    assert _C.TensorBase is npg.Tensor and _C.Generator is npg.Generator and _C.device is npg.device
