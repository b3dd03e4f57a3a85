"""New tensors: values, dtypes and error texts against torch."""

import array as python_array
import collections
import copy
import pickle

import numpy as np
import pytest
import torch

import npg

from .expressions import check, check_error

DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


class Sequence:
    """A sequence by its methods only."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return (5, 6)[i]


class WithArray:
    """An object with `__array__`."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)


# ----- tensor -----

DATA = """
1
1.0
True
[]
[[]]
[[], []]
[True, 1]
[True, 1.5]
[1, 1.5]
(1, 2)
[(1, 2), [3, 4]]
range(3)
[[[[[[[[[[1]]]]]]]]]]
np.float64(1)
np.float32(1)
np.bool_(1)
[np.float32(1)]
[np.float64(1)]
[np.float16(1)]
[np.float16(1), 1.0]
[np.float16(1), 1]
[np.float32(1), 1.0]
[np.float32(1), True]
[np.int32(1)]
[np.int32(1), 1]
[np.bool_(1)]
np.array([1, 2], dtype=np.int16)
np.array([1.5])
np.array(7)
np.arange(6.0).reshape(2, 3).T
[np.array([1.5]), np.array([2.5])]
[np.array([1, 2]), [1.5, 2.5]]
[[1, 2], np.ones(2)]
[lib.tensor(1), lib.tensor(2.0)]
[lib.tensor([1]), lib.tensor([2.0])]
[lib.tensor(1.0, dtype=lib.float64), 1]
[lib.tensor(1.0, dtype=lib.float64), 1.5]
[[lib.tensor(1.5), 2]]
[lib.tensor([[1.5]])]
[[1, 2], lib.ones(2)]
[lib.ones(2, requires_grad=True)[0] * 2]
-(2**63)
[[], 1]
[[], [1]]
sequence
deque
doubles
memoryview(b"abc")
bytearray(b"abc")
"""
NAMES = {
    "sequence": Sequence(),
    "deque": collections.deque([1, 2]),
    "doubles": python_array.array("d", [1.5]),
}


@pytest.mark.parametrize("data", DATA.strip().splitlines())
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays", "ignore:Converting a tensor with")
def test_tensor_of_data_is_torchs(data):
    check(f"lib.tensor({data})", **NAMES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "data", ["[0, 1, 2]", "[0.0, 1.5, 2.25]", "[True, False]", "5", "2.75", "np.array([0.5, 3])", "[]"]
)
def test_tensor_with_dtype_is_torchs(data, dtype):
    check(f"lib.tensor({data}, dtype=lib.{dtype})")


@pytest.mark.parametrize(
    "call",
    [
        "lib.tensor([-1], dtype=lib.uint8)",
        "lib.tensor([-255], dtype=lib.uint8)",
        "lib.tensor([-1.7], dtype=lib.long)",
        "lib.tensor([-1.5, 0.0, 0.3, float('nan')], dtype=lib.bool)",
        "lib.tensor([10**400], dtype=lib.bool)",
        "lib.tensor([1e10], dtype=lib.float16)",
        "lib.tensor([1e40], dtype=lib.float32)",
        "lib.tensor(2**63, dtype=lib.float32)",
        "lib.tensor([1 + 2**-11 + 2**-40], dtype=lib.float16)",  # rounded twice, through float32
        "lib.tensor(np.array([1 + 2**-11 + 2**-40]), dtype=lib.float16)",
        "lib.tensor(np.array([300]), dtype=lib.uint8)",
        "lib.tensor(np.array([np.nan]), dtype=lib.int32)",
        "lib.tensor([1.0], requires_grad=True)",
        "lib.tensor(data=[1.0], dtype=float)",
        "lib.tensor([1.0], device='cpu')",
    ],
)
def test_tensor_conversion_is_torchs(call):
    check(call)


