"""Writes to memory that is shared or repeated within a tensor, and to out=, compared with torch case by case."""

import warnings

import numpy as np
import pytest
import torch

import npg

from ..expressions import check, check_error

pytestmark = pytest.mark.filterwarnings("ignore:.*on expanded tensors is deprecated")

# ----- Expanded tensors -----


@pytest.mark.parametrize(
    "call",
    [
        "x.fill_(2)", "x.fill_(True)", "x.zero_()", "x.copy_(x)", "x.copy_(x[:])", "x[0].fill_(4)", "x[1].add_(1)",
        "x[:, 1:].zero_()", "x[0].copy_(lib.ones(3))", "x[0].neg_()", "lib.add(lib.ones(3), 1, out=x[0])",
        "x.__setitem__(slice(None), x)", "x.__setitem__(..., x[:])",
    ],
)  # fmt: skip
def test_expanded_tensor_takes_what_writes_every_place_once(call):
    check(f"b = lib.arange(3.0); x = b.expand(2, 3); y = {call}; r = b, x, y, x._version")


@pytest.mark.parametrize("write", ["x[:] = x", "x.copy_(x)"])
def test_expanded_tensor_written_into_itself_is_checked_as_any_other(write):
    check(f"x = lib.arange(3.0).requires_grad_().expand(2, 3).detach(); {write}; r = x, x._version")
    check_error(f"x = lib.ones(2, 1, requires_grad=True).expand(2, 3).unbind()[0]; {write}")
    with npg.inference_mode():
        x = npg.ones(1).expand(3)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        exec(write, {"x": x})
    x = npg.ones(1).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        exec(write, {"x": x})


def test_assignment_to_a_part_of_an_expanded_tensor_is_torchs():
    check("b = lib.arange(3.0); x = b.expand(2, 3); x[0] = 4; x[:, 1][0] = 5; r = b, x, x._version")
    check("b = lib.arange(3); x = b.expand(2, 3); x[0] = lib.arange(3) + 2; r = b, x")


@pytest.mark.parametrize(
    "call",
    [
        "x.fill_(lib.tensor(2.0))", "x.copy_(x.clone())", "x.copy_(lib.ones(3))", "x.add_(1)", "x.exp_()",
        "x.__setitem__(slice(None), 4)", "x.__setitem__(slice(None), lib.ones(2, 3))", "x.put_(i, lib.ones(1))",
        "x.scatter_(0, i[None], 1.0)", "x.index_copy_(0, i, lib.ones(1, 3))", "x.index_add_(0, i, lib.ones(1, 3))",
        "lib.add(lib.ones(2, 3), 1, out=x)",
    ],
)  # fmt: skip
def test_expanded_tensor_refuses_the_rest_in_torchs_words(call):
    check_error(f"i = lib.tensor([0]); x = lib.arange(3.0).expand(2, 3); {call}")


@pytest.mark.parametrize("call", ["x.fill_(2)", "x.zero_()"])
def test_filling_an_expanded_recorded_tensor_stops_the_gradient(call):
    setup = f"a = lib.ones(3, requires_grad=True); b = a * 2; x = b.expand(2, 3); {call}"
    check(f"{setup}; r = b, x, x.grad_fn.name()")
    scope = {"lib": npg}
    exec(f"{setup}; (b.sum() + x.sum()).backward(); g = a.grad", scope)  # torch's backward raises here
    assert scope["g"].tolist() == [0, 0, 0]


def test_filling_a_leaf_through_its_expansion_is_refused():
    check_error("x = lib.ones(3, requires_grad=True).expand(2, 3); x.fill_(2)")


def test_copy_of_a_tensor_to_itself_is_nothing_but_a_version():
    check("x = lib.arange(3.0); y = x.copy_(x); r = x, x._version, y is x")
    check_error("x = lib.ones(3, requires_grad=True); x.copy_(x)")


# ----- Memory that is read and written at once -----


