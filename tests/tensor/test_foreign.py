"""Arrays of other libraries: read as data, refused by name in place of a tensor."""

import re

import numpy as np
import pytest
import torch

import npg


class Exporter:
    """An array with no interface but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Keyed:
    """A class with a length and brackets that is no sequence."""

    def __len__(self):
        return 2

    def __getitem__(self, key):
        raise KeyError(key)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2,), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool"])
def test_torch_tensor_as_data(dtype, shape):
    source = torch.ones(shape, dtype=getattr(torch, dtype))
    for make in (npg.tensor, npg.as_tensor, npg.asarray):
        actual = make(source)
        assert (actual.dtype.name, actual.shape) == (dtype, shape)
        assert actual.tolist() == source.tolist()
    assert npg.tensor([source, source]).shape == (2, *shape)
    assert npg.tensor([[source], (source,)]).dtype.name == dtype
    if shape:
        assert npg.Tensor(source).dtype is npg.float32


def test_torch_tensors_among_numbers_and_lists():
    assert npg.tensor([torch.tensor(3), 1.5]).tolist() == [3.0, 1.5]
    assert npg.tensor([[1, 2], torch.tensor([3, 4])]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"expected sequence of length 2 at dim 1 \(got 3\)"):
        npg.tensor([torch.ones(2), torch.ones(3)])


def test_copy_of_a_torch_tensor_is_a_copy():
    source = torch.ones(2)
    npg.tensor(source).fill_(5.0)
    assert source.tolist() == [1.0, 1.0]


def test_array_that_only_dlpack_shows():
    x = npg.tensor(Exporter(np.arange(3.0)))
    assert x.tolist() == [0.0, 1.0, 2.0]


def test_torch_tensor_as_index():
    x = npg.arange(3.0)
    assert x[torch.tensor([1])].tolist() == [1.0]
    assert x[torch.tensor([True, False, True])].tolist() == [0.0, 2.0]
    assert x[torch.tensor(1)].shape == ()


def test_object_that_is_no_sequence():
    for lib in (npg, torch):
        with pytest.raises(ValueError, match="could not determine the shape of object type 'Keyed'"):
            lib.tensor(Keyed())


def test_tables_of_pandas():
    pandas = pytest.importorskip("pandas", reason="tables are pandas'")
    assert npg.tensor(pandas.DataFrame({"a": [1, 2]})).tolist() == [[1], [2]]
    assert npg.as_tensor(pandas.Series([1.0, 2.0], index=[5, 6])).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="numpy.object_"):
        npg.tensor(pandas.DataFrame({"a": ["x", "y"]}))


CALLS = {
    "add": lambda x, t: npg.add(x, t),
    "relu": lambda x, t: npg.relu(t),
    "sum": lambda x, t: npg.sum(t),
    "add_": lambda x, t: x.add_(t),
    "copy_": lambda x, t: x.copy_(t),
    "matmul": lambda x, t: npg.matmul(x, t),
    "cat": lambda x, t: npg.cat([x, t]),
    "stack": lambda x, t: npg.stack([t, x]),
    "einsum": lambda x, t: npg.einsum("i,i", x, t),
    "masked_fill": lambda x, t: x.masked_fill(x > 0, t),
    "linear": lambda x, t: npg.nn.functional.linear(t, x),
    "layer": lambda x, t: npg.nn.Linear(2, 2)(t),
    "loss": lambda x, t: npg.nn.functional.mse_loss(x, t),
    "parameter": lambda x, t: npg.nn.Parameter(t),
    "index_put_": lambda x, t: x.index_put_((t,), x),
    "scatter": lambda x, t: x.scatter(0, npg.tensor([0]), t),
}


@pytest.mark.parametrize("name", CALLS)
def test_text_names_the_module_of_a_foreign_tensor(name):
    with pytest.raises(TypeError, match=r"torch\.Tensor") as caught:
        CALLS[name](npg.ones(2), torch.ones(2))
    assert not re.search(r"not Tensor|got Tensor", str(caught.value))


def test_next_functions_of_a_custom_function_are_of_its_tensors():
    edges = []
    for lib in (npg, torch):

        class Scale(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, n, y, z):
                return x * n + y

            @staticmethod
            def backward(ctx, g):
                return g, None, g, None

        y = Scale.apply(lib.ones(2, requires_grad=True), 3, lib.ones(2), None)
        edges.append([(None if node is None else type(node).__name__, i) for node, i in y.grad_fn.next_functions])
    assert edges[0] == edges[1] == [("AccumulateGrad", 0), (None, 0)]


def test_public_namespaces_show_public_names():
    for room in (npg.linalg, npg.nn.functional, npg.nn.init, npg.random, npg.utils, npg.autograd.functional):
        assert set(dir(room)) == set(room.__all__)
    with pytest.raises(AttributeError, match="module 'npg.nn.functional' has no attribute 'nothing'"):
        _ = npg.nn.functional.nothing
    assert npg.utils.collect_env.main


def test_finfo_resolution():
    for name in ("float16", "float32", "float64"):
        assert npg.finfo(getattr(npg, name)).resolution == torch.finfo(getattr(torch, name)).resolution
        assert repr(npg.finfo(getattr(npg, name))) == repr(torch.finfo(getattr(torch, name)))
