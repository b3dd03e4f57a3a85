"""npg.amp: blocks with casts are disabled with a warning; GradScaler works on the CPU as in PyTorch."""

import pickle
import warnings

import pytest
import torch

import npg
from tests.transcripts import check_transcript

AUTOCAST = """
torch.autocast is torch.amp.autocast
torch.amp.autocast("cuda")
torch.autocast("cuda", dtype=torch.float16)
torch.amp.autocast("cuda", enabled=False)
torch.amp.autocast("cpu", enabled=False)
torch.amp.autocast("mps")
torch.amp.autocast("xyz")
torch.amp.autocast(3)
torch.amp.autocast("cuda")._enabled
torch.cuda.amp.autocast()
torch.cuda.amp.autocast(enabled=False)
torch.cpu.amp.autocast(enabled=False)
torch.amp.is_autocast_available("cuda")
torch.amp.is_autocast_available("cpu")
torch.amp.is_autocast_available("xyz")
with torch.autocast("cuda"): print((torch.ones(2, 2) @ torch.ones(2, 2)).dtype, torch.is_autocast_enabled("cuda"))
with torch.autocast("cpu", enabled=False): print(torch.is_autocast_enabled("cpu"))
torch.autocast("cuda", enabled=False)(lambda x: x + 1)(2)
torch.is_autocast_enabled()
torch.is_autocast_enabled("cpu")
torch.is_autocast_enabled("xyz")
torch.get_autocast_dtype("cuda")
torch.get_autocast_dtype("cpu")
torch.get_autocast_cpu_dtype()
torch.get_autocast_dtype("xyz")
torch.is_autocast_cache_enabled()
torch.set_autocast_cache_enabled(True)
torch.clear_autocast_cache()
torch.autocast_increment_nesting()
torch.autocast_decrement_nesting()
torch.set_autocast_enabled("cuda", True)
torch.is_autocast_enabled()
torch.set_autocast_enabled(False)
torch.is_autocast_enabled("cuda")
torch.set_autocast_enabled("cpu", 3)
torch.set_autocast_dtype("cuda", torch.float32)
torch.get_autocast_dtype("cuda")
torch.get_autocast_gpu_dtype()
torch.set_autocast_gpu_dtype(torch.float16)
torch.is_autocast_cpu_enabled()
torch.set_autocast_cpu_enabled(False)
torch.amp.custom_fwd(lambda x: x)
torch.amp.custom_fwd(device_type=3)
torch.cuda.amp.custom_bwd(len).__name__
"""

SCALER = """
torch.amp.GradScaler()
torch.amp.GradScaler("cuda", enabled=False)
torch.cuda.amp.GradScaler()
torch.cuda.amp.GradScaler(enabled=False)
torch.cpu.amp.GradScaler()
torch.amp.GradScaler("cpu", growth_factor=0.5)
torch.amp.GradScaler("cpu", backoff_factor=1.5)
s = torch.amp.GradScaler()
s.is_enabled()
s.get_scale()
s.scale(torch.ones(1))
s.unscale_(None)
s.step(3)
s.update()
s.state_dict()
s.load_state_dict({})
s.get_growth_factor()
s = torch.amp.GradScaler("cpu")
s.get_scale()
s.state_dict()
s.update()
s.scale(torch.ones(2))
s.scale([torch.ones(2), (torch.ones(1),)])
s.scale(3)
s.load_state_dict({})
s.load_state_dict(s.state_dict())
s.update()
s.update(3.0)
s.get_scale()
s.update(torch.tensor(5.0))
s.get_scale()
s.update(torch.ones(2))
p = torch.ones(2, requires_grad=True); o = torch.optim.SGD([p], 0.1)
s = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
s.step(o)
s.scale((p * 2).sum()).backward()
p.grad
s.unscale_(o)
p.grad
s.unscale_(o)
s.step(o)
s.step(o)
s.unscale_(o)
s.update()
s.get_scale()
s.state_dict()
p
p.grad.fill_(16.0)
s.step(o)
s.update()
s.state_dict()
p.grad.fill_(float("inf"))
s.step(o)
p
s.update()
s.state_dict()
s.step(o, closure=lambda: 1)
import pickle; pickle.dumps(s)
s.set_growth_factor(3.0); s.set_backoff_factor(0.25); s.set_growth_interval(7)
(s.get_growth_factor(), s.get_backoff_factor(), s.get_growth_interval())
"""


@pytest.mark.parametrize("lines", [AUTOCAST, SCALER], ids=["autocast", "scaler"])
def test_amp_is_pytorchs(lines):
    check_transcript(lines)


def test_casts_on_the_cpu_are_disabled_with_a_warning():
    with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype is not supported. Disabling autocast."):
        block = npg.autocast("cpu", dtype=npg.float16)
    with block:
        assert not npg.is_autocast_enabled("cpu")
        assert (npg.ones(2, 2) @ npg.ones(2, 2)).dtype == npg.float32
    with pytest.raises(RuntimeError, match="casts nothing by itself"):
        npg.set_autocast_enabled("cpu", True)


def test_scaler_is_pickled_between_iterations():
    for library in (npg, torch):
        scaler = library.amp.GradScaler("cpu", init_scale=8.0)
        parameter = library.ones(2, requires_grad=True)
        optimizer = library.optim.SGD([parameter], 0.1)
        scaler.scale(parameter.sum()).backward()
        scaler.step(optimizer)
        with pytest.raises(AssertionError, match="may only be pickled at the beginning of an iteration"):
            pickle.dumps(scaler)
        scaler.update()
        twin = pickle.loads(pickle.dumps(scaler))
        assert twin.state_dict() == scaler.state_dict() and twin.get_scale() == 8.0
        twin.scale(library.ones(1))
        assert twin.state_dict() == scaler.state_dict()


def train(library):
    """Train a few steps as scripts with mixed precision do, and return the losses and the factors."""
    library.manual_seed(0)
    model = library.nn.Linear(4, 1)
    optimizer = library.optim.Adam(model.parameters(), 0.1)
    scaler = library.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
    x, y = library.randn(16, 4), library.randn(16, 1)
    seen = []
    for step in range(8):
        optimizer.zero_grad(set_to_none=True)
        with library.autocast("cuda", enabled=library.cuda.is_available()):
            loss = library.nn.functional.mse_loss(model(x), y)
        scaler.scale(loss).backward()
        if step == 5:
            model.weight.grad[0, 0] = float("nan")
        scaler.unscale_(optimizer)
        library.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        seen.append((loss.item(), scaler.get_scale()))
    return seen


def test_training_with_a_scaler_is_pytorchs():
    for own, theirs in zip(train(npg), train(torch)):
        assert own == pytest.approx(theirs, rel=1e-5)


def test_a_scaler_refuses_half_precision_gradients():
    for library in (npg, torch):
        parameter = library.ones(2, dtype=library.float16, requires_grad=True)
        scaler = library.amp.GradScaler("cpu")
        scaler.scale(parameter.sum()).backward()
        with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
            scaler.unscale_(library.optim.SGD([parameter], 0.1))


def custom(library):
    """Return what an autograd.Function with the decorators gives."""

    class Double(library.autograd.Function):
        @staticmethod
        @library.amp.custom_fwd(device_type="cuda", cast_inputs=library.float32)
        def forward(context, x):
            return x * 2

        @staticmethod
        @library.amp.custom_bwd(device_type="cuda")
        def backward(context, g):
            return g * 2

    x = library.ones(2, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Double.apply(x).sum().backward()
    return x.grad.tolist()


def test_functions_with_their_own_backward():
    assert custom(npg) == custom(torch) == [2.0, 2.0]
