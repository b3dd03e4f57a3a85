"""The norms with running statistics, GroupNorm, LocalResponseNorm and CrossMapLRN2d, in npg and in torch."""

import copy

import pytest

import npg
from npg import nn
from tests.twins import agree, attempt, warned

torch = pytest.importorskip("torch", reason="compares with torch")

NORMS = {
    "BatchNorm1d": (5, 4, 3),
    "BatchNorm2d": (5, 4, 3, 2),
    "BatchNorm3d": (2, 4, 3, 2, 2),
    "SyncBatchNorm": (5, 4),
    "InstanceNorm1d": (5, 4, 3),
    "InstanceNorm2d": (5, 4, 3, 2),
    "InstanceNorm3d": (2, 4, 3, 2, 2),
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("momentum", [0.3, None])
def test_norm_trains_and_evaluates_like_torchs(name, momentum):
    def program(lib):
        for affine in (True, False):
            for tracked in (True, False):
                m = getattr(lib.nn, name)(4, momentum=momentum, affine=affine, track_running_stats=tracked).double()
                yield repr(m)
                for _ in range(3):
                    x = lib.randn(NORMS[name], dtype=lib.float64)
                    m(x)
                yield dict(m.state_dict())
                x.requires_grad_()
                m.eval()(x).pow(3).sum().backward()
                yield x.grad, [p.grad for p in m.parameters()]
                m.reset_running_stats()
                yield dict(m.state_dict())
        yield repr(getattr(lib.nn, name)(4, bias=False, affine=True))

    agree(program)


@pytest.mark.parametrize("name", NORMS)
def test_norm_refuses_shapes_as_torchs_does(name):
    def program(lib):
        m = getattr(lib.nn, name)(3)
        for shape in ((3,), (2, 3), (2, 3, 4), (3, 4, 4), (2, 4, 3), (2, 3, 4, 4), (2, 3, 2, 2, 2), (2, 3, 2, 2, 2, 2)):
            with_warnings = warned(lambda shape=shape: attempt(lambda: m(lib.ones(shape)).shape))
            yield str(with_warnings[0]), with_warnings[1]
        affine = getattr(lib.nn, name)(3, affine=True)
        yield attempt(lambda: affine(lib.ones(NORMS[name])))
        yield attempt(lambda: repr(getattr(lib.nn, name)(-1)))

    agree(program)


def test_batch_norm_that_refuses_a_batch_counts_it_not():
    m = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        m(npg.ones(1, 3))
    assert m.num_batches_tracked.item() == 0
    assert npg.equal(m.running_var, npg.ones(3))
    assert m.eval()(npg.ones(1, 3)).shape == (1, 3)


def test_old_checkpoints_load_as_in_torch():
    def program(lib):
        m = lib.nn.BatchNorm2d(2)
        m(lib.randn(2, 2, 2, 2))
        state = m.state_dict()
        yield str(dict(state._metadata))
        del state["num_batches_tracked"]
        yield attempt(lambda: str(lib.nn.BatchNorm2d(2).load_state_dict(state)))
        state._metadata[""]["version"] = 1
        fresh = lib.nn.BatchNorm2d(2)
        yield str(fresh.load_state_dict(state)), dict(fresh.state_dict())
        old = {"running_mean": lib.ones(2), "running_var": lib.ones(2)}
        yield attempt(lambda: lib.nn.InstanceNorm1d(2).load_state_dict(old))
        yield attempt(lambda: str(lib.nn.InstanceNorm1d(2, track_running_stats=True).load_state_dict(old)))
        yield attempt(
            lambda: lib.nn.Sequential(lib.nn.InstanceNorm1d(2)).load_state_dict({"0.running_mean": lib.ones(2)})
        )

    agree(program)


def test_convert_sync_batchnorm_keeps_parameters_and_statistics():
    def program(lib):
        net = lib.nn.Sequential(
            lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4, eps=1e-3), lib.nn.Sequential(lib.nn.BatchNorm2d(2))
        )
        net[2].eval()
        weight = net[1].weight
        converted = lib.nn.SyncBatchNorm.convert_sync_batchnorm(net)
        yield repr(converted), str(converted is net), str(converted[1].weight is weight), str(converted[2][0].training)
        yield converted(lib.randn(5, 3)) if False else converted[1](lib.randn(5, 4)).detach()
        alone = lib.nn.SyncBatchNorm.convert_sync_batchnorm(lib.nn.BatchNorm1d(2, affine=False), "group")
        yield repr(alone), alone.process_group, dict(alone.state_dict())
        yield attempt(lambda: alone(lib.ones(2, 0)))

    agree(program)


LAZY = [name for name in NORMS if name != "SyncBatchNorm"]


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_norm_becomes_the_norm_as_in_torch(name):
    def program(lib):
        for settings in ({}, {"affine": False}, {"track_running_stats": False, "bias": False}, {"affine": True}):
            m = getattr(lib.nn, f"Lazy{name}")(momentum=0.3, **settings)
            yield repr(m), list(m.state_dict())
            x = lib.randn(NORMS[name])
            yield m(x).detach(), repr(m), dict(m.state_dict())
            source = getattr(lib.nn, name)(4, **{"affine": True, "track_running_stats": True, **settings})
            lazy = getattr(lib.nn, f"Lazy{name}")(**settings)
            yield str(lazy.load_state_dict(source.state_dict()))
            yield attempt(lambda lazy=lazy, x=x: lazy(x).detach()), repr(lazy)

    agree(program)


def test_norm_in_half_and_copies():
    def program(lib):
        m = lib.nn.BatchNorm2d(3).half()
        x = lib.randn(4, 3, 2, 2).half()
        yield str(m(x).dtype)
        yield [str(t.dtype) for t in m.state_dict().values()]
        yield m.running_mean.float().sum().round()
        other = copy.deepcopy(m)
        yield dict(other.state_dict())

    agree(program)


CALLS = [
    "repr(nn.GroupNorm(2, 6)), repr(nn.GroupNorm(3, 6, 0.1, False)), repr(nn.GroupNorm(3, 6, bias=False))",
    "nn.GroupNorm(4, 6)",
    "nn.GroupNorm(2, 6)(lib.arange(24.0).view(2, 6, 2)).detach()",
    "nn.GroupNorm(2, 6)(lib.ones(2, 5, 2))",
    "nn.GroupNorm(2, 6, dtype=lib.float64).weight.dtype",
    "dict(nn.GroupNorm(1, 2, bias=False).state_dict())",
    "repr(nn.LocalResponseNorm(3)), repr(nn.CrossMapLRN2d(3, k=2))",
    "nn.LocalResponseNorm(2, 0.5)(lib.arange(24.0).view(2, 3, 4))",
    "nn.CrossMapLRN2d(3)(lib.ones(2, 3, 4))",
    "nn.BatchNorm1d(2, dtype=lib.float64).running_mean",
]


def test_other_norms_are_like_torchs():
    def program(lib):
        for call in CALLS:
            yield call, attempt(lambda call=call: eval(call, {"lib": lib, "nn": lib.nn}))

    agree(program)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 9])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_cross_map_lrn_has_torchs_windows(size, channels):
    def program(lib):
        x = lib.randn(2, channels, 3, 2, requires_grad=True)
        y = lib.nn.CrossMapLRN2d(size, 0.5, 0.6, 1.5)(x)
        yield y.detach(), type(y.grad_fn).__name__ if lib is torch else y.grad_fn.name()
        y.backward(lib.randn(y.shape))
        yield x.grad

    agree(program)
