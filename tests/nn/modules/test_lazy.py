"""Modules that find their sizes in the first call, and the parameters that wait for them."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch

import npg
from npg import nn
from tests.helpers import assert_like, assert_same_error, to_npg

TNN = torch.nn
MODULES = [
    ("LazyLinear", (3,), {}, (5, 4)), ("LazyLinear", (3,), {"bias": False}, (4,)),
    ("LazyConv1d", (4, 3), {}, (2, 3, 6)),
    ("LazyConv2d", (4, 3), {"groups": 2, "padding": 1}, (2, 6, 5, 5)),
    ("LazyConv2d", (4, 2), {"bias": False}, (3, 5, 5)),
    ("LazyConv3d", (4, 2), {"stride": 2}, (1, 2, 4, 4, 4)), ("LazyConvTranspose1d", (4, 3), {"dilation": 2}, (2, 3, 6)),
    ("LazyConvTranspose2d", (4, 3), {"groups": 2, "stride": 2, "output_padding": 1}, (2, 6, 5, 5)),
    ("LazyConvTranspose3d", (4, 2), {"bias": False}, (1, 2, 3, 3, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), MODULES)
def test_lazy_modules_become_the_others_with_torchs_numbers(name, args, kwargs, shape):
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(TNN, name)(*args, **kwargs)
    assert repr(ours) == repr(theirs) and repr(ours.state_dict()) == repr(theirs.state_dict()).replace("torch", "npg")
    assert ours.has_uninitialized_params() and not ours._buffers
    ours, theirs = ours.double(), theirs.double()
    x = torch.randn(shape, dtype=torch.float64)
    npg.manual_seed(5), torch.manual_seed(5)
    assert_like(ours(to_npg(x)), theirs(x), rtol=1e-10, atol=1e-10)
    assert repr(ours) == repr(theirs) and type(ours) is getattr(nn, name.removeprefix("Lazy"))
    for (key, found), (other, expected) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert key == other and type(found) is nn.Parameter
        assert_like(found, expected)
    assert not ours._forward_pre_hooks and "_initialize_hook" not in vars(ours)


NORMS = [(f"Lazy{kind}Norm{dims}d", dims) for kind in ("Batch", "Instance") for dims in (1, 2, 3)]


@pytest.mark.parametrize("settings", [{}, {"affine": False}, {"track_running_stats": False}, {"momentum": None}])
@pytest.mark.parametrize(("name", "dims"), NORMS)
@pytest.mark.parametrize("cast", ["float", "double", "half"])
def test_lazy_norms_that_are_cast_become_the_others_with_torchs_numbers(name, dims, settings, cast):
    ours, theirs = (getattr(getattr(lib, name)(**settings), cast)() for lib in (nn, TNN))
    if hasattr(theirs, "has_uninitialized_params"):
        assert ours.has_uninitialized_params() == theirs.has_uninitialized_params()
    x = getattr(torch.randn((2, 3) + (4,) * dims), cast)()
    assert_like(ours(to_npg(x)), theirs(x))
    assert repr(ours) == repr(theirs) and type(ours) is getattr(nn, name.removeprefix("Lazy"))
    expected = theirs.state_dict()
    assert list(ours.state_dict()) == list(expected)
    for key, found in ours.state_dict().items():
        assert_like(found, expected[key], key)


@pytest.mark.parametrize("name", ["LazyConv2d", "LazyLinear", "LazyBatchNorm1d"])
def test_lazy_modules_are_not_shared_between_processes(name):
    arguments = {"LazyConv2d": (4, 3), "LazyLinear": (4,)}.get(name, ())
    assert_same_error(getattr(nn, name)(*arguments).share_memory, getattr(TNN, name)(*arguments).share_memory)


def test_parameters_are_the_same_objects_before_and_after():
    lazy = nn.LazyLinear(3)
    weight = lazy.weight
    optimizer = npg.optim.SGD(lazy.parameters(), lr=0.1)
    lazy(npg.ones(2, 4)).sum().backward()
    optimizer.step()
    assert lazy.weight is weight and weight.shape == (3, 4) and weight.grad is not None


def test_a_call_that_is_refused_leaves_the_module_lazy():
    for bad, good in (((1, 3, 4, 4), (1, 4, 4, 4)), ((3, 3), (4, 4, 4))):
        ours, theirs = nn.LazyConv2d(4, 3, groups=2), TNN.LazyConv2d(4, 3, groups=2)
        assert_same_error(lambda m=ours, s=bad: m(npg.ones(s)), lambda m=theirs, s=bad: m(torch.ones(s)))
        assert ours.in_channels == 0 and ours.has_uninitialized_params()
        ours(npg.ones(good))


# ----- State -----


def test_state_is_loaded_into_lazy_modules():
    full, lazy = nn.Linear(3, 4), nn.LazyLinear(4)
    assert str(lazy.load_state_dict(full.state_dict())) == "<All keys matched successfully>"
    assert not lazy.has_uninitialized_params() and lazy.in_features == 0
    np.testing.assert_array_equal(lazy.weight.detach().numpy(), full.weight.detach().numpy())
    with pytest.raises(AssertionError, match="inferred from input: 2 is not equal to in_features"):
        lazy(npg.ones(1, 2))
    lazy(npg.ones(1, 3))
    assert repr(lazy) == repr(full)
    other = nn.LazyLinear(4)
    other.load_state_dict(nn.LazyLinear(4).state_dict())
    assert other.has_uninitialized_params()
    assigned = nn.LazyLinear(4)
    assigned.load_state_dict(full.state_dict(), assign=True)
    assert not assigned.has_uninitialized_params()


def test_state_that_is_refused_changes_nothing():
    lazy = nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 2))
    state = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3)).state_dict()
    with pytest.raises(RuntimeError, match="size mismatch for 1.weight"):
        lazy.load_state_dict(state)
    assert lazy[0].has_uninitialized_params()
    lazy[1].register_load_state_dict_post_hook(lambda *_: 1 / 0)  # after lazy[0] has been loaded
    with pytest.raises(ZeroDivisionError):
        lazy.load_state_dict(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).state_dict())
    assert lazy[0].has_uninitialized_params()
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        nn.Linear(3, 4).load_state_dict(nn.LazyLinear(4).state_dict())
    assert_same_error(lambda: nn.LazyLinear(4).load_state_dict({}), lambda: TNN.LazyLinear(4).load_state_dict({}))


def test_copies_pickles_and_files_of_lazy_modules_are_lazy():
    lazy = nn.LazyConv2d(4, 3, dtype=npg.float64)
    file = io.BytesIO()
    npg.save(lazy, file)
    file.seek(0)
    for other in (copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy)), npg.load(file, weights_only=False)):
        assert other.weight is not lazy.weight and other.has_uninitialized_params()
        other.double()(npg.ones(1, 2, 4, 4, dtype=npg.float64))
        assert repr(other) == "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))"
    assert copy.deepcopy(lazy).weight.dtype is npg.float64 and lazy.has_uninitialized_params()


# ----- The mixin -----


def test_a_module_of_ones_own_is_lazy():
    class Scale(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.UninitializedParameter()
            self.register_buffer("seen", nn.UninitializedBuffer())

        def initialize_parameters(self, x, gain=1.0):
            self.scale.materialize(x.shape[-1:])
            self.seen.materialize((2,))
            with npg.no_grad():
                self.scale.fill_(gain)

        def forward(self, x, gain=1.0):
            return x * self.scale

    module = Scale()
    assert list(map(repr, module.state_dict().values())) == ["<UninitializedParameter>", "<UninitializedBuffer>"]
    assert module(npg.ones(2, 3), gain=4.0).tolist() == [[4.0] * 3] * 2
    assert type(module) is Scale and type(module.seen) is npg.Tensor and module.seen.shape == (2,)
    assert dict(module.named_buffers()).keys() == {"seen"}


def test_a_module_that_leaves_something_open_is_refused():
    class Half(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.UninitializedParameter()

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Half"):
        Half()(1)
    Half.initialize_parameters = lambda self, x: None
    with pytest.raises(RuntimeError, match="module Half has not been fully initialized"):
        Half()(1)


def test_data_parallel_refuses_lazy_modules():
    with pytest.raises(RuntimeError, match="can't be used with `DataParallel`"):
        nn.LazyLinear(2)._replicate_for_data_parallel()
