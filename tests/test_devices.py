"""Devices that are not there: what scripts ask, and what cannot be done, as in PyTorch's CPU build."""

import pickle
import threading

import pytest
import torch

import npg
from tests.transcripts import check_names, check_transcript

CUDA = """
torch.cuda.is_available()
torch.cuda.device_count()
torch.cuda.is_initialized()
torch.cuda.is_bf16_supported()
torch.cuda.is_tf32_supported()
torch.cuda.get_arch_list()
torch.cuda.get_gencode_flags()
torch.cuda.manual_seed(3)
torch.cuda.manual_seed_all(3)
torch.cuda.manual_seed("x")
torch.cuda.manual_seed(2**70)
torch.cuda.seed()
torch.cuda.seed_all()
torch.cuda.initial_seed()
torch.cuda.get_rng_state()
torch.cuda.get_rng_state_all()
torch.cuda.set_rng_state(torch.get_rng_state())
torch.cuda.set_rng_state_all([])
torch.cuda.empty_cache()
torch.cuda.memory_allocated()
torch.cuda.memory_allocated("cuda:0")
torch.cuda.max_memory_allocated()
torch.cuda.memory_reserved()
torch.cuda.max_memory_reserved()
torch.cuda.memory_cached()
torch.cuda.max_memory_cached()
torch.cuda.memory_stats()
torch.cuda.memory_stats_as_nested_dict()
torch.cuda.host_memory_stats()
torch.cuda.list_gpu_processes()
torch.cuda.mem_get_info()
torch.cuda.get_per_process_memory_fraction()
torch.cuda.set_per_process_memory_fraction(0.5)
torch.cuda.caching_allocator_alloc(1)
torch.cuda.caching_allocator_enable()
torch.cuda.init()
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.get_device_capability()
torch.cuda.get_device_properties("cuda:0")
torch.cuda.can_device_access_peer(0, 1)
torch.cuda.synchronize()
torch.cuda.ipc_collect()
torch.cuda.cudart()
torch.cuda.current_blas_handle()
torch.cuda.get_sync_debug_mode()
torch.cuda.set_sync_debug_mode(1)
torch.cuda.current_stream()
torch.cuda.default_stream()
torch.cuda.set_device(-1)
torch.cuda.set_device("cpu")
torch.cuda.Stream()
torch.cuda.Event(enable_timing=True)
torch.cuda.CUDAGraph()
torch.cuda.MemPool()
torch.cuda.graph_pool_handle()
torch.cuda.is_current_stream_capturing()
torch.cuda.stream(None).__enter__()
with torch.cuda.stream(None): print(end="")
with torch.cuda.device(-1): print(end="")
with torch.cuda.device_of(torch.ones(1)): print(end="")
torch.cuda.FloatTensor(2)
torch.cuda.LongTensor([1])
isinstance(torch.ones(2), torch.cuda.FloatTensor)
torch.cuda.OutOfMemoryError is torch.OutOfMemoryError
[c.__name__ for c in torch.OutOfMemoryError.__mro__]
[c.__name__ for c in torch.AcceleratorError.__mro__]
torch.cuda.default_generators
torch.cuda.has_half
torch.cuda.has_magma
torch.cuda.nvtx.range_push("a")
torch.cuda.nvtx.mark("a")
torch.cuda.profiler.start()
torch.cuda.nccl.is_available([])
torch.cuda.amp.common.amp_definitely_not_available()
"""

OTHERS = """
torch.accelerator.is_available()
torch.accelerator.device_count()
torch.accelerator.current_accelerator()
torch.accelerator.current_accelerator(check_available=True)
torch.accelerator.current_device_index()
torch.accelerator.set_device_index(0)
torch.accelerator.current_stream()
torch.accelerator.synchronize()
torch.accelerator.empty_cache()
torch.accelerator.memory_allocated()
torch.accelerator.memory.memory_allocated()
with torch.accelerator.device_index(None): print(end="")
with torch.accelerator.device_index(0): print(end="")
torch.mps.is_available()
torch.mps.device_count()
torch.mps.manual_seed(1)
torch.mps.seed()
torch.mps.empty_cache()
torch.mps.synchronize()
torch.mps.current_allocated_memory()
torch.mps.driver_allocated_memory()
torch.mps.recommended_max_memory()
torch.mps.get_rng_state()
torch.mps.set_per_process_memory_fraction(0.5)
torch.mps.compile_shader("")
torch.mps.profiler.start()
torch.mps.profiler.stop()
torch.mtia.is_available()
torch.mtia.is_initialized()
torch.mtia.device_count()
torch.mtia.init()
torch.mtia.manual_seed(1)
torch.mtia.seed_all()
torch.mtia.is_bf16_supported()
torch.mtia.memory_stats()
torch.mtia.memory_allocated()
torch.mtia.synchronize()
torch.mtia.current_device()
torch.mtia.empty_cache()
torch.mtia.snapshot()
torch.mtia.get_rng_state()
torch.mtia.get_rng_state_all()
with torch.mtia.device(-1): print(end="")
with torch.mtia.device(0): print(end="")
torch.mtia.stream(None)
torch.mtia.MTIAGraph()
torch.mtia.default_generators
torch.xpu.is_available()
torch.xpu.device_count()
torch.xpu.is_initialized()
torch.xpu.is_bf16_supported()
torch.xpu.manual_seed(1)
torch.xpu.manual_seed_all(1)
torch.xpu.empty_cache()
torch.xpu.memory_allocated()
torch.xpu.memory_stats()
torch.xpu.memory_snapshot()
torch.xpu.current_device()
torch.xpu.synchronize()
torch.xpu.get_device_name()
torch.xpu.get_rng_state()
torch.xpu.get_rng_state_all()
torch.xpu.Stream()
torch.cpu.is_available()
torch.cpu.is_initialized()
torch.cpu.device_count()
torch.cpu.current_device()
torch.cpu.set_device("cpu")
torch.cpu.synchronize()
torch.cpu.Event().query()
s = torch.cpu.Stream()
with torch.cpu.stream(s): print(torch.cpu.current_stream() is s)
torch.cpu.current_stream() is s
"""

