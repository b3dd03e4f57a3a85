"""Settings that choose how PyTorch computes: kept, checked as in PyTorch, and without effect."""

import pytest
import torch

import npg
from npg.backends import _settings
from tests.transcripts import check_transcript

DETERMINISTIC = """
torch.are_deterministic_algorithms_enabled()
torch.use_deterministic_algorithms(True)
torch.are_deterministic_algorithms_enabled()
torch.is_deterministic_algorithms_warn_only_enabled()
torch.get_deterministic_debug_mode()
torch.use_deterministic_algorithms(True, warn_only=True)
torch.is_deterministic_algorithms_warn_only_enabled()
torch.get_deterministic_debug_mode()
torch.set_deterministic_debug_mode("default")
torch.are_deterministic_algorithms_enabled()
torch.set_deterministic_debug_mode("x")
torch.set_deterministic_debug_mode(5)
torch.set_deterministic_debug_mode(1.0)
torch.set_deterministic_debug_mode(2)
torch.get_deterministic_debug_mode()
torch.set_deterministic_debug_mode("warn")
torch.get_deterministic_debug_mode()
torch.use_deterministic_algorithms("x")
torch.get_deterministic_debug_mode()
torch.use_deterministic_algorithms(False)
torch.get_deterministic_debug_mode()
"""

PRECISION = """
torch.get_float32_matmul_precision()
torch.backends.cuda.matmul.allow_tf32
torch.backends.cuda.matmul.fp32_precision
torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cuda.matmul.allow_tf32
torch.get_float32_matmul_precision()
torch.set_float32_matmul_precision("highest")
torch.backends.cuda.matmul.allow_tf32
torch.set_float32_matmul_precision("high")
(torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision)
torch.set_float32_matmul_precision("medium")
(torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision)
torch.set_float32_matmul_precision("x")
torch.get_float32_matmul_precision()
torch.set_float32_matmul_precision("highest")
torch.backends.cuda.matmul.fp32_precision
torch.backends.cuda.matmul.foo
torch.backends.cuda.matmul.foo = 1
torch.backends.cuda.matmul.allow_tf32 = "x"
torch.backends.cuda.matmul.fp32_precision = "x"
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = True
torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
"""

BACKENDS = """
torch.backends.cudnn.is_available()
torch.backends.cudnn.version()
torch.backends.cudnn.is_acceptable(torch.ones(1))
sorted(map(str, torch.backends.cudnn.CUDNN_TENSOR_DTYPES))
(torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic)
(torch.backends.cudnn.benchmark_limit, torch.backends.cudnn.allow_tf32)
torch.backends.cudnn.conv.fp32_precision
torch.backends.cudnn.benchmark = True
torch.backends.cudnn.deterministic = True
(torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic)
torch.backends.cudnn.benchmark = "x"
torch.backends.cudnn.enabled = 3
torch.backends.cudnn.deterministic = None
torch.backends.cudnn.allow_tf32 = False
(torch.backends.cudnn.allow_tf32, torch.backends.cudnn.conv.fp32_precision)
torch.backends.cudnn.allow_tf32 = True
torch.backends.cudnn.anything = 1
torch.backends.cudnn.anything
with torch.backends.cudnn.flags(enabled=False): print(torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark)
(torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic)
torch.backends.cudnn.set_flags(_benchmark=False, _deterministic=False)
(torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic)
torch.backends.cudnn.benchmark_limit = 4
torch.backends.cuda.is_built()
torch.backends.cuda.is_flash_attention_available()
torch.backends.cuda.flash_sdp_enabled()
torch.backends.cuda.enable_flash_sdp(False)
torch.backends.cuda.flash_sdp_enabled()
torch.backends.cuda.enable_flash_sdp("x")
torch.backends.cuda.enable_flash_sdp(True)
torch.backends.cuda.enable_mem_efficient_sdp(True)
torch.backends.cuda.enable_math_sdp(True)
(torch.backends.cuda.math_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled())
torch.backends.cuda.preferred_linalg_library()
torch.backends.cuda.preferred_linalg_library("magma")
torch.backends.cuda.preferred_linalg_library("x")
torch.backends.cuda.preferred_blas_library()
torch.backends.cuda.cufft_plan_cache.max_size
torch.backends.cuda.cufft_plan_cache.clear()
torch.backends.cuda.cufft_plan_cache[0]
torch.backends.mps.is_available()
torch.backends.mps.is_built()
torch.backends.mps.is_macos13_or_newer()
torch.backends.mkldnn.enabled
torch.backends.mkldnn.enabled = False
torch.backends.mkldnn.enabled
torch.backends.mkldnn.enabled = "x"
torch.backends.mkldnn.enabled = True
with torch.backends.mkldnn.flags(enabled=False): print(torch.backends.mkldnn.enabled)
torch.backends.mkldnn.is_acl_available()
torch.backends.cusparselt.is_available()
torch.backends.kleidiai.is_available()
torch.backends.miopen.immediate
torch.backends.mha.get_fastpath_enabled()
torch.backends.mha.set_fastpath_enabled(False)
torch.backends.mha.get_fastpath_enabled()
torch.backends.mha.set_fastpath_enabled(True)
torch.backends.quantized.engine = "x"
torch.backends.cpu.get_cpu_capability()
"""

