"""Dictionaries with weak keys, and small names of torch.utils, beside PyTorch's."""

import pytest
import torch.utils.weak  # noqa: F401

import npg
from tests.transcripts import check_transcript


def test_tensors_are_keys_that_are_not_kept_alive():
    check_transcript("""
w = torch.utils.weak
a, b = torch.ones(2), torch.ones(2)
d = w.WeakTensorKeyDictionary(); d[a] = 1; d[b] = 2
len(d), d[a], d[b], a in d, torch.ones(2) in d, 3 in d
del a
len(d), [v for v in d.values()], [k for k in d]
d[torch.zeros(1)] = 3
len(d)
r = w.TensorWeakRef(b)
r() is b, w.WeakIdRef(b) == w.WeakIdRef(b), hash(w.WeakIdRef(b)) == id(b)
e = __import__("copy").copy(d); len(e)
del d[b]; len(d), len(e)
b in d, b in e
del b
len(e), len(d), r()
""")
    with pytest.raises(KeyError):
        npg.utils.weak.WeakIdKeyDictionary()[npg.ones(1)]
    with pytest.raises(AssertionError, match=r"expected torch\.Tensor, got"):
        npg.utils.weak.TensorWeakRef(3)


def test_what_needs_a_compiler_says_so():
    for name in npg.utils.cpp_extension.__all__:
        if name != "is_ninja_available":
            with pytest.raises(RuntimeError, match=r"npg has no C\+\+ API .*; write the operation in Python"):
                getattr(npg.utils.cpp_extension, name)("name", [])
    assert npg.utils.cpp_extension.CUDA_HOME is None and not npg.utils.cpp_extension.is_ninja_available()
    for name in npg.utils.mobile_optimizer.__all__:
        with pytest.raises(NotImplementedError, match="npg compiles nothing"):
            getattr(npg.utils.mobile_optimizer, name)(None)
    with pytest.raises(NotImplementedError, match="npg writes no execution traces"):
        npg.profiler.ExecutionTraceObserver()
    assert not npg.profiler.kineto_available()
    with pytest.raises(NotImplementedError, match="npg exports no graph"):
        npg.onnx._export()


def test_settings_that_change_nothing():
    check_transcript("""
def f(): pass
torch.utils.set_module(f, "x.y"); f.__module__
torch.utils.set_module(f, 3)
torch.utils.backcompat.broadcast_warning.enabled, torch.utils.backcompat.keepdim_warning.enabled
torch.utils.backcompat.keepdim_warning.enabled = False
torch._logging.set_logs(dynamo=10)
torch.autograd.is_multithreading_enabled()
with torch.autograd.set_multithreading_enabled(False): print(torch.autograd.is_multithreading_enabled())
torch.autograd.is_multithreading_enabled()
x = torch.autograd.set_multithreading_enabled(False)
torch.autograd.is_multithreading_enabled()
x = torch.autograd.set_multithreading_enabled(True)
torch.autograd.is_multithreading_enabled(), torch.autograd.is_view_replay_enabled()
with torch.utils.checkpoint.set_checkpoint_debug_enabled(False): print(end="")
torch.GradScaler is torch.amp.GradScaler
""")