REFUSED = """
[[1, 2], [3]]
[[1, 2], 3]
[1, [2]]
[1.0, [2]]
[1, []]
[[1], []]
[[1, 2], [3, [4]]]
['a']
'abc'
b'abc'
[[1, 'a']]
[[1, 2], 'ab']
None
[None]
[1, None]
[[1, 2], None]
{1: 2}
{1, 2}
object()
[object()]
(x for x in range(3))
2**63
[2**63]
[lib.tensor([1, 2]), lib.tensor([2.0, 3])]
[lib.tensor([]), 2]
[lib.ones(2), [1, 2]]
[[1, 2], np.ones(3)]
[300], dtype=lib.uint8
[-256], dtype=lib.uint8
[-1.5], dtype=lib.uint8
[300], dtype=lib.int8
[127.9], dtype=lib.int8
[float('nan')], dtype=lib.long
[float('inf')], dtype=lib.long
[10**20], dtype=lib.int32
[10**400], dtype=lib.float64
[lib.tensor(300)], dtype=lib.uint8
[1], requires_grad=True
[1.0], device='cuda'
[1.0], device='foo'
[1.0], foo=1
"""


@pytest.mark.parametrize("data", REFUSED.strip().splitlines())
def test_tensor_of_bad_data_raises_torchs_error(data):
    check_error(f"lib.tensor({data})")


def test_tensor_of_text_array_raises_type_error():
    with pytest.raises(TypeError, match="can't convert np.ndarray of type"):
        npg.tensor(np.array(["a"]))
    with pytest.raises(TypeError, match="can't convert np.ndarray of type"):
        npg.tensor(np.array([1j]))


def test_tensor_of_complex_number_raises_type_error():
    with pytest.raises(TypeError, match="complex dtypes are not supported"):
        npg.tensor([1j, 2])


def test_tensor_copies_its_data():
    a = np.zeros(3)
    t = npg.tensor(a)
    a[0] = 1
    assert t.tolist() == [0, 0, 0]
    again = npg.tensor(t)
    t[1] = 1
    assert again.tolist() == [0, 0, 0] and not again.requires_grad


def test_tensor_takes_what_npg_can_copy_and_torch_refuses():
    assert npg.tensor(np.arange(3)[::-1]).tolist() == [2, 1, 0]
    assert npg.tensor(np.array([1.0, 2.0], dtype=">f8")).tolist() == [1, 2]
    assert npg.tensor(WithArray()).tolist() == [0, 1, 2]


def test_tensor_that_contains_itself_raises_value_error():
    data = []
    data.append(data)
    with pytest.raises(ValueError, match="too many dimensions"):
        npg.tensor(data)


# ----- as_tensor, asarray, from_numpy, frombuffer -----


@pytest.mark.parametrize(
    "call",
    [
        "lib.as_tensor([1, 2])",
        "lib.as_tensor(3.5)",
        "lib.as_tensor(np.array([1, 2]), dtype=lib.float32)",
        "lib.asarray([1, 2])",
        "lib.asarray(5)",
        "lib.asarray(np.arange(3))",
        "lib.asarray([1, 2], dtype=lib.float32, requires_grad=True)",
        "lib.asarray(b'abcd')",
        "lib.from_numpy(np.array(3.0))",
        "lib.from_numpy(np.arange(12).reshape(3, 4)[::2].T)",
        "lib.frombuffer(b'\\x00\\x01\\x02\\x03', dtype=lib.uint8)",
        "lib.frombuffer(bytearray(b'\\x00\\x01\\x02\\x03'), dtype=lib.int16, count=1, offset=2)",
        "lib.scalar_tensor(3.5)",
        "lib.scalar_tensor(3)",
        "lib.from_dlpack(np.arange(3))",
    ],
)
@pytest.mark.filterwarnings("ignore:The given buffer is not writable")
def test_conversion_of_data_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.from_numpy([1])",
        "lib.from_numpy(np.float32(1))",
        "lib.from_numpy(np.arange(3)[::-1])",
        "lib.from_numpy(np.array(3.0, dtype='>f8'))",
        "lib.frombuffer(bytearray(b'\\x00\\x01\\x02'), dtype=lib.int16)",
        "lib.frombuffer(bytearray(b''), dtype=lib.int16)",
        "lib.frombuffer(bytearray(b'\\x00\\x01\\x02'), dtype=lib.uint8, count=0)",
        "lib.frombuffer(bytearray(b'\\x00\\x01\\x02'), dtype=lib.uint8, count=5)",
        "lib.frombuffer(bytearray(b'\\x00\\x01\\x02'), dtype=lib.uint8, offset=3)",
        "lib.frombuffer([1], dtype=lib.uint8)",
    ],
)
def test_conversion_of_bad_data_raises_torchs_error(call):
    check_error(call)


