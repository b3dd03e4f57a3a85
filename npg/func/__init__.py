"""Function transforms, which nest freely: gradients, Jacobians and maps over a batch. Source: torch.func."""

from npg.func._batching import vmap_report
from npg.func._derivatives import grad, grad_and_value, jvp, value_and_grad, vjp
from npg.func._functional_call import functional_call, replace_all_batch_norm_modules_, stack_module_state
from npg.func._jacobians import hessian, jacfwd, jacrev
from npg.func._vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
    "vmap_report",
]
