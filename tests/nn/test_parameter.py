"""Parameters and buffers without a shape."""

import pytest

import npg
from npg import nn

REFUSED = [
    lambda w: w.numel(), lambda w: w * 2, lambda w: 2 - w, lambda w: w.T, lambda w: len(w), bool, lambda w: w[0],
    lambda w: w.mean(), lambda w: npg.relu(w), lambda w: nn.functional.linear(npg.ones(2, 2), w), lambda w: w.add_(1),
    lambda w: nn.init.uniform_(w), lambda w: w.numpy(), lambda w: w.register_hook(print), lambda w: w.sum().backward(),
    lambda w: npg.cat([w, w]), lambda w: w == w, lambda w: w.ndim, lambda w: w.view(1),
]  # fmt: skip


@pytest.mark.parametrize("use", REFUSED)
def test_uses_of_an_uninitialised_parameter_are_refused(use):
    with pytest.raises(ValueError, match=r"Attempted to use an uninitialized parameter in .*npg.nn.parameter.Uninit"):
        use(nn.UninitializedParameter())


def test_what_needs_no_shape_is_answered():
    w = nn.UninitializedParameter(dtype=npg.float64)
    assert isinstance(w, nn.Parameter) and nn.parameter.is_lazy(w) and repr(w) == "<UninitializedParameter>"
    assert w.dtype is npg.float64 and w.requires_grad and w.is_leaf and w.grad is None and w.device.type == "cpu"
    assert w.size() == (0,) and w.is_floating_point() and w.half().dtype is npg.float16 and w.data.shape == (0,)
    assert {w: 1}[w] == 1 and not nn.parameter.is_lazy(nn.Parameter(npg.ones(2))) and not nn.parameter.is_lazy(3)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        w.shape
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized"):
        w.share_memory_()
    assert not nn.UninitializedParameter(requires_grad=False).requires_grad


def test_materialize_gives_a_shape():
    w = nn.UninitializedParameter(dtype=npg.float64)
    w.materialize((2, 3))
    assert type(w) is nn.Parameter and w.shape == (2, 3) and w.dtype is npg.float64 and w.requires_grad
    (w * 3).sum().backward()
    assert w.grad.tolist() == [[3.0] * 3] * 2
    other = nn.UninitializedParameter()
    other.materialize((1,), dtype=npg.float16)
    assert other.dtype is npg.float16


def test_buffers_become_plain_tensors():
    b = nn.UninitializedBuffer(persistent=False)
    assert nn.parameter.is_lazy(b) and isinstance(b, nn.Buffer) and not b.persistent and not b.requires_grad
    b.materialize((2,))
    assert type(b) is npg.Tensor and b.shape == (2,)