@pytest.mark.parametrize("make", [npg.from_numpy, npg.as_tensor, npg.asarray, npg.Tensor, npg.from_dlpack])
def test_conversion_of_ndarray_shares_memory(make):
    a = np.zeros(3, np.float32)
    t = make(a)
    t[0] = 5
    a[1] = 7
    assert t.tolist() == [5, 7, 0] and a.tolist() == [5, 7, 0] and t.dtype is npg.float32


def test_as_tensor_of_tensor_is_the_tensor():
    x = npg.ones(2, requires_grad=True)
    assert npg.as_tensor(x) is x
    assert npg.as_tensor(x, dtype=npg.float64).grad_fn is not None


def test_asarray_copy_says_whether_memory_is_shared():
    a = np.zeros(2)
    assert npg.asarray(a, copy=True).data_ptr() != a.__array_interface__["data"][0]
    assert npg.asarray(a, copy=False).data_ptr() == a.__array_interface__["data"][0]
    with pytest.raises(ValueError, match="can't alias"):
        npg.asarray(a, copy=False, dtype=npg.float32)
    with pytest.raises(ValueError, match="can't alias arbitrary sequence"):
        npg.asarray([1, 2], copy=False)
    x = npg.ones(2, requires_grad=True)
    assert npg.asarray(x * 2).grad_fn is None


# ----- Tensor and the typed constructors -----


@pytest.mark.parametrize(
    "call",
    [
        "lib.Tensor()",
        "lib.Tensor(2, 3).shape",
        "lib.Tensor(0)",
        "lib.Tensor(lib.Size([2, 0]))",
        "lib.Tensor(np.int64(2)).shape",
        "lib.Tensor(size=(2,)).shape",
        "lib.Tensor([1, 2])",
        "lib.Tensor((1, 2))",
        "lib.Tensor([True])",
        "lib.Tensor(range(3))",
        "lib.Tensor(data=[1, 2])",
        "lib.Tensor([[1, 2.5], [3, 4]])",
        "lib.Tensor(lib.tensor([1, 2]))",
        "lib.Tensor(lib.tensor([1.0, 2]))",
        "lib.LongTensor([1, 2])",
        "lib.LongTensor([1.5, 2])",
        "lib.LongTensor(2).shape",
        "lib.LongTensor(np.array([1.5, 2]))",
        "lib.LongTensor()",
        "lib.FloatTensor(np.array([1, 2]))",
        "lib.FloatTensor([[1, 2]])",
        "lib.DoubleTensor([1])",
        "lib.HalfTensor([1.5])",
        "lib.IntTensor([1])",
        "lib.ShortTensor([1])",
        "lib.CharTensor([1])",
        "lib.ByteTensor([-1])",
        "lib.BoolTensor([0, 1, 2])",
        "lib.FloatTensor.dtype",
        "isinstance(lib.ones(1), lib.FloatTensor)",
        "isinstance(lib.ones(1), lib.LongTensor)",
    ],
)
def test_constructor_is_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.Tensor(2.5)",
        "lib.Tensor(None)",
        "lib.Tensor(True)",
        "lib.Tensor(np.float32(2))",
        "lib.Tensor('ab')",
        "lib.Tensor([None])",
        "lib.Tensor([1, [2]])",
        "lib.Tensor([[1, 2], [3]])",
        "lib.Tensor(-1)",
        "lib.FloatTensor(2, 3.0)",
        "lib.ByteTensor([300])",
        "lib.LongTensor([2**63])",
    ],
)
def test_constructor_of_bad_data_raises_torchs_error(call):
    check_error(call)


