"""Tensor: attributes, operators, conversions, exchange and assignment, against torch."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import npg
from npg.functional._namespaces import FUNCTIONS, METHODS, NO_METHODS, flat

from ..expressions import check, check_error

# ----- Attributes -----


def test_class_stands_on_the_engines_alone():
    assert npg.Tensor.__mro__ == (npg.Tensor, npg.engine.TensorBase, object)


@pytest.mark.parametrize(
    "call",
    [
        "lib.ones(2, 3).shape",
        "lib.ones(2, 3).shape[:1]",
        "lib.ones(2, 3).shape + (1,)",
        "(1,) + lib.ones(2, 3).shape",
        "lib.ones(2, 3).shape * 2",
        "2 * lib.ones(2, 3).shape",
        "lib.ones(2, 3).shape.numel()",
        "repr(lib.ones(2, 3).shape)",
        "lib.ones(2, 3).shape == (2, 3)",
        "lib.Size()",
        "lib.Size([np.int64(2)])",
        "lib.Size([lib.tensor(2)])",
        "hash(lib.Size([2])) == hash((2,))",
        "pickle.loads(pickle.dumps(lib.Size([2, 3])))",
        "lib.ones(2, 3).size()",
        "lib.ones(2, 3).size(-1)",
        "lib.ones(2, 3).size(dim=0)",
        "lib.ones(2, 3).dim(), lib.ones(2, 3).ndim, lib.ones(2, 3).ndimension()",
        "lib.ones(2, 3).numel(), lib.ones(2, 3).nelement()",
        "lib.ones(2, 3).element_size(), lib.ones(2, 3).itemsize, lib.ones(2, 3).nbytes",
        "lib.ones(2, 3).stride(), lib.ones(2, 3).t().stride(), lib.ones(2, 3).stride(0), lib.ones(2, 0, 3).stride()",
        "lib.arange(4.0)[1:].storage_offset(), lib.arange(4.0).storage_offset()",
        "lib.arange(12.0).view(3, 4)[1:, 2:].storage_offset()",
        "lib.ones(2, 3).is_contiguous(), lib.ones(2, 3).t().is_contiguous()",
        "lib.ones(2, 3, 4, 5).is_contiguous(memory_format=lib.channels_last)",
        "lib.ones(2, 3, 4, 5).contiguous(memory_format=lib.channels_last)",
        "f = lib.channels_last; r = lib.ones(2, 3, 4, 5).to(memory_format=f).is_contiguous(memory_format=f)",
        "lib.ones(2, 3, 4, 5).to(memory_format=lib.channels_last)",
        "lib.ones(2, 3, 4, 5).clone(memory_format=lib.channels_last)",
        "lib.ones(2, 3).t().clone()",
        "lib.ones(2, 3).t().clone(memory_format=lib.contiguous_format)",
        "lib.ones(2).layout",
        "lib.ones(2).device",
        "str(lib.device('cuda:1')), lib.device('cpu', 0), lib.device('cpu:0') == lib.device('cpu')",
        "lib.device(lib.device('cpu')), lib.device(type='cpu', index=1).index",
        "lib.ones(2).is_cuda, lib.ones(2).is_sparse, lib.ones(2).is_quantized, lib.ones(2).is_meta",
        "lib.ones(2).is_floating_point(), lib.tensor(1).is_floating_point(), lib.ones(2).is_complex()",
        "lib.ones(2).is_signed(), lib.tensor(1).byte().is_signed(), lib.tensor(True).is_signed()",
        "lib.ones(2).is_same_size(lib.zeros(2)), lib.tensor(1.0).is_nonzero()",
        "lib.ones(2).is_conj(), lib.ones(2).is_neg(), lib.ones(2).get_device(), lib.ones(2).is_pinned()",
        "lib.ones(2).is_shared(), lib.ones(2).is_inference(), lib.ones(2).retains_grad, lib.ones(2).output_nr",
        "lib.arange(6.0).view(2, 3).T, lib.arange(6.0).view(2, 3).mT, lib.arange(6.0).view(2, 3).H",
        "lib.arange(24.0).view(2, 3, 4).mT, lib.arange(24.0).view(2, 3, 4).mH",
        "lib.tensor(1.0).real, lib.ones(2, 3).real",
        "lib.arange(3.0).resolve_conj(), lib.arange(3.0).conj(), lib.arange(3.0).resolve_neg()",
        "lib.arange(3.0).data, lib.ones(2, requires_grad=True).data",
        "lib.ones(2).type(), lib.tensor(1).type(), lib.tensor(True).type(), lib.ones(2).half().type()",
    ],
)
def test_attribute_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.Size((2.0, 3))",
        "lib.ones(2, 3).size(2)",
        "lib.ones(2, 3).stride(2)",
        "lib.ones(2).mT",
        "lib.ones(2, 3, 4).H",
        "lib.ones(2).imag",
        "lib.ones(2).pin_memory()",
        "lib.ones(2).is_nonzero()",
        "lib.ones(0).is_nonzero()",
        "lib.device('cpu:a')",
        "lib.device('cpu:01')",
        "lib.device('')",
        "lib.device('cpu', -1)",
        "lib.device('cpu:0', 1)",
        "lib.device('foo')",
        "lib.device(0)",
        "lib.ones(2).to('cuda')",
        "lib.ones(2).cuda()",
        "lib.ones(2).to('foo')",
        "lib.ones(2).type('foo')",
        "lib.ones(2).type(5)",
    ],
)
def test_attribute_of_bad_kind_raises_torchs_error(call):
    check_error(call)


@pytest.mark.parametrize("call", ["lib.device(None)", "lib.device(2.5)", "lib.ones(2).to(lib.long, 1, 2, 3, 4)"])
def test_attribute_with_arguments_of_bad_kind_raises_type_error(call):
    check_error(call, text=False)


def test_device_equals_its_name():
    assert npg.ones(1).device == "cpu" and npg.device("cpu:0") == "cpu:0" and npg.device("cpu") != "cuda"
    assert hash(npg.device("cpu")) == hash(npg.device("cpu"))
    assert pickle.loads(pickle.dumps(npg.device("cuda", 1))) == npg.device("cuda:1")
    with npg.device("cpu"):
        assert npg.ones(1).device.type == "cpu"
    with pytest.raises(RuntimeError, match="npg computes on the CPU, got device 'mps'"):
        npg.ones(2, device="mps")


def test_shape_and_dtype_cannot_be_assigned():
    x = npg.ones(2)
    for name in ("shape", "dtype", "ndim", "device"):
        with pytest.raises(AttributeError):
            setattr(x, name, None)


def test_user_attributes_can_be_set():
    x = npg.ones(2)
    x.note = "mine"
    assert x.note == "mine"


# ----- Operators -----

BINARY = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="]
INTEGERS = ["&", "|", "^", "<<", ">>"]
OPERANDS = {
    "float": "lib.tensor([3.0, 2.0, 1.0])",
    "double": "lib.tensor([3.0, 2.0, 1.0], dtype=lib.float64)",
    "half": "lib.tensor([3.0, 2.0, 1.0], dtype=lib.float16)",
    "int": "lib.tensor([3, 2, 1])",
    "byte": "lib.tensor([3, 2, 1], dtype=lib.uint8)",
    "scalar": "lib.tensor(2.0)",
    "column": "lib.tensor([[1.0], [2.0]])",
    "two": "2",
    "real": "2.5",
    "numpy": "np.float64(2.0)",
}


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("right", OPERANDS)
@pytest.mark.parametrize("left", OPERANDS)
def test_operator_is_torchs(left, op, right):
    if "lib" not in OPERANDS[left] + OPERANDS[right]:
        return
    check(f"{OPERANDS[left]} {op} {OPERANDS[right]}")


@pytest.mark.parametrize("op", INTEGERS)
@pytest.mark.parametrize("right", ["int", "byte", "two"])
@pytest.mark.parametrize("left", ["int", "byte", "two"])
def test_integer_operator_is_torchs(left, op, right):
    if left != right or left != "two":
        check(f"{OPERANDS[left]} {op} {OPERANDS[right]}")


@pytest.mark.parametrize("op", [*BINARY[:7], "@"])
def test_operator_with_ndarray_records(op):
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = npg.tensor([[1.5, 2.5], [2.0, 3.0]], dtype=npg.float64, requires_grad=True)
    y = torch.tensor(x.tolist(), dtype=torch.float64, requires_grad=True)
    for actual, expected in (
        (eval(f"x {op} a"), eval(f"y {op} b", {"y": y, "b": torch.from_numpy(a)})),
        (eval(f"a {op} x"), eval(f"b {op} y", {"y": y, "b": torch.from_numpy(a)})),
    ):
        assert isinstance(actual, npg.Tensor)
        np.testing.assert_allclose(actual.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
        if op == "//":
            continue
        (g,) = npg.autograd.grad(actual.sum(), x)
        (h,) = torch.autograd.grad(expected.sum(), y)
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        "-lib.tensor([1, -2])",
        "+lib.tensor([1.0, -2.0])",
        "abs(lib.tensor([1, -2]))",
        "~lib.tensor([1, -2])",
        "~lib.tensor([True, False])",
        "lib.tensor([True, False]) & lib.tensor([True, True])",
        "lib.tensor([True, False]) | True",
        "lib.tensor([True, False]) ^ True",
        "lib.ones(2, 3) @ lib.ones(3, 4)",
        "lib.tensor([1, 2]) @ lib.tensor([1, 2])",
        "lib.tensor([1, 2]) == None",
        "lib.tensor([1, 2]) == 'a'",
        "lib.tensor([1, 2]) != 'a'",
        "lib.tensor([1, 2]) == [1, 2]",
        "2 ** lib.tensor(3)",
        "lib.tensor(3) ** 2",
        "lib.tensor([2.0]) ** lib.tensor([0.5])",
        "0.5 ** lib.tensor([1, 2])",
        "7 // lib.tensor(2), 7 % lib.tensor(2), 7 / lib.tensor(2), 7 - lib.tensor(2)",
    ],
)
def test_operator_on_special_operands_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "~lib.tensor(1.0)",
        "-lib.tensor(True)",
        "+lib.tensor(True)",
        "lib.tensor(True) - lib.tensor(True)",
        "lib.tensor([1, 2]) < 'a'",
        "lib.tensor([1, 2]) + [1, 2]",
        "lib.tensor([1, 2]) + 'a'",
        "lib.tensor([1, 2]) + None",
        "[1, 2] + lib.tensor([1, 2])",
        "None / lib.tensor([1.0, 2])",
        "'a' / lib.tensor([1.0, 2])",
        "lib.tensor([1, 2]) == lib.tensor([1, 2, 3])",
        "lib.tensor([1, 2]) + lib.tensor([1, 2, 3])",
        "lib.tensor([1, 2]) @ 2",
        "2 @ lib.tensor([1, 2])",
        "divmod(lib.tensor(7), 2)",
        "round(lib.tensor(3.14), 2)",
    ],
)
def test_operator_on_bad_operands_raises_torchs_error(call):
    check_error(call)


@pytest.mark.parametrize("op", ["+=", "-=", "*=", "/=", "//=", "%=", "**="])
@pytest.mark.parametrize("right", ["2", "2.0", "lib.tensor([2.0, 4.0])", "lib.tensor(2)"])
def test_in_place_operator_is_torchs(op, right):
    check(f"x = lib.tensor([3.0, 5.0]); y = x; x {op} {right}; r = (x, y is x)")
    check(f"x = lib.tensor([3.0, 5.0], requires_grad=True) * 1; x {op} {right}; r = x")


@pytest.mark.parametrize("op", ["&=", "|=", "^=", "<<=", ">>="])
def test_in_place_integer_operator_is_torchs(op):
    check(f"x = lib.tensor([3, 5]); y = x; x {op} 2; r = (x, y is x)")


@pytest.mark.parametrize("call", ["mul_(None)", "add_([1.0])", "div_('a')", "exp_(None)", "bitwise_and_(None)"])
def test_in_place_method_of_no_number_raises_and_changes_nothing(call):
    for lib in (npg, torch):
        x = lib.ones(2)
        with pytest.raises(TypeError):
            eval(f"x.{call}", {"x": x})
        assert x.tolist() == [1.0, 1.0]
    with pytest.raises(TypeError):
        x = npg.ones(2)
        x += None


def test_in_place_operator_that_cannot_be_stored_raises_torchs_error():
    check_error("x = lib.tensor([3, 5]); x += 1.5")
    check_error("x = lib.tensor([3.0, 5.0]); x += lib.ones(2, 2)")
    check_error("x = lib.ones(2, requires_grad=True); x += 1")


def test_equal_is_elementwise_and_hash_is_identity():
    x, y = npg.ones(2), npg.ones(2)
    assert (x == y).tolist() == [True, True]
    assert hash(x) == hash(x) and {x: 1, y: 2}[y] == 2


# ----- As a container -----


@pytest.mark.parametrize(
    "call",
    [
        "len(lib.ones(2, 3))",
        "list(lib.arange(3))",
        "[t for t in lib.ones(2, 3)]",
        "list(reversed(lib.arange(3)))",
        "3 in lib.tensor([3]), 4 in lib.tensor([3]), lib.tensor(3) in lib.tensor([3])",
        "range(3)[lib.tensor(1)]",
        "[10, 20][lib.tensor([1])]",
        "int(lib.ones(1, 1) * 2.7), float(lib.tensor(3)), complex(lib.tensor(3)), bool(lib.tensor([0.0]))",
        "lib.tensor(True).__index__()",
        "lib.ones(1).item(), lib.tensor(3).item(), lib.tensor(True).item()",
        "lib.tensor([[1, 2], [3, 4]]).tolist(), lib.tensor(3.0).tolist(), lib.ones(0).tolist()",
        "format(lib.tensor(3.14159), '.2f'), format(lib.tensor([3.14159]), ''), f'{lib.tensor(3)}'",
        "lib.arange(6).view(2, 3)[1, 1:]",
        "x = lib.zeros(2, 3); x[0] = lib.tensor([1.0, 2.0, 3.0]); x[:, 1] = 7; r = x",
    ],
)
def test_container_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "len(lib.tensor(3))",
        "list(lib.tensor(3))",
        "bool(lib.ones(0))",
        "bool(lib.ones(2))",
        "int(lib.ones(2))",
        "float(lib.ones(2))",
        "lib.ones(2).item()",
        "lib.ones(0).item()",
        "lib.tensor([3.0]).__index__()",
        "lib.tensor([3, 4]).__index__()",
        "format(lib.tensor([3.14159]), '.2f')",
    ],
)
def test_container_of_bad_size_raises_torchs_error(call):
    check_error(call)


def test_contains_of_foreign_object_raises_runtime_error():
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar, but you passed in a <class 'str'>"):
        "a" in npg.ones(2)


# ----- Other dtypes -----


@pytest.mark.parametrize("method", ["float", "double", "half", "long", "int", "short", "char", "byte", "bool", "cpu"])
@pytest.mark.parametrize("source", ["[0.0, 1.7, 100.0]", "[0, 1, 100]", "[True, False]"])
def test_short_form_of_to_is_torchs(method, source):
    check(f"lib.tensor({source}).{method}()")


@pytest.mark.parametrize(
    "call",
    [
        "lib.ones(2).to(lib.long)",
        "lib.ones(2).to(float)",
        "lib.ones(2).to('cpu')",
        "lib.ones(2).to('cpu', lib.long, True, True)",
        "lib.ones(2).to(lib.device('cpu'), dtype=lib.half)",
        "lib.ones(2).to(lib.ones(1, dtype=lib.int))",
        "lib.ones(2).to(dtype=lib.half, device='cpu', non_blocking=True, copy=True, memory_format=lib.preserve_format)",
        "lib.ones(2).to(None)",
        "lib.ones(2).to()",
        "lib.ones(2).type('torch.LongTensor')",
        "lib.ones(2).type(lib.LongTensor)",
        "lib.ones(2).type(lib.long)",
        "lib.ones(2).type_as(lib.tensor(1))",
        "lib.ones(2, requires_grad=True).to(lib.float64)",
        "lib.ones(2, requires_grad=True).to(lib.long)",
        "lib.ones(2, requires_grad=True).to(lib.float32, copy=True)",
        "lib.tensor(float('nan')).long()",
        "lib.tensor([1 + 2**-11 + 2**-40], dtype=lib.float64).half()",
        "x = lib.ones(2); r = (x.to(lib.float) is x, x.to('cpu') is x, x.float() is x, x.type(lib.float) is x)",
        "x = lib.ones(2); r = (x.to(lib.float, copy=True) is x, x.contiguous() is x)",
    ],
)
def test_to_is_torchs(call):
    check(call)


def test_cast_passes_the_gradient_in_the_dtype_of_its_input():
    x = npg.ones(2, requires_grad=True)
    (x.double() * 3).sum().backward()
    assert x.grad.dtype is npg.float32 and x.grad.tolist() == [3, 3]


# ----- The graph: requires_grad, grad, data, detach -----


@pytest.mark.parametrize(
    "call",
    [
        "a = lib.ones(2); a.grad = lib.ones(2); r = a.grad",
        "a = lib.ones(2, requires_grad=True); a.grad = lib.ones(2); a.grad = None; r = a.grad",
        "a = lib.ones(2, requires_grad=True); a.grad = lib.ones(2); del a.grad; r = a.grad",
        "a = lib.ones(2, requires_grad=True); a.data = lib.ones(3); r = a",
        "a = lib.ones(2, requires_grad=True); a.data = lib.ones(3, dtype=lib.double); r = a",
        "a = lib.ones(2); a.data = lib.ones(3, dtype=lib.long); r = a",
        "a = lib.ones(2); a.requires_grad = True; r = a",
        "a = lib.ones(2); r = a.requires_grad_()",
        "a = lib.ones(2, requires_grad=True); r = a.requires_grad_(False)",
        "a = lib.ones(2, requires_grad=True); r = a.detach_()",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.detach_()",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.detach()",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.data",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.zero_()",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.fill_(3)",
        "a = lib.ones(2, requires_grad=True) * 2; r = a.copy_(lib.ones(1, dtype=lib.long))",
        "a = lib.ones(2); r = a.copy_(lib.ones(2, requires_grad=True))",
        "a = lib.ones(2); r = a.copy_(5)",
        "a = lib.ones(2); r = a.fill_(lib.tensor(2.0))",
        "a = lib.ones(2); r = a.fill_(lib.tensor(2.0, requires_grad=True))",
        "a = lib.ones(2, dtype=lib.long); r = a.fill_(1.7)",
        "a = lib.ones(2, dtype=lib.long); r = a.copy_(lib.tensor([1.7, -1.7]))",
        "a = lib.ones(2, requires_grad=True); a.data.zero_(); r = a",
        "a = lib.arange(4.0); a[1:3].data.mul_(10); r = a",
    ],
)
def test_assignment_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "a = lib.ones(2); a.grad = lib.ones(3)",
        "a = lib.ones(2, requires_grad=True); a.grad = 5",
        "a = lib.ones(2, requires_grad=True); a.grad = a",
        "a = lib.ones(2, requires_grad=True); a.data = lib.ones(3, dtype=lib.long)",
        "a = lib.ones(2); a.data = 5",
        "a = lib.ones(2, dtype=lib.long); a.requires_grad = True",
        "a = lib.ones(2, dtype=lib.long); a.requires_grad_()",
        "a = lib.ones(2, requires_grad=True) * 2; a.requires_grad = False",
        "a = lib.ones(2, requires_grad=True) * 2; a.requires_grad_(False)",
        "a = lib.ones(2); a.requires_grad = 1",
        "a = lib.ones(2, requires_grad=True); a.zero_()",
        "a = lib.ones(2, requires_grad=True); a.fill_(2)",
        "a = lib.ones(2, requires_grad=True); a.copy_(lib.ones(2))",
        "a = lib.ones(2); a.copy_(lib.ones(3))",
        "a = lib.ones(2); a.copy_(lib.ones(1, 2))",
        "a = lib.ones(2); a.copy_(lib.ones(2, 2))",
        "a = lib.ones(2); a.copy_([1, 2])",
        "a = lib.ones(2); a.fill_(lib.ones(2))",
        "a = lib.ones(2, dtype=lib.uint8); a.fill_(300)",
        "a = lib.ones(2, requires_grad=True); a.resize_(3)",
        "a = lib.arange(4); a.set_(lib.ones(2, 2))",
        "a = lib.ones(2, requires_grad=True); a.apply_(lambda x: x * 2)",
        "a = lib.arange(12.0).as_strided((2, 2), (1,))",
        "a = lib.arange(12.0).as_strided((20,), (1,))",
        "a = lib.arange(12.0).as_strided((2,), (-1,))",
        "a = lib.arange(12.0).sum_to_size(5)",
    ],
)
def test_assignment_of_bad_kind_raises_torchs_error(call):
    check_error(call)


def test_grad_of_another_dtype_is_refused_in_torchs_words():
    with pytest.raises(
        RuntimeError, match="attempting to assign a gradient with dtype 'double' to a tensor with grad_"
    ):
        npg.ones(2, requires_grad=True).grad = npg.ones(2, dtype=npg.float64)


def test_detach_in_place_of_view_is_refused():
    with pytest.raises(RuntimeError, match="Can't detach views in-place. Use detach\\(\\) instead."):
        npg.ones(4)[:2].detach_()


@pytest.mark.parametrize("method", ["zero_", "fill_", "copy_"])
def test_filling_in_place_stops_the_gradient(method):
    x = npg.ones(4, requires_grad=True)
    y = x * 2
    part = y[1:3]
    value = npg.tensor(5.0, requires_grad=True)
    getattr(part, method)(*(() if method == "zero_" else (value,)))
    (y * npg.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [2, 0, 0, 8]
    if method != "zero_":
        assert value.grad.item() == 5


def test_detached_tensor_changed_in_place_is_noticed_and_data_is_not():
    x = npg.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y.data.add_(1)
    z.sum().backward()  # the write is not noticed, as in PyTorch
    y = x * 2
    z = y * y
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize(
    "call",
    [
        "lib.arange(12.0).as_strided((2, 2), (1, 2))",
        "lib.arange(12.0)[3:].as_strided((2, 2), (1, 2))",
        "lib.arange(12.0)[3:].as_strided((2, 2), (1, 2), 1)",
        "lib.as_strided(lib.arange(12.0), (3, 2), (2, 1), storage_offset=4)",
        "x = lib.zeros(6); x.as_strided((2, 2), (3, 1)).add_(1); r = x",
        "x = lib.arange(6.0, requires_grad=True); x.as_strided((3, 3), (1, 1)).sum().backward(); r = x.grad",
        "x = lib.arange(6.0, requires_grad=True); x[3:].as_strided((2, 2), (1, 2), 1).sum().backward(); r = x.grad",
        "x = lib.ones(6, requires_grad=True); y = x * 1; y[2:].as_strided((2,), (1,), 0).mul_(5); r = y",
        "lib.arange(6.0).view(2, 3).sum_to_size(1, 3), lib.arange(6.0).view(2, 3).sum_to_size(3)",
        "lib.arange(6).view(2, 3).byte().sum_to_size(()), lib.ones(2).byte().sum_to_size(2)",
        "lib.real(lib.ones(2)), lib.conj(lib.ones(2)), lib.resolve_neg(lib.ones(2)), lib.conj_physical(lib.ones(2))",
        "lib.detach(lib.ones(2, requires_grad=True)), lib.clone(lib.ones(2, requires_grad=True))",
        "lib.resize_as_(lib.arange(4.0), lib.ones(2, 2))",
        "a = lib.arange(4.0); r = a.resize_(2, 2)",
        "a = lib.arange(4.0); r = a.resize_((2,))",
        "a = lib.arange(4.0); r = (a.resize_(8).shape, a[:4])",
        "a = lib.arange(4.0); b = a[1:]; b.resize_(2); r = b",
        "a = lib.arange(4.0); r = a.resize_as_(lib.ones(2, 2))",
        "a = lib.arange(4.0); r = a.set_(lib.ones(2, 2))",
        "a = lib.arange(4.0); r = a.set_()",
        "a = lib.arange(4); r = a.map_(lib.arange(4), lambda x, y: x * y)",
        "a = lib.arange(4.0); r = a.apply_(lambda x: x * 2)",
        "a = lib.arange(3.0); r = (a.storage().tolist(), len(a.storage()), a.storage().size())",
        "a = lib.arange(6.0).view(2, 3)[1]; r = (list(a.untyped_storage())[:8], a.untyped_storage().nbytes())",
    ],
)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_memory_is_torchs(call):
    check(call)


def test_storage_shares_memory():
    x = npg.arange(6.0).view(2, 3)
    s = x[1].storage()
    s[4] = 40.0
    assert x[1, 1].item() == 40 and s.element_size() == 4 and s.dtype is npg.float32
    assert npg.is_storage(s) and not npg.is_storage(x)
    y = npg.zeros(2, 2)
    y.set_(s, 1, (2, 2), (2, 1))
    assert y.tolist() == [[1, 2], [3, 40]]
    with pytest.raises(RuntimeError, match="setStorage"):
        y.set_(s, 4, (2, 2), (2, 1))


# ----- Exchange -----


def test_numpy_is_the_buffer_itself():
    x = npg.arange(3.0)
    a = x.numpy()
    a[0] = 5
    assert x[0].item() == 5 and x.numpy() is a and np.asarray(x) is a
    assert npg.from_numpy(a).data_ptr() == x.data_ptr()


@pytest.mark.parametrize(
    "call",
    [
        "lib.ones(2, requires_grad=True).numpy()",
        "np.array(lib.ones(2, requires_grad=True))",
        "np.asarray(lib.ones(2, requires_grad=True) * 2)",
        "np.from_dlpack(lib.ones(2, requires_grad=True))",
    ],
)
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_exchange_of_tensor_that_requires_grad_raises_torchs_error(call):
    check_error(call)


def test_array_follows_numpys_copy_argument():
    x = npg.arange(3.0)
    assert np.array(x, copy=False) is x.numpy()
    assert np.array(x).ctypes.data != x.data_ptr() and np.array(x, dtype=np.int64).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        np.array(x, dtype=np.int64, copy=False)
    assert npg.ones(2, requires_grad=True).numpy(force=True).tolist() == [1, 1]


@pytest.mark.parametrize("make", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copy_and_pickle_keep_values_layout_and_attributes(make):
    x = npg.arange(6.0).view(2, 3).t().clone().requires_grad_()
    x.note = [1]
    y = make(x)
    assert y.tolist() == x.tolist() and y.requires_grad and y.is_leaf and y.stride() == x.stride()
    assert y.note == [1] and y.note is not x.note and y.data_ptr() != x.data_ptr() and type(y) is npg.Tensor
    assert make(npg.tensor(True)).item() is True


def test_deepcopy_copies_the_gradient_and_pickle_drops_it():
    x = npg.ones(2, requires_grad=True)
    x.grad = npg.ones(2)
    assert copy.deepcopy(x).grad.tolist() == [1, 1] and copy.deepcopy(x).grad is not x.grad
    assert pickle.loads(pickle.dumps(x)).grad is None
    shared = copy.deepcopy([x, x])
    assert shared[0] is shared[1]


def test_copy_of_non_leaf():
    x = npg.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x)
    y = pickle.loads(pickle.dumps(x))
    assert y.is_leaf and y.requires_grad and y.tolist() == [2, 2]


def test_shallow_copy_shares_memory():
    x = npg.ones(2, requires_grad=True)
    x.note = 3
    y = copy.copy(x)
    assert y is not x and y.data_ptr() == x.data_ptr() and y.note == 3 and y.requires_grad


def test_tensor_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        x = npg.ones(2, requires_grad=True)
        y = (x * 2).sum()
        y.backward()
        references = [weakref.ref(t) for t in (x, y, x.grad)]
        del x, y
        assert all(r() is None for r in references)
    finally:
        gc.enable()


# ----- Methods -----


def test_functions_that_torch_has_as_methods_are_methods():
    missing = [
        name
        for name in dir(npg.functional)
        if callable(getattr(torch.Tensor, name, None)) and not hasattr(npg.Tensor, name)
    ]
    assert not missing, f"not exposed in npg/functional, or an exception in npg/functional/_namespaces.py: {missing}"


def test_functions_that_are_methods_are_methods_in_torch():
    assert all(hasattr(torch.Tensor, name) for name in flat(METHODS))
    assert all(getattr(npg.Tensor, name) is function for name, function in flat(METHODS).items())


# What a user sees of Tensor that torch.Tensor lacks.
OWN = {
    "an ndarray's, for programs that take tensors and ndarrays alike": {"astype", "copy", "strides", "tobytes"},
    "how Matplotlib asks for an ndarray": {"to_numpy"},
    "NumPy's protocols, beside __array__": {"__array_function__", "__array_ufunc__"},
    "the copy module's; PyTorch's tensors are pickled instead": {"__copy__"},
    "how the engines apply an op to an object that is no tensor": {"__npg_apply__"},
}


def test_tensor_has_torchs_names_and_a_few_of_its_own():
    names = {name for name in dir(npg.Tensor) if name[0] != "_" or name[:2] == "__"}
    assert {name for name in names if not hasattr(torch.Tensor, name)} == set().union(*OWN.values())


def test_exceptions_from_methods_are_needed():
    assert NO_METHODS <= set(flat(FUNCTIONS))
    assert {name for name in NO_METHODS if hasattr(torch.Tensor, name)} == {"contiguous", "numel", "real"}


@pytest.mark.parametrize(
    "call",
    [
        "x[None]", "x[:, None]", "x[..., None]", "x[None, None]", "x[:, None, :, None]", "x.t()[None]", "x[::2, None]",
        "x.t()[..., None]", "x.expand(1, 3, 4)", "x[0].expand(1, 1, 4)", "x[:, :1].expand(3, 4)[:, None]",
        "x[0, 0][None]",
    ],
)  # fmt: skip
def test_stride_of_a_new_dimension_is_torchs(call):
    check(f"x = lib.arange(12.0).view(3, 4); r = {call}.stride()")


def test_grad_of_a_non_leaf_warns_unless_it_is_retained():
    for lib in (npg, torch):
        x = lib.ones(2, requires_grad=True)
        y, z = x * 2, x * 3
        with pytest.warns(
            UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"
        ):
            assert y.grad is None
        z.retain_grad()
        assert z.grad is None and x.grad is None
        z.sum().backward()
        assert z.grad.tolist() == [1.0, 1.0]


def test_requires_grad_of_a_non_leaf_is_not_set():
    for lib in (npg, torch):
        y = lib.ones(2, requires_grad=True) * 2
        for flag in (True, False):
            with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables."):
                y.requires_grad = flag
        assert y.requires_grad_() is y