# As PyTorch answers where the library is absent: npg.einsum finds an order of products by itself.
OPT_EINSUM = """
torch.backends.opt_einsum.is_available()
torch.backends.opt_einsum.enabled
torch.backends.opt_einsum.enabled = False
torch.backends.opt_einsum.strategy
torch.backends.opt_einsum.get_opt_einsum()
"""

OTHERS = """
torch.set_num_interop_threads(0)
torch.set_num_interop_threads("x")
torch.set_flush_denormal(1)
torch.is_warn_always_enabled()
torch.set_warn_always(True)
torch.is_warn_always_enabled()
torch.set_warn_always(1)
float(torch.ones((), requires_grad=True))
float(torch.ones((), requires_grad=True))
torch.set_warn_always(False)
torch.is_warn_always_enabled()
torch.compiled_with_cxx11_abi()
torch.typename(torch.ones(2))
torch.typename(1)
torch.typename(int)
torch.typename("s")
torch.typename(torch.nn.Linear(1, 1))
torch.typename(torch.nn.Linear)
"""


@pytest.mark.parametrize(
    "lines", [DETERMINISTIC, PRECISION, BACKENDS, OTHERS], ids=["deterministic", "precision", "backends", "others"]
)
def test_settings_are_kept_and_checked_as_in_pytorch(lines, monkeypatch):
    # PyTorch's own test utilities, which other tests import, freeze its flags.
    monkeypatch.setitem(torch.backends.disable_global_flags.__globals__, "__allow_nonbracketed_mutation_flag", True)
    check_transcript(lines)


@pytest.mark.skipif(torch.backends.opt_einsum.is_available(), reason="opt_einsum is installed")
def test_settings_of_opt_einsum_are_those_of_pytorch_without_it():
    check_transcript(OPT_EINSUM)


def test_what_npg_does_not_have_is_not_available():
    backends = npg.backends
    assert not any(
        module.is_available() for module in (backends.mkl, backends.mkldnn, backends.openmp, backends.nnpack)
    )
    assert backends.quantized.engine == "none" and not backends.xnnpack.enabled
    with pytest.raises(RuntimeError, match="quantized engine FBGEMM is not supported"):
        backends.quantized.engine = "fbgemm"
    assert npg.set_flush_denormal(True) is False


def test_opt_einsum_is_not_what_einsum_works_with():
    with pytest.raises(ValueError, match="opt_einsum is not available"):
        npg.backends.opt_einsum.set_flags(True)


def test_interop_threads_are_set_once(monkeypatch):
    monkeypatch.setattr(_settings, "_interop", None)
    npg.set_num_interop_threads(2)
    assert npg.get_num_interop_threads() == 2
    with pytest.raises(RuntimeError, match="cannot set number of interop threads after"):
        npg.set_num_interop_threads(3)


def test_frozen_flags_are_changed_in_blocks_only(monkeypatch):
    monkeypatch.setattr(npg.backends._flags, "frozen", True)
    assert npg.backends.flags_frozen()
    with pytest.raises(RuntimeError, match="after disable_global_flags"):
        npg.backends.cudnn.benchmark = True
    with npg.backends.cudnn.flags(benchmark=True):
        assert npg.backends.cudnn.benchmark
    assert not npg.backends.cudnn.benchmark