def test_constructor_of_ndarray_has_the_default_dtype():
    for lib in (npg, torch):  # the default dtype, regardless of the array's
        assert lib.Tensor(np.arange(3)).dtype is lib.Tensor(np.arange(3.0)).dtype is lib.float32
        assert lib.Tensor(np.array(2.5)).tolist() == 2.5 and lib.Tensor(np.array(3)).shape == (3,)  # a size
        assert lib.Tensor(np.ones(2, np.float16)).dtype is lib.float32
        assert lib.Tensor(lib.tensor([1, 2])).dtype is lib.int64
    assert npg.Tensor([1.0], requires_grad=True).requires_grad
    with pytest.raises(TypeError, match="expected a tensor of dtype npg.int64"):
        npg.LongTensor(npg.ones(2))


# ----- Filled -----


@pytest.mark.parametrize("name", ["zeros", "ones"])
@pytest.mark.parametrize(
    "arguments",
    [
        "2, 3",
        "(2, 3)",
        "[2, 3]",
        "lib.Size([2])",
        "()",
        "size=(2,)",
        "np.int32(2)",
        "lib.tensor(2), 3",
        "(lib.tensor(2), np.int64(3))",
        "2, 0",
        "2, dtype=int",
        "2, dtype=float",
        "2, dtype=bool",
        "2, dtype=lib.float16, requires_grad=True",
        "2, device=lib.device('cpu'), layout=lib.strided",
        "2, out=lib.empty(3, dtype=lib.long)",
        "2, out=lib.empty(3), requires_grad=True",
    ],
)
def test_filled_is_torchs(name, arguments):
    check(f"lib.{name}({arguments})")


@pytest.mark.parametrize(
    "call",
    [
        "lib.zeros(2.0)",
        "lib.zeros((2.0, 3))",
        "lib.zeros(2, 3.0)",
        "lib.zeros([2, [3]])",
        "lib.zeros('a')",
        "lib.zeros(None)",
        "lib.zeros(2, None)",
        "lib.zeros(True)",
        "lib.zeros()",
        "lib.zeros((2, 3), 4)",
        "lib.ones(2, -3)",
        "lib.ones(2, 3, size=(2,))",
        "lib.zeros(2, requires_grad=True, dtype=lib.long)",
        "lib.zeros(2, device='cuda')",
        "lib.zeros(2, pin_memory=True)",
        "lib.zeros(2, out=lib.empty(3, dtype=lib.long), dtype=lib.float)",
        "lib.full(2, 1)",
        "lib.full((2,), 'a')",
        "lib.full((2,), [3])",
        "lib.full((2,), lib.tensor([3]))",
        "lib.full((2,), 300, dtype=lib.uint8)",
        "lib.full((2,), -300, dtype=lib.uint8)",
        "lib.full((2,), -0.5, dtype=lib.uint8)",
        "lib.full((2,), 1e5, dtype=lib.int16)",
        "lib.full((2,), 1e15, dtype=lib.int32)",
        "lib.full((2,), float('nan'), dtype=lib.int32)",
        "lib.full((2,), 1e10, dtype=lib.float16)",
        "lib.full((2,), 1e50, dtype=lib.float32)",
        "lib.full((2,), 70000, dtype=lib.float16)",
        "lib.full((2,), 2**70)",
        "lib.full((2,), 1, requires_grad=True)",
        "lib.empty(2.0)",
        "lib.empty(2, memory_format=lib.channels_last)",
        "lib.empty_strided((2, 3), (1,))",
        "lib.ones_like([1])",
        "lib.full_like(5, 5)",
        "lib.full_like(lib.ones(2), [5])",
        "lib.zeros_like(lib.ones(2, dtype=lib.long), requires_grad=True)",
        "lib.eye(-1)",
        "lib.eye(2, -1)",
        "lib.eye(2.0)",
        "lib.tril_indices(-1, 4)",
        "lib.triu_indices(4, -1)",
        "lib.is_floating_point(1)",
        "lib.numel([1])",
    ],
)
def test_filled_with_bad_arguments_raises_torchs_error(call):
    check_error(call)


