"""Error texts that several places raise: in PyTorch's words where it has any, because people search for them."""

from __future__ import annotations

import sys
import warnings

from npg._naming import is_own, named

FREED_GRAPH = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)
NO_GRAPH = "element {index} of tensors does not require grad and does not have a grad_fn"
MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[npg.{kind}Tensor {shape}]{source} is at version {version}; expected version {expected} instead. "
    "Hint: {node} saved it as its {place}; clone() it before it is changed in place."
)
NO_TORCHSCRIPT = "npg has no TorchScript; save the state_dict with npg.save, and the module as Python code"
LEAF_IN_PLACE = "a leaf Variable that requires grad is being used in an in-place operation."
LEAF_VIEW_IN_PLACE = "a view of a leaf Variable that requires grad is being used in an in-place operation."
MULTI_VIEW_IN_PLACE = (
    "{output} is a view and {what} modified inplace. This view is the output of a function that "
    "returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace "
    "the inplace operation by an out-of-place one."
)
CUSTOM_VIEW_IN_PLACE = (
    "{output} is a view and {what} modified inplace. This view was created inside a custom Function (or because an "
    "input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward "
    "associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this "
    "by cloning the output of the custom Function."
)
NO_GRAD_VIEW_IN_PLACE = (
    "{view} was created in no_grad mode and {what} modified inplace with grad mode enabled. Given that this use case "
    "is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
    "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want "
    "the inplace to be tracked)."
)
INDIRECTLY = "its base or another view of its base has been"
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and "
    "use it in autograd."
)
INFERENCE_IN_PLACE = (
    "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal "
    "tensor before doing inplace update."
)
INFERENCE_REQUIRES_GRAD = "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
UNUSED_INPUT = (
    "The differentiated Tensor at index {index} appears to not have been used in the graph. Set allow_unused=True if "
    "this is the desired behavior."
)
INPUT_WITHOUT_GRAD = "One of the differentiated Tensors does not require grad"
EMPTY_INPUTS = "`inputs` argument to `backward()` cannot be empty."
ONLY_SCALARS = "grad can be implicitly created only for scalar outputs"
GRADIENT_SHAPE = (
    "Mismatch in shape: grad_output[{index}] has a shape of {given} and output[{index}] has a shape of {expected}."
)
RETAIN_LEAFLESS = "can't retain_grad on Tensor that has requires_grad=False"
HOOK_WITHOUT_GRAD = "cannot register a hook on a tensor that doesn't require gradient"
POST_HOOK_RETURNS = "Tensor post accumulate grad hooks should return None."
POST_HOOK_NOT_LEAF = "post accumulate grad hooks cannot be registered on non-leaf tensors"
FLOAT_ONLY = "only Tensors of floating point and complex dtype can require gradients"
NOT_LEAF_FLAG = (
    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph "
    "that doesn't require differentiation use var_no_grad = var.detach()."
)
NOT_A_TENSOR = "{name}(): argument '{argument}' (position {position}) must be Tensor, not {kind}"
NO_CAST_IN_PLACE = "result type {result} can't be cast to the desired output type {wanted}"
OUT_WITH_GRAD = (
    "{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
    "requires grad."
)
OUT_DTYPE = "Expected out tensor to have dtype {c_result}, but got {c_wanted} instead"
OUT_SCALAR_TYPE = "expected scalar_type {result} but found {wanted}"
OUT_OF_TENSORDOT = (
    "tensordot: Expected the output tensor to have dtype {result}, but got an output tensor with dtype {wanted}"
)
OUT_DTYPE_FOUND = "Found dtype {wanted} but expected {result}"
OUT_NOT_A_TENSOR = "{name}(): argument 'out' must be Tensor, not {kind}"
OUT_RESIZED = (
    "An output with one or more elements was resized since it had shape {old}, which does not match the required "
    "output shape {new}. This behavior is deprecated, and in a future PyTorch release outputs will not be resized "
    "unless they have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero "
    "elements with t.resize_(0)."
)
OVERLAP_IN_PLACE = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)
READ_ONLY = "output array is read-only"  # a ValueError in NumPy's words
PARTIAL_OVERLAP_IN_PLACE = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)
SIZE_MISMATCH = (
    "The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension {dimension}"
)
BROADCAST_IN_PLACE = "output with shape {shape} doesn't match the broadcast shape {broadcast}"
HOOK_KIND = "expected {expected}, but hook returned '{kind}'"
HOOK_REPLACES_NONE = "can't replace a None gradient with a non-None value"
HOOK_COUNT = "hook '{hook}' has returned an incorrect number of values (got {given}, but expected {expected})"
HOOK_SHAPE = "hook '{hook}' has changed the size of value: expected {expected}, got {given}"
HOOK_DTYPE = "hook '{hook}' has changed the type of value (was npg.{expected}Tensor got npg.{given}Tensor)"


class LinAlgError(RuntimeError):
    """Raised when a matrix is singular or not positive-definite, or an algorithm does not converge.

    Source: torch.linalg.LinAlgError.
    """

    __module__ = "npg.linalg"


class OutOfMemoryError(RuntimeError):
    """Raised by PyTorch when a device has no memory left. npg raises Python's MemoryError, and never this one.

    Source: torch.OutOfMemoryError.
    """

    __module__ = "npg"


class AcceleratorError(RuntimeError):
    """Raised by PyTorch when a device fails; npg never raises it. Source: torch.AcceleratorError."""

    __module__ = "npg"


warn_always = False  # see npg.set_warn_always
_given: set[str] = set()  # the warnings that are given once per process


def warn_once(text: str) -> None:
    """Issue a warning that is given once per process."""
    if warn_always or text not in _given:
        _given.add(text)
        warn(text)


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the line of the user's code that called npg."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and is_own(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(named(text), category, stacklevel=level)
