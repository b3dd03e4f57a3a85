"""Where torch has what npg defines elsewhere: for names while npg is served as torch, and for those in pickles."""

from __future__ import annotations

import functools

# By npg's module and a name of it: torch's module for that name.
NAMES = {
    ("npg.autograd", "Variable"): "torch.autograd.variable",
    ("npg.distributed._work", "DistBackendError"): "torch.distributed",
    ("npg.distributed._work", "DistError"): "torch.distributed",
    ("npg.distributed._work", "DistNetworkError"): "torch.distributed",
    ("npg.distributed._work", "DistStoreError"): "torch.distributed",
    ("npg.distributed._work", "QueueEmptyError"): "torch.distributed",
    ("npg.distributed._reducer", "GradBucket"): "torch.distributed.distributed_c10d",
    ("npg.distributed._reductions", "ReduceOp"): "torch.distributed.distributed_c10d",
    ("npg.distributed._stores", "FileStore"): "torch.distributed.distributed_c10d",
    ("npg.distributed._stores", "HashStore"): "torch.distributed.distributed_c10d",
    ("npg.distributed._stores", "PrefixStore"): "torch.distributed.distributed_c10d",
    ("npg.distributed._stores", "Store"): "torch.distributed.distributed_c10d",
    ("npg.distributed._stores", "TCPStore"): "torch.distributed.distributed_c10d",
    ("npg.distributed._work", "Work"): "torch.distributed.distributed_c10d",
    ("npg.engine._hooks", "RemovableHandle"): "torch.utils.hooks",
    ("npg.functional.generator", "Generator"): "torch._C",
    ("npg.optim.adam", "AdamW"): "torch.optim.adamw",
    ("npg.profiler._recorder", "record_function"): "torch.autograd.profiler",
    ("npg.random._standing_in", "fork_rng"): "torch.random",
    ("npg.tensor.gradients", "GradientEdge"): "torch.autograd.graph",
    ("npg.tensor.gradients", "backward"): "torch.autograd",
    ("npg.tensor.gradients", "grad"): "torch.autograd",
}
# By the beginning of the name of npg's module, the longest first: torch's module for all that is public there.
FILES = {
    "npg._errors": "torch",
    "npg._symbolic": "torch",
    "npg.creation": "torch",
    "npg.dtypes": "torch",
    "npg.engine._modes": "torch.autograd.grad_mode",
    **dict.fromkeys(
        [
            f"npg.distributed.{name}"
            for name in ("_collectives", "_exchanges", "_groups", "_making", "_messages", "_objects")
        ],
        "torch.distributed.distributed_c10d",
    ),
    "npg.func": "torch.func",
    "npg.functional": "torch.functional",
    "npg.functional.linalg": "torch.linalg",
    "npg.functional.linalg_norms": "torch.linalg",
    "npg.functional.linalg_solvers": "torch.linalg",
    "npg.functional._attributes": "torch",
    "npg.functional.generator": "torch",
    "npg.functional.nn": "torch.nn.functional",
    "npg.nn.attention._block_mask": "torch.nn.attention.flex_attention",
    "npg.nn.attention._registry": "torch.nn.attention",
    "npg.nn.modules.multi_head_attention": "torch.nn.modules.activation",
    "npg.nn.modules.parameter_container": "torch.nn.modules.container",
    "npg.nn.modules.rnn_cell": "torch.nn.modules.rnn",
    "npg.nn.modules.transformer_layers": "torch.nn.modules.transformer",
    "npg.optim.lr_scheduler": "torch.optim.lr_scheduler",
    "npg.profiler._events": "torch.autograd.profiler_util",
    "npg.serialization._file_reader": "torch",
    "npg.utils._exceptions": "torch._utils",
    "npg.utils.benchmark.compare": "torch.utils.benchmark.utils.compare",
    "npg.utils.benchmark.measurement": "torch.utils.benchmark.utils.common",
    "npg.utils.benchmark.timing": "torch.utils.benchmark.utils.timer",
}
# The packages whose files are npg's own: a class of theirs stands in none of torch's modules.
FUNCTIONS = ("npg.func", "npg.functional")
# Modules of torch whose names stand elsewhere in npg.
PLACES = {
    "torch._tensor": "npg.tensor.tensor",
    "torch._tensor_str": "npg.tensor.printing",
    "torch.autograd.grad_mode": "npg.autograd",
    "torch.autograd.profiler_util": "npg.profiler._events",
    "torch.autograd.variable": "npg.autograd",
    "torch.distributed.distributed_c10d": "npg.distributed",
    "torch.mps.event": "npg.mps",
    "torch.mtia.memory": "npg.mtia",
    "torch.mtia.mtia_graph": "npg.mtia",
    "torch.nn.utils.stateless": "npg.func",
    "torch.optim.adamw": "npg.optim.adam",
    "torch.return_types": "npg.functional.return_types",
    "torch.utils.benchmark.utils": "npg.utils.benchmark",
    "torch.utils.benchmark.utils.compare": "npg.utils.benchmark.compare",
    "torch.utils.benchmark.utils.common": "npg.utils.benchmark",
    "torch.utils.benchmark.utils.timer": "npg.utils.benchmark.timing",
    "torch.utils.tensorboard.writer": "npg.utils.tensorboard",
    "torch.xpu.graphs": "npg.xpu",
    "torch.xpu.memory": "npg.xpu",
    "torch.xpu.random": "npg.xpu",
    "torch.xpu.streams": "npg.xpu",
}


@functools.cache
def part_of(module: str) -> str:
    """Return the longest beginning of the name of npg's module that FILES has, or none."""
    while module and module not in FILES:
        module = module.rpartition(".")[0]
    return module


def home_of_class(module: str, name: str) -> str | None:
    """Return torch's module for a class of npg's module, None where that has the same name after `torch`."""
    if (module, name) in NAMES:
        return NAMES[module, name]
    part = part_of(module)
    return None if part in ("", *FUNCTIONS) else FILES[part]