def test_filled_with_dtype_that_is_none_raises_type_error():
    with pytest.raises(TypeError, match="expected a dtype"):
        npg.zeros(2, dtype="complex64")


def test_out_that_requires_grad_is_refused():
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        npg.zeros(2, out=npg.empty(2, requires_grad=True))


@pytest.mark.parametrize(
    "call",
    [
        "lib.full((2,), 1)",
        "lib.full((2,), 1.0)",
        "lib.full((), True)",
        "lib.full((2, 3), lib.tensor(2.0, dtype=lib.float64))",
        "lib.full((2,), np.float64(3))",
        "lib.full((2,), np.int32(3))",
        "lib.full((2,), 1.7, dtype=lib.long)",
        "lib.full((2,), -1, dtype=lib.uint8)",
        "lib.full((2,), 0.5, dtype=lib.bool)",
        "lib.full((2,), float('inf'), dtype=lib.float16)",
        "lib.full((2,), 3.5, out=lib.empty(5, dtype=lib.long))",
        "lib.full((2,), 1 + 2**-11 + 2**-40, dtype=lib.float16)",
        "lib.full_like(lib.ones(2, dtype=lib.long), 1.7)",
        "lib.full_like(lib.ones(2), True)",
        "lib.full_like(lib.ones(2), lib.tensor(3))",
        "lib.zeros_like(lib.ones(2, 3).t(), dtype=lib.long)",
        "lib.zeros_like(lib.ones(2, 3, 4).permute(2, 0, 1))",
        "lib.ones_like(lib.ones(2, 3).t(), memory_format=lib.contiguous_format)",
        "lib.ones_like(lib.ones(1).expand(2, 3), memory_format=lib.contiguous_format)",
        "lib.ones_like(lib.ones(4, 3)[::2], requires_grad=True)",
        "lib.empty_like(lib.ones(2, 3).t()).stride()",
        "lib.empty((2, 3, 4, 5), memory_format=lib.channels_last).stride()",
        "lib.empty_strided((2, 3), (1, 2)).stride()",
        "lib.empty_permuted((2, 3), (1, 0)).stride()",
        "lib.eye(3)",
        "lib.eye(2, 3, dtype=lib.long)",
        "lib.eye(3, m=4)",
        "lib.eye(0)",
        "lib.eye(2, out=lib.empty(5, dtype=lib.long))",
        "lib.tril_indices(3, 3)",
        "lib.tril_indices(3, 4, 1)",
        "lib.tril_indices(3, 4, -1)",
        "lib.triu_indices(3, 4, -1)",
        "lib.triu_indices(0, 4)",
        "lib.tril_indices(2, 2, dtype=lib.int32)",
        "lib.ones(2, dtype=lib.long).new_zeros(2, 3)",
        "lib.ones(2, dtype=lib.long).new_ones((2, 3))",
        "lib.ones(2, dtype=lib.long).new_full((2, 3), 1.5)",
        "lib.ones(2, dtype=lib.long).new_full((2, 3), 1.5, dtype=lib.float)",
        "lib.ones(2).new_full((2,), lib.tensor(3))",
        "lib.ones(2, dtype=lib.long).new_empty(0)",
        "lib.ones(2, dtype=lib.long).new_tensor([1.5, 2])",
        "lib.ones(2, dtype=lib.long).new_tensor([1.5, 2], dtype=lib.float, requires_grad=True)",
        "lib.ones(2).new_empty_strided((2, 3), (1, 2)).stride()",
        "lib.ones(2).new(2).shape",
        "lib.ones(2, dtype=lib.long).new([1.5, 2])",
    ],
)
def test_patterns_and_likes_are_torchs(call):
    check(call)


