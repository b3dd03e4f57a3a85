"""The engine in plain Python: the text to read first, the fallback where nothing was compiled, the baseline for timing.

`csrc/engine.pyx` has the same names and does the same things in the same order; tests compare the two bit for bit.

A *node* stands for one call of an op. It holds what the op's backward rule will need, and for each input an *edge* to
where that input came from: the node that produced it, or the tensor itself if that is a leaf. Nodes are numbered in the
order of their creation (`seq`), so an edge always leads from a higher number to a lower one. That makes the backward
pass simple: keep the nodes that gradients have reached in a heap, and always run the one with the highest number. By
then its gradient is complete, because every node that contributes to it has a higher number and has already run.

Read in this order: tensor.py, node.py and recording.py make the graph, applying.py and in_place.py run the forward,
vjp.py and backward.py the backward.
"""

from npg._contextlib import Block as Block
from npg.engine._python.applying import (
    apply as apply,
    apply_linear as apply_linear,
    apply_transpose as apply_transpose,
    apply_view as apply_view,
)
from npg.engine._python.backward import run_backward as run_backward
from npg.engine._python.function import Function as Function, write_out as write_out
from npg.engine._python.in_place import (
    apply_in_place as apply_in_place,
    attach as attach,
    bump_version as bump_version,
    check_in_place as check_in_place,
)
from npg.engine._python.modes import (
    ModeBlock as ModeBlock,
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
    set_grad_mode as set_grad_mode,
    set_inference_mode as set_inference_mode,
    set_interceptor as set_interceptor,
    switches as switches,
)
from npg.engine._python.node import Node as Node
from npg.engine._python.tensor import (
    TensorBase as TensorBase,
    VersionCounter as VersionCounter,
    register_operators as register_operators,
    register_tensor_class as register_tensor_class,
    wrap as wrap,
)

name = "python"