@pytest.mark.parametrize(
    "call",
    [
        "x[1:] = x[:-1]", "x[:-1] = x[1:]", "x[1:].copy_(x[:-1])", "x[i] = x[:2]", "x[lib.arange(4)] = x",
        "x[i + 2] = x[:2]", "x[i + 2] = x[0]", "x[x > 1] = x[:2]", "x.index_put_((i,), x[:2])",
        "x.index_put_((i,), x[:2], accumulate=True)", "x.scatter_(0, i, x[:2])", "x.scatter_(0, i, x)",
        "x.scatter_add_(0, i, x[:2])", "x.scatter_reduce_(0, i, x[:2], 'sum')", "x.index_copy_(0, i, x[:2])",
        "x.index_add_(0, i, x[:2])", "x.put_(i, x[:2])", "k[k] = k", "k[k] = 1", "k.scatter_(0, k, k.clone())",
        "k.scatter_(0, k, 1)", "k.index_copy_(0, k, k.clone())", "k.index_fill_(0, k, 1)", "k.put_(k, k.clone())",
        "m[:] = m.t()", "m.copy_(m.t())", "m.add_(m.t())", "x[1:].add_(x[:-1])",
    ],
)  # fmt: skip
def test_overlap_is_refused_where_torch_refuses_and_changes_nothing(call):
    setup = "x = lib.arange(4.0); i = lib.tensor([0, 1]); k = lib.arange(4); m = lib.arange(9.0).view(3, 3)"
    check_error(f"{setup}; {call}")
    scope = {"lib": npg}
    exec(setup, scope)
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
        exec(call, scope)
    assert scope["x"].tolist() == [0, 1, 2, 3] and scope["k"].tolist() == [0, 1, 2, 3]
    assert scope["m"].flatten().tolist() == list(range(9))


@pytest.mark.parametrize(
    "call",
    [
        "x[:] = x", "x[...] = x[:]", "x[:2] = x[2:]", "x[x > 1] = x[0]", "x.masked_fill_(x > 1, x[1])",
        "x.index_fill_(0, i, x[1])", "x[i] = x[:2].clone()", "x[i] = x[i]", "x.copy_(x.flip(0))", "x[::2] = x[1::2]",
        "x.masked_scatter_(x > 1, x[:2])", "x[:2].scatter_(0, i, x[2:])", "x[i] = x[0] + 1", "x.mul_(x)",
    ],
)  # fmt: skip
def test_overlap_that_torch_takes_is_taken(call):
    check(f"x = lib.arange(4.0); i = lib.tensor([0, 1]); {call}; r = x, x._version")


def test_masked_value_out_of_the_written_tensor_has_torchs_gradient():
    check(
        "a = lib.arange(4.0, requires_grad=True); x = a * 2; x.masked_fill_(lib.arange(4) > 1, x[1]); "
        "(x * lib.arange(4.0)).sum().backward(); r = a.grad"
    )


# ----- out= -----

OUTS = [
    ("double", "long"), ("float", "long"), ("double", "float"), ("long", "uint8"), ("long", "bool"), ("float", "half"),
    ("bool", "float"), ("int32", "int16"), ("float", "bool"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "out_dtype"), OUTS)
def test_out_of_another_dtype_holds_or_refuses_as_in_torch(dtype, out_dtype):
    call = f"o = lib.zeros(2, dtype=lib.{out_dtype}); x = lib.ones(2, dtype=lib.{dtype}); r = lib.mul(x, x, out=o), o"
    try:
        check(call)
    except RuntimeError:
        check_error(call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.exp(lib.ones(2), out=lib.zeros(2, dtype=lib.long))", "lib.add(lib.ones(2), 1, out=[])",
        "lib.add(lib.ones(2), 1, out=np.zeros(2))", "lib.mean(lib.ones(2), 0, out=lib.zeros((), dtype=lib.long))",
        "lib.add(lib.ones(2), 1, out=lib.zeros(2, requires_grad=True))",
    ],
)  # fmt: skip
def test_bad_out_is_refused_in_torchs_words(call):
    check_error(call)


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
def test_sum_is_computed_in_the_dtype_of_out(name):
    shape = "()" if name in ("sum", "prod") else "2"
    check(f"lib.{name}(lib.ones(2) * 2.7, 0, out=lib.zeros({shape}, dtype=lib.long))")