# ----- Ranges -----


@pytest.mark.parametrize(
    "arguments",
    [
        "5",
        "5.0",
        "1, 5",
        "1, 2, 0.3",
        "5, 1, -1",
        "0",
        "end=5",
        "start=1, end=5, step=2",
        "1, step=3, end=9",
        "2**62, 2**62 + 3",
        "lib.tensor(3)",
        "lib.tensor(3.0)",
        "np.float64(3)",
        "np.int32(3)",
        "True",
        "3, dtype=lib.float16",
        "2.5, dtype=lib.int32",
        "0.9, 5.9, dtype=lib.int32",
        "-5, 0, 2.0, dtype=lib.int32",
        "5.0, requires_grad=True",
        "3, out=lib.empty(5)",
        "3.0, out=lib.empty(5, dtype=lib.long)",
        "-3, 3, dtype=lib.int8",
    ],
)
@pytest.mark.filterwarnings("ignore:The number of elements in the out tensor")
def test_arange_is_torchs(arguments):
    check(f"lib.arange({arguments})")


@pytest.mark.parametrize(
    "call",
    [
        "lib.arange(5, 1)",
        "lib.arange(1, 5, 0)",
        "lib.arange(1, 5, -1)",
        "lib.arange(float('nan'))",
        "lib.arange(float('inf'))",
        "lib.arange(0, 3, 0.5, dtype=lib.long)",
        "lib.arange(3, dtype=lib.bool)",
        "lib.arange(5, requires_grad=True)",
        "lib.range(1, 0)",
        "lib.range(4)",
        "lib.linspace(0, 1, -1)",
        "lib.linspace(0, 3, 4, dtype=lib.bool)",
        "lib.linspace(lib.tensor([0]), lib.tensor(1.0), 5)",
        "lib.logspace(0, 2, -3)",
    ],
)
@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
def test_range_with_bad_arguments_raises_torchs_error(call):
    check_error(call)


@pytest.mark.parametrize(
    "call", ["lib.arange('a')", "lib.arange()", "lib.arange(1, 2, 3, 4)", "lib.linspace(0, 1, 2.5)"]
)
def test_range_with_arguments_of_bad_kind_raises_type_error(call):
    check_error(call, text=False)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64"])
def test_arange_of_any_bounds_is_torchs_to_the_last_bit(dtype):
    rng = np.random.default_rng(0)
    for _ in range(150):
        start, step = float(rng.uniform(-10, 10)), float(rng.uniform(0.01, 1))
        if dtype[0] == "i":
            start, step = int(start), int(rng.integers(1, 5))
        end = start + step * (int(rng.integers(1, 120)) - 0.5)
        check(f"lib.arange({start!r}, {end!r}, {step!r}, dtype=lib.{dtype})")
        check(f"lib.arange({end!r}, {start!r}, -{step!r}, dtype=lib.{dtype})")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "int8"])
def test_linspace_of_any_bounds_is_torchs_to_the_last_bit(dtype):
    rng = np.random.default_rng(1)
    for _ in range(150):
        start, end = (float(x) for x in rng.uniform(-100, 100, 2))
        check(f"lib.linspace({start!r}, {end!r}, {int(rng.integers(1, 120))}, dtype=lib.{dtype})")


