"""The names of torch that an eager library on the CPU answers without computing, and what each of them does here.

One place says it: the first sentence of a function's or a class's docstring. `npg run --list` prints the table, and
tools/as_torch_table.py writes it into docs/torch_names.md.
"""

from __future__ import annotations

import sys
import textwrap
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from npg._naming import named

# Modules that are only there to answer: all their names are listed.
MODULES = (
    "cuda", "cuda.amp", "cuda.comm", "cuda.gds", "cuda.graphs", "cuda.nccl", "cuda.nvtx", "cuda.profiler",
    "cuda.tunable", "accelerator", "mps", "mps.profiler", "mtia", "xpu", "cpu", "cpu.amp", "amp", "backends",
    "backends.cpu", "backends.cuda", "backends.cudnn", "backends.cusparselt", "backends.kleidiai",
    "backends.mha", "backends.miopen", "backends.mkl", "backends.mkldnn", "backends.mps", "backends.nnpack",
    "backends.openmp", "backends.opt_einsum", "compiler", "_dynamo", "jit", "fx", "export", "onnx",
    "onnx.symbolic_helper", "futures",
    "hub", "utils.cpp_extension", "utils.mobile_optimizer", "utils.model_zoo", "multiprocessing.spawn",
    "nn.attention", "ao.quantization", "_dynamo.utils", "utils.flop_counter",
    "__config__", "_logging",
)  # fmt: skip
# Names of other modules.
NAMES = """
compile device get_default_device set_default_device
use_deterministic_algorithms are_deterministic_algorithms_enabled is_deterministic_algorithms_warn_only_enabled
set_deterministic_debug_mode get_deterministic_debug_mode
set_float32_matmul_precision get_float32_matmul_precision set_num_interop_threads get_num_interop_threads
set_flush_denormal set_warn_always is_warn_always_enabled compiled_with_cxx11_abi get_device_module
autocast is_autocast_enabled set_autocast_enabled get_autocast_dtype set_autocast_dtype is_autocast_cache_enabled
set_autocast_cache_enabled clear_autocast_cache autocast_increment_nesting autocast_decrement_nesting
Tensor.cuda Tensor.xpu Tensor.mtia Tensor.ipu Tensor.cpu Tensor.pin_memory Tensor.is_pinned Tensor.get_device
Tensor.share_memory_ Tensor.is_shared Tensor.record_stream Tensor.bfloat16 Tensor.chalf Tensor.cfloat Tensor.cdouble
Tensor.to_dense Tensor.sparse_dim Tensor.is_coalesced Tensor.coalesce Tensor.indices Tensor.values
autograd.set_multithreading_enabled autograd.is_multithreading_enabled autograd.is_view_replay_enabled
SymInt SymFloat SymBool
nn.parallel.DataParallel distributed.is_nccl_available distributed.is_gloo_available
nn.Module.cuda nn.Module.xpu nn.Module.mtia nn.Module.ipu nn.Module.cpu nn.Module.compile nn.Module.share_memory
""".split()


class Row(NamedTuple):
    """Names of one module that do the same, and what that is."""

    module: str
    names: tuple[str, ...]
    does: str

    def __str__(self) -> str:
        return f"torch.{self.module + '.' if self.module else ''}{', '.join(self.names)}"


def rows() -> list[Row]:
    """Return the table: for each module, the names that do the same together."""
    table = []
    for path in MODULES:
        module = import_module(f"npg.{path}")
        table += _grouped(path, {name: getattr(module, name) for name in public_names(module)})
    root: Any = sys.modules["npg"]
    own: dict[str, Any] = {}
    for name in NAMES:
        value = root
        for part in name.split("."):
            value = getattr(value, part)
        own[name] = value
    return _grouped("", own) + table


def public_names(module: ModuleType) -> list[str]:
    """Return what a module lists, or what it defines: functions and classes, with docstrings."""
    listed = getattr(module, "__all__", None)
    names = [name for name in vars(module) if name[0] != "_"] if listed is None else listed
    values = {name: getattr(module, name) for name in names}
    return [
        name
        for name, value in values.items()
        if callable(value)
        and not isinstance(value, ModuleType)
        and (listed is not None or _home(value) == _home(module))
        and value.__module__ != "typing"
    ]


def _home(value: Any) -> str:
    """Return the module in which something is defined, without the name of the library."""
    name = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
    return name.partition(".")[2]


def _grouped(module: str, values: dict[str, Any]) -> list[Row]:
    groups: dict[str, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(sentence(value), []).append(name)
    return [Row(module, tuple(names), text) for text, names in groups.items()]


def sentence(value: Any) -> str:
    """Return the first sentence of a docstring, without its full stop."""
    first = (value.__doc__ or "").strip().partition("\n")[0]
    first = first.partition(" Source:")[0].rstrip(".")
    return first.partition(". ")[0] if len(first) > 175 else first  # PyTorch's error texts may have several


# ----- As text -----


def main() -> int:
    """Print the table."""
    for row in rows():
        print("\n".join(textwrap.wrap(str(row), 118, subsequent_indent="    ")))
        print(textwrap.indent("\n".join(textwrap.wrap(named(row.does), 110)), "        "))
    return 0


def markdown() -> str:
    """Return the table for docs/torch_names.md."""
    lines = ["| name | what it does here |", "| --- | --- |"]
    for row in rows():
        prefix = f"torch.{row.module}." if row.module else "torch."
        names = ", ".join(f"`{name}`" for name in (prefix + row.names[0], *row.names[1:]))
        lines.append(f"| {names} | {row.does.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, ""])