def warnings_of(call, lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scope = {"lib": lib}
        exec(call, scope)
    return [str(w.message).split(" (Triggered")[0] for w in caught], scope["r"]


@pytest.mark.parametrize(
    "out", ["lib.zeros(3)", "lib.zeros(0)", "lib.zeros(())", "lib.zeros(6)[:4]", "lib.zeros(2, 3)", "lib.zeros(1)"]
)
def test_out_of_another_shape_is_resized_with_torchs_warning(out):
    call = f"o = {out}; r = lib.add(lib.ones(2), 1, out=o)"
    expected, _ = warnings_of(call, torch)
    actual, result = warnings_of(call, npg)
    assert actual == expected and result.tolist() == [2, 2]


def test_out_is_resized_in_its_own_memory_where_that_is_large_enough():
    check("b = lib.zeros(6); o = b[:4].zero_(); o.resize_(0); lib.add(lib.ones(2), 1, out=o); r = o")
    with pytest.warns(UserWarning, match="An output with one or more elements was resized"):
        base = npg.zeros(6)
        npg.add(npg.ones(2), 1, out=base[:4])
    assert base.tolist() == [2, 2, 0, 0, 0, 0]
    check("lib.zeros(2, out=lib.ones(3))")


# ----- Arguments that are missing -----


@pytest.mark.parametrize(
    "call",
    [
        "lib.exp()", "lib.mul()", "lib.ones(2).mul_()", "lib.atan2(lib.ones(2))", "lib.maximum(lib.ones(2))",
        "lib.exp(lib.ones(2), foo=3)", "lib.exp(lib.ones(2), lib.ones(2))", "lib.exp(lib.ones(2), input=lib.ones(2))",
        "lib.ones(2).requires_grad_(3)", "lib.ones(2).requires_grad_(None)",
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_raise_torchs_error(call):
    check_error(call)


def test_numpys_names_of_inputs_are_understood():
    check("lib.neg(x=lib.ones(2)), lib.neg(a=lib.ones(2)), lib.maximum(x1=lib.ones(2), x2=lib.ones(2))")


def test_array_of_an_expanded_tensor_can_be_written():
    x = npg.arange(3.0)
    a = x.expand(2, 3).numpy()
    a[1, 2] = 9
    assert x.tolist() == [0, 1, 9] and np.shares_memory(a, x.numpy())


# ----- Inference mode -----


@pytest.mark.parametrize(
    "call",
    [
        "lib.exp(lib.ones(4), out=x)", "lib.add(lib.ones(4), 1, out=x)", "lib.sum(lib.ones(4), 0, out=x[0])",
        "lib.matmul(lib.ones(2, 2), lib.ones(2, 2), out=x.view(2, 2))", "lib.max(lib.ones(2, 4), 0, out=(x, x.long()))",
        "lib.where(x > 1, lib.ones(4), lib.zeros(4), out=x)", "lib.zeros(4, out=x)", "x.resize_(2)",
    ],
)  # fmt: skip
def test_tensor_of_inference_mode_is_not_written_outside_of_it(call):
    for lib in (torch, npg):
        with lib.inference_mode():
            x = lib.arange(4.0)
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
            eval(call, {"lib": lib, "x": x})
        assert lib is torch or x.tolist() == [0, 1, 2, 3]  # torch has already written it
        with lib.inference_mode():
            eval(call, {"lib": lib, "x": x})


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 65519.0, 65520.0, -1e5, 70000])
def test_float16_takes_numbers_that_are_too_large_for_inf_without_a_warning(value):
    x, t = npg.zeros(3, dtype=npg.float16), torch.zeros(3, dtype=torch.float16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x[0], t[0] = value, value
    assert x.tolist() == t.tolist()