@pytest.mark.parametrize(
    "call",
    [
        "lib.linspace(0, 1, 5)",
        "lib.linspace(0, 1, 1)",
        "lib.linspace(0, 1, 0)",
        "lib.linspace(start=2, end=3, steps=3)",
        "lib.linspace(lib.tensor(0), lib.tensor(1.0), 5)",
        "lib.linspace(0, 1, 3, out=lib.empty(5, dtype=lib.double))",
        "lib.linspace(3, 0, 4, requires_grad=True)",
        "lib.logspace(0, 2, 3)",
        "lib.logspace(0, 2, 3, base=2)",
        "lib.logspace(0, 1, 1)",
        "lib.logspace(0, 2, 0)",
        "lib.logspace(0, 2, 3, base=2, dtype=lib.long)",
        "lib.logspace(0, 3, 2, dtype=lib.int32)",
        "lib.range(1, 4)",
        "lib.range(1, 4, 0.5)",
        "lib.range(0, 5, 2, dtype=lib.long)",
    ],
)
@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
def test_linspace_and_logspace_are_torchs(call):
    check(call)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logspace_of_any_bounds_is_torchs(dtype):
    rng = np.random.default_rng(2)
    for _ in range(100):
        start, end, n = float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3)), int(rng.integers(1, 40))
        expected = torch.logspace(start, end, n, dtype=dtype).numpy()
        actual = npg.logspace(start, end, n, dtype=expected.dtype).numpy()
        # Rounding an exponent of 3 in base 10 to the dtype is an error of up to 3 * eps / 2 * ln(10).
        np.testing.assert_allclose(actual, expected, rtol=3.5 * np.finfo(expected.dtype).eps)


# ----- Questions and defaults -----


@pytest.mark.parametrize(
    "call",
    [
        "lib.is_tensor(1)",
        "lib.is_tensor(lib.ones(1))",
        "lib.is_floating_point(lib.ones(1))",
        "lib.is_floating_point(lib.tensor(1))",
        "lib.is_complex(lib.ones(1))",
        "lib.is_nonzero(lib.ones(1))",
        "lib.numel(lib.ones(2, 3))",
        "lib.is_same_size(lib.ones(2), lib.zeros(2)), lib.is_signed(lib.ones(1)), lib.is_inference(lib.ones(1))",
        "lib.is_conj(lib.ones(1)), lib.is_neg(lib.ones(1)), lib.is_signed(lib.ones(1).byte())",
        "lib.result_type(lib.ones(1, dtype=lib.long), 1.0)",
        "lib.result_type(1, 1.0)",
        "lib.result_type(lib.ones(1, dtype=lib.half), lib.tensor(1.0))",
        "lib.promote_types(lib.int8, lib.uint8)",
        "lib.can_cast(lib.float, lib.int)",
        "lib.can_cast(lib.int, lib.float)",
        "lib.get_default_dtype()",
        "lib.Size([2, 3]).numel()",
        "lib.pi, lib.e, lib.inf, lib.nan, lib.newaxis",
        "lib.float, lib.int, lib.long, lib.short, lib.half, lib.double, lib.bool, lib.uint8, lib.int8",
    ],
)
def test_question_is_answered_as_torch_does(call):
    check(call)


@pytest.mark.parametrize("lib_type", [npg.DoubleTensor, "torch.DoubleTensor", "npg.DoubleTensor"])
def test_default_tensor_type_changes_the_default_dtype(lib_type):
    try:
        npg.set_default_tensor_type(lib_type)
        assert npg.get_default_dtype() is npg.float64
        assert npg.tensor(1.5).dtype is npg.float64 and npg.ones(2).dtype is npg.float64
        assert npg.Tensor([1]).dtype is npg.float64 and npg.arange(3.0).dtype is npg.float64
        assert (npg.tensor(1) / 2).dtype is npg.float64
    finally:
        npg.set_default_tensor_type(npg.FloatTensor)
    assert npg.get_default_dtype() is npg.float32