DEVICE = """
torch.device("cuda")
torch.device("cuda:0")
torch.device("cuda", 1)
torch.device(type="cuda", index=2)
torch.device(torch.device("mps"))
str(torch.device("cuda:1"))
torch.device("cuda:0") == torch.device("cuda", 0)
torch.device("cuda") == torch.device("cuda", 0)
hash(torch.device("cuda")) == hash(torch.device("cuda"))
torch.device("xyz")
torch.device("cuda:x")
torch.device("cuda:-1")
torch.device("cuda:1", 1)
torch.device("")
torch.device(0)
torch.ones(2, device="cuda")
torch.ones(2, device=torch.device("cuda:1"))
torch.ones(2, device="xpu")
torch.ones(2, device="mtia")
torch.ones(2, device="cpu:0").device
torch.ones(2, device=0)
torch.ones(2).to("cuda")
torch.ones(2).to(0)
torch.ones(2).to(torch.device("xpu", 0))
torch.ones(2).to(device="cuda", dtype=torch.float64)
torch.ones(2).cuda()
torch.ones(2).xpu()
torch.ones(2).mtia()
torch.ones(2).ipu()
torch.ones(2).cuda("cpu")
torch.ones(2).cpu()
torch.nn.Linear(2, 2).cuda()
torch.nn.Linear(2, 2).xpu()
torch.nn.Linear(2, 2).ipu()
torch.nn.Linear(2, 2).mtia()
torch.nn.Linear(2, 2).to("cuda")
torch.nn.Linear(2, 2).to(torch.device("cpu"))
torch.nn.Linear(2, 2, device="cuda")
torch.nn.Sequential().cuda()
torch.nn.Sequential().to("cuda")
torch.nn.Sequential().to("mps")
torch.ones(2).is_cuda
torch.ones(2).is_cpu
torch.ones(2).is_mps
torch.ones(2).is_xpu
torch.ones(2).is_meta
torch.ones(2).is_ipu
torch.ones(2).is_vulkan
torch.ones(2).is_mtia
torch.ones(2).is_maia
torch.ones(2).is_xla
torch.ones(2).get_device()
torch.get_device(torch.ones(2))
torch.ones(2).is_pinned()
torch.ones(2).is_shared()
torch.ones(2).pin_memory()
torch.ones(2, pin_memory=True)
torch.get_device_module().__name__
torch.get_device_module("cuda").__name__
torch.get_device_module("mps").__name__
torch.get_device_module("hpu")
"""

STREAMS = """
s = torch.Stream()
s
(s.device, s.device_index, s.device_type, s.stream_id, s.query())
s.synchronize()
s.wait_event(torch.Event())
s.wait_stream(torch.Stream())
s.record_event()
s == torch.Stream("cpu")
with torch.Stream() as t: print(t)
torch.Stream("cuda:0")
torch.Stream(3)
e = torch.Event()
e
(e.device, e.event_id, e.query())
e.record()
e.wait()
e.synchronize()
e.elapsed_time(torch.Event())
torch.Event("cpu", enable_timing=True)
torch.Event("cuda")
torch.cuda.FloatStorage.__name__
torch.utils.deterministic.fill_uninitialized_memory
torch.utils.deterministic.fill_uninitialized_memory = False
torch.utils.deterministic.fill_uninitialized_memory
torch.utils.deterministic.fill_uninitialized_memory = "x"
torch.utils.deterministic.fill_uninitialized_memory = True
torch.set_anomaly_enabled(True)
(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
torch.set_anomaly_enabled(True, False)
(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
torch.set_anomaly_enabled(False)
torch.set_anomaly_enabled("x")
torch.set_anomaly_enabled(False, 3)
"""