@pytest.mark.parametrize(
    "call",
    [
        "lib.set_default_tensor_type(lib.LongTensor)",
        "lib.set_default_tensor_type(5)",
        "lib.promote_types(1, lib.uint8)",
        "lib.result_type('a', 1.0)",
    ],
)
@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")
def test_question_with_bad_arguments_raises_what_torch_raises(call):
    check_error(call, text=False)


NAMES_ONLY = (
    "bfloat16 complex32 complex64 complex128 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu "
    "float4_e2m1fn_x2 qint8 qint32 quint8 quint4x2 quint2x4 chalf cfloat cdouble"
).split()


@pytest.mark.parametrize("name", NAMES_ONLY)
def test_dtype_that_is_a_name_only_compares_and_pickles_and_makes_no_tensor(name):
    d, reference = getattr(npg, name), getattr(torch, name)
    assert repr(d) == repr(reference).replace("torch", "npg") and isinstance(d, npg.dtype)
    asked = ("itemsize", "is_complex", "is_floating_point") + (("is_signed",) if name[0] != "q" else ())
    assert [getattr(d, a) for a in asked] == [getattr(reference, a) for a in asked]
    assert d == d and d in {d} and d not in (npg.float32, npg.float16, npg.int8) and d != np.float32
    assert pickle.loads(pickle.dumps(d)) is copy.deepcopy(d) is d
    x = npg.ones(2)
    assert x.dtype != d
    makers = (npg.ones, npg.empty, npg.zeros, npg.randn, npg.arange)
    calls = [lambda make=make: make(2, dtype=d) for make in makers]
    calls += [lambda: x.to(d), lambda: x.type(d), lambda: x.view(d), lambda: x.sum(dtype=d), lambda: np.zeros(2, d)]
    calls += [
        lambda: npg.tensor(1, dtype=d),
        lambda: npg.promote_types(d, npg.float32),
        lambda: npg.zeros_like(x, dtype=d),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=rf"npg has no tensors of dtype {d!r}, only the name"):
            call()
    with pytest.raises(TypeError):
        npg.set_default_dtype(d)
    with pytest.raises(TypeError):
        npg.nn.Linear(2, 2).to(d)
    assert npg.get_default_dtype() is npg.float32


@pytest.mark.parametrize(
    "name", ["float16", "float32", "float64", "bfloat16", "complex64", "int64", "bool", "float8_e5m2"]
)
@pytest.mark.parametrize("method", ["to_complex", "to_real"])
def test_complex_and_real_of_a_dtype_are_torchs(name, method):
    try:
        expected = repr(getattr(getattr(torch, name), method)()).replace("torch", "npg")
    except RuntimeError as error:
        with pytest.raises(RuntimeError, match=str(error)):
            getattr(getattr(npg, name), method)()
    else:
        assert repr(getattr(getattr(npg, name), method)()) == expected


def test_names_that_npg_lacks_are_refused_by_name():
    with pytest.raises(AttributeError, match="npg has no complex tensors, got npg.complex"):
        npg.complex
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        npg.no_such_name


def test_public_names_all_exist():
    missing = [name for name in npg.__all__ if not hasattr(npg, name)]
    assert not missing


@pytest.mark.parametrize(
    "call", ["zeros(-1)", "zeros((2, -1))", "ones(2, -3)", "full((-1,), 1)", "ones(1).new_zeros(-1)"]
)
def test_negative_size_raises_torchs_error(call):
    check_error(f"lib.{call}")


def test_indices_and_scalars_know_pin_memory():
    for make in (lambda **k: npg.tril_indices(2, 2, **k), lambda **k: npg.scalar_tensor(1.0, **k)):
        assert npg.equal(make(pin_memory=False), make())
        with pytest.raises(RuntimeError, match="pinned memory"):
            make(pin_memory=True)
    assert npg.equal(npg.triu_indices(2, 2, pin_memory=False), npg.triu_indices(2, 2))