DEFAULT = """
torch.get_default_device()
torch.set_default_device("cpu")
torch.get_default_device()
torch.set_default_device("cuda")
torch.get_default_device()
torch.ones(2)
torch.tensor([1.0])
torch.arange(3)
torch.randn(2)
torch.as_tensor([1.0])
torch.nn.Linear(2, 2)
torch.ones(2, device="cpu")
torch.zeros_like(torch.ones(2, device="cpu"))
torch.ones(1, device="cpu").new_zeros(2)
torch.Tensor([1.0])
with torch.device("cpu"): print(torch.ones(2).device, torch.get_default_device())
torch.set_default_device("xyz")
torch.set_default_device(None)
torch.get_default_device()
torch.ones(2)
with torch.device("cuda"): print(end="")
with torch.device("cuda"): torch.ones(2)
torch.ones(2)
with torch.device("cuda"), torch.device("cpu"): print(torch.ones(2))
with torch.device("cpu") as d: print(d)
torch.set_default_device(3)
"""


@pytest.mark.parametrize(
    "lines", [CUDA, OTHERS, DEVICE, STREAMS, DEFAULT], ids=["cuda", "others", "device", "streams", "default"]
)
def test_calls_are_answered_as_in_pytorchs_cpu_build(lines):
    check_transcript(lines)


# What fails in PyTorch because a function of its C++ part is absent: npg says why.
WITHOUT_CUDA = """
memory_summary() memory_snapshot() reset_peak_memory_stats() reset_accumulated_memory_stats() get_allocator_backend()
utilization() temperature() power_draw() clock_rate() memory_usage() set_device(0)
set_device("cuda:0") caching_allocator_delete(0) device_memory_used() check_error(0) change_current_allocator(None)
set_stream(1) reset_peak_host_memory_stats() reset_accumulated_host_memory_stats() ExternalStream(0)
"""


@pytest.mark.parametrize("call", WITHOUT_CUDA.split())
def test_what_needs_cuda_says_so(call):
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        eval("npg.cuda." + call)
    with pytest.raises((AttributeError, KeyError, ImportError, TypeError)):
        eval("torch.cuda." + call)


def test_what_needs_a_device_of_a_module_that_is_there_says_so():
    for module in (npg.cuda.tunable, npg.cuda.comm, npg.cuda.gds):
        for name in module.__all__:
            with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
                getattr(module, name)()
    for block in (npg.mps.profiler.profile(), npg.mps.profiler.metal_capture("file")):
        with pytest.raises(RuntimeError, match="without MPS backend"), block:
            pass


def test_what_the_processor_can_do_is_told_by_pytorchs_names():
    ours, theirs = npg.cpu.get_capabilities(), torch.cpu.get_capabilities()
    both = set(ours) & set(theirs)
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}
    assert {"architecture", "num_logical_cores"} < both and len(both) > 5
    with pytest.raises(TypeError):
        ours["avx"] = True


@pytest.mark.parametrize("block", [npg.cuda.device(0), npg.cuda.device("cuda"), npg.cuda.stream(1), npg.xpu.device(0)])
def test_a_block_on_a_device_that_is_not_there_cannot_be_entered(block):
    with pytest.raises(AssertionError, match="not compiled"), block:
        pass


NOT_OF_CUDA = "GreenContext cudaStatus jiterator sparse"
MODULES = [
    ("cuda", NOT_OF_CUDA, ""),
    ("cuda.memory", "", ""),
    ("cuda.random", "", ""),
    ("cuda.amp", "", ""),
    ("cuda.nvtx", "", ""),
    ("cuda.nccl", "", ""),
    ("cuda.tunable", "", ""),
    ("cuda.comm", "", ""),
    ("cuda.gds", "", ""),
    ("accelerator", "", ""),
    ("mps", "", ""),
    ("mps.profiler", "", ""),
    ("mtia", "", ""),
    ("xpu", "streams", ""),
    ("cpu", "", ""),
    ("cpu.amp", "", ""),
    ("amp", "", ""),
    ("backends", "", ""),
    ("backends.cpu", "", ""),
    ("backends.cuda", "preferred_rocm_fa_library cuFFTPlanCacheAttrContextProp", ""),
    ("backends.cudnn", "", ""),
    ("backends.mkl", "", ""),
    ("backends.mkldnn", "", ""),
    ("backends.mps", "", ""),
    ("backends.nnpack", "", ""),
    ("backends.openmp", "", ""),
    ("backends.opt_einsum", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "absent", "other"), MODULES, ids=[m[0] for m in MODULES])
def test_modules_have_pytorchs_names_and_parameters(path, absent, other):
    check_names(path, absent, other)


def test_tensors_of_a_device_cannot_be_the_default():
    with pytest.raises(TypeError, match="type npg.cuda.FloatTensor not available. Torch not compiled with CUDA"):
        npg.set_default_tensor_type("npg.cuda.FloatTensor")


def test_default_device_is_of_one_thread():
    seen = []
    with npg.device("cuda"):
        thread = threading.Thread(target=lambda: seen.append(npg.ones(2).tolist()))
        thread.start()
        thread.join()
    assert seen == [[1.0, 1.0]]


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:3", "mps", "meta"])
def test_devices_are_pickled(name):
    twin = pickle.loads(pickle.dumps(npg.device(name)))
    assert twin == npg.device(name) and str(twin) == str(torch.device(name))
