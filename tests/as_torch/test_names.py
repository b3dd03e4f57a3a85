"""Names under npg.as_torch: what reprs, types, pickles and errors print is what torch prints; and back after it."""

import functools
import pickle

import pytest
import torch

from tests.as_torch.commands import both, run

# Each line is run alone under both, and its output or error compared.
LINES = """
torch.__name__, torch.nn.__name__, torch.nn.functional.__name__, torch.optim.lr_scheduler.__name__
torch.float32, torch.int64, torch.bool, torch.uint8, torch.half
torch.Size([2, 3]), torch.Size([])
torch.FloatTensor, torch.LongTensor, torch.Tensor
torch.ones(2).type(), torch.ones(2).bool().type()
torch.strided, torch.contiguous_format, torch.channels_last
torch.device("cpu"), str(torch.device("cpu")), type(torch.device("cpu"))
type(torch.float32), type(torch.Size([1])), type(torch.strided), type(torch.contiguous_format)
torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.int32), torch.zeros(0, 3, dtype=torch.float64)
torch.arange(30, dtype=torch.float64).reshape(3, 10) / 7
torch.ones(12, dtype=torch.float64, requires_grad=True) * 100000
torch.nn.Linear(2, 3), torch.nn.Linear, torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU())
torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter, type(torch.nn.Parameter(torch.ones(2)))
torch.nn.Module, torch.nn.ReLU, torch.nn.CrossEntropyLoss, torch.nn.Dropout, torch.nn.LayerNorm, torch.nn.Embedding
torch.nn.ModuleList, torch.nn.ParameterList, torch.nn.modules.container.Sequential, torch.nn.Flatten
torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.LBFGS, torch.optim.Optimizer
torch.optim.lr_scheduler.StepLR, torch.optim.lr_scheduler.OneCycleLR, torch.optim.lr_scheduler.ReduceLROnPlateau
torch.optim.SGD([torch.ones(1)], lr=0.1)
torch.no_grad, torch.enable_grad, torch.inference_mode, torch.set_grad_enabled
torch.autograd.Function, torch.autograd.Variable, torch.autograd.grad_mode.no_grad
torch.max(torch.ones(2, 2), 0), torch.sort(torch.tensor([2.0, 1.0])), torch.return_types.max
torch.iinfo(torch.int8), torch.finfo(torch.float32).dtype
torch.typename(torch.ones(1)) if hasattr(torch, "typename") else "torch.FloatTensor"
torch.nn.functional.relu.__module__, torch.nn.functional.cross_entropy.__module__, torch.nn.init.normal_.__module__
torch.autograd.grad.__module__, torch.autograd.backward.__module__, torch.func.grad.__module__
torch.nn.utils.clip_grad_norm_.__module__, torch.einsum.__module__, torch.split.__module__
repr((torch.ones(2, requires_grad=True) * 2).grad_fn)[:20]
torch.version.cuda, torch.version.hip, torch.version.debug
torch.__version__ >= "2.1", torch.__version__ > (2, 0), torch.__version__ < (2, 14), torch.__version__ == "2.12.0"
torch.__version__.split("+")[0], type(torch.__version__), isinstance(torch.__version__, str)
torch.nosuch
torch.nn.nosuch
torch.optim.nosuch
torch.Tensor.nosuch
torch.ones(1).nosuch
torch.nn.Linear(1, 1).nosuch
import torch.nosuch
import torch.nn.nosuch
from torch.nosuch import x
torch.cat([])
torch.cat([1])
torch.zeros(2).histc(min=3, max=1)
torch.searchsorted(torch.ones(2), torch.ones(2), side="middle")
torch.ones(2, 3) + torch.ones(4)
torch.ones(2, 3).reshape(4)
torch.ones(3).expand(2)
torch.nn.Linear("a", 1)
torch.nn.Module().register_parameter("x", torch.ones(1))
setattr(torch.nn.Linear(1, 1), "weight", torch.ones(1))
setattr(torch.nn.Sequential(torch.nn.ReLU()), "0", 3)
torch.nn.utils.parameters_to_vector(torch.ones(1))
torch.nn.utils.vector_to_parameters([1.0], [torch.ones(1)])
torch.nn.functional.embedding(torch.ones(2), torch.ones(2, 2))
torch.set_rng_state(3)
torch.ones(3).dsplit(2)
torch.linalg.matrix_rank(torch.ones(2))
torch.linalg.lstsq(torch.ones(2, 2), torch.ones(2, 1), driver="x")
torch.ones(2).clamp()
torch.addcdiv(torch.ones(2).long(), torch.ones(2).long(), torch.ones(2).long())
torch.nn.Linear(2, 2).load_state_dict({"weight": 3})
torch.autograd.backward([1])
torch.func.functional_call(torch.nn.Linear(1, 1), {"weight": 3}, torch.ones(1))
torch.set_grad_enabled(True)
torch.nn.functional.max_pool2d(torch.ones(1, 2, 2), 1.5)
torch.nn.functional.avg_pool2d(torch.ones(1, 2, 2), (1, 1.5))
torch.nn.functional.conv_transpose2d(torch.ones(1, 2, 2), torch.ones(1, 1, 1, 1), padding=1.5)
torch.nn.Linear(2, 2).weight.fill_(3)
torch.zeros(2, requires_grad=True).add_(torch.ones(3))
torch.ones(3, 4).to(memory_format=torch.channels_last)
torch.ones(3, 4).clone(memory_format="channels_last")
torch.ones(3, 4).contiguous(memory_format="channels_last")
torch.ones(3, 4).is_contiguous(memory_format="channels_last")
torch.empty(3, 4, memory_format=torch.channels_last_3d)
torch.zeros_like(torch.ones(3, 4), memory_format=3)
torch.device("float64")
torch.device("cuda0")
torch.device("gpu:1")
""".strip().splitlines()

PROGRAM = """
import sys, warnings
import torch

warnings.simplefilter("ignore")
for line in {lines!r}:
    try:
        if line.startswith(("import ", "from ")):
            exec(line)
        else:
            print(eval(line))
    except Exception as error:
        print(line, "|", type(error).__name__, "|", error)
    print("-----")
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    (folder / "lines.py").write_text(PROGRAM.format(lines=LINES))
    (folder / "patched.py").write_text(PATCHED)
    return both([["lines.py"], ["patched.py"]], folder)


@pytest.fixture(scope="module")
def outputs(results):
    for (code, _, error), _ in results:  # of lines.py
        assert (code, error) == (0, ""), error
    return [dict(zip(LINES, out.split("-----\n"))) for (_, out, _), _ in results]


@pytest.mark.parametrize("line", LINES)
def test_line_prints_what_torch_prints(line, outputs):
    theirs, ours = (output[line].replace("+cpu", "+npg") for output in outputs)
    assert ours == theirs


IDENTITY = """
import pickle, sys
import npg, npg.as_torch
import torch, torch.nn.functional as F, torch.optim.lr_scheduler, torch.utils.benchmark.utils.common
from torch.autograd.variable import Variable
from torch.autograd import grad_mode

assert torch is npg and torch.nn is npg.nn and F is npg.nn.functional is sys.modules["npg.nn.functional"]
assert Variable is npg.autograd.Variable and grad_mode.no_grad is npg.no_grad
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "torch":
        assert module.__spec__.name.partition(".")[0] == "npg", name  # of one copy
missing = []
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] != "npg" or "_moved" in name:
        continue
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) and str(value.__module__).partition(".")[0] == "torch":
            if isinstance(value, type) or callable(value) and hasattr(value, "__qualname__"):
                try:
                    assert pickle.loads(pickle.dumps(value)) is value
                except Exception as error:
                    missing.append((value.__module__, value.__qualname__, str(error)))
assert not missing, sorted(set(missing))
text = pickle.dumps(torch.nn.Linear(1, 1))
assert b"torch.nn.modules.linear" in text and b"npg.nn" not in text

npg.as_torch.uninstall()
assert npg.__name__ == "npg" and npg.nn.__name__ == "npg.nn" and npg.__version__ == npg._version.__version__
assert repr(npg.float32) == "npg.float32" and repr(npg.Size([2])) == "npg.Size([2])"
assert repr(npg.nn.Linear) == "<class 'npg.nn.modules.linear.Linear'>" and npg.ones(1).type() == "npg.FloatTensor"
assert not [name for name in sys.modules if name.partition(".")[0] == "torch"]
assert not hasattr(npg.autograd, "variable") and "__getattr__" not in vars(npg.optim)
left = [
    (name, key)
    for name, module in list(sys.modules.items())
    if name.partition(".")[0] == "npg"
    for key, value in list(vars(module).items())
    if str(getattr(value, "__module__", "")).partition(".")[0] == "torch"
]
assert not left, left
import torch
assert torch.__version__.startswith("2.13.0") and torch.__version__ != "2.13.0+npg"
npg.as_torch.install()
import torch.nn
assert torch is not npg or torch.__version__ == "2.13.0+npg"
assert sys.modules["torch"] is npg and sys.modules["torch.nn"] is npg.nn
npg.as_torch.uninstall()
assert sys.modules["torch"] is not npg and sys.modules["torch"].nn.Linear.__module__ == "torch.nn.modules.linear"
"""


def test_modules_are_npgs_pickles_say_torch_and_uninstall_puts_all_back(tmp_path):
    code, out, error = run("-c", IDENTITY, folder=tmp_path, npg=False)
    assert (code, out, error) == (0, "", "")


def test_exchange_of_pickles_by_name_with_torch(tmp_path):
    """A class pickled under one is found by the other."""
    names = ["nn.Linear", "nn.modules.container.Sequential", "optim.SGD", "optim.AdamW", "Size", "nn.Parameter",
             "nn.functional.relu", "optim.lr_scheduler.StepLR", "autograd.Variable", "no_grad"]  # fmt: skip
    theirs = [functools.reduce(getattr, name.split("."), torch) for name in names]
    (tmp_path / "theirs").write_bytes(pickle.dumps(theirs))
    program = (
        "import pickle, torch\nprint([x.__name__ for x in pickle.load(open('theirs', 'rb'))])\n"
        f"pickle.dump([eval('torch.' + n) for n in {names}], open('ours', 'wb'))"
    )
    code, out, error = run("-c", program, folder=tmp_path, npg=True)
    assert (code, error) == (0, "") and "'StepLR'" in out
    assert pickle.loads((tmp_path / "ours").read_bytes()) == theirs


EXTENSION = """
import importlib, sys
import npg.as_torch
npg.as_torch.load_ipython_extension(None)
import torch
assert torch is npg and npg.as_torch.installed()
assert importlib.reload(torch) is npg and npg.__version__ == "2.13.0+npg" and repr(npg.float32) == "torch.float32"
finder = sys.meta_path[0]
npg.as_torch.unload_ipython_extension(None)
finder.then(npg.nn)  # another thread has been loading it
assert npg.nn.__name__ == "npg.nn" and "torch.nn" not in sys.modules
sys.modules["multiprocessing.process"] = type(sys)("one that another thread is loading")
npg.as_torch.install()
npg.as_torch.uninstall()
del sys.modules["multiprocessing.process"]
assert "torch" not in sys.modules and not npg.as_torch.installed() and npg.__name__ == "npg"
npg.as_torch.uninstall()  # twice does no harm
loaded = {"tempfile", "importlib.metadata", "email", "multiprocessing"} & {*sys.modules} - before
assert not loaded, loaded
"""


def test_notebook_extension_and_what_installing_loads(tmp_path):
    code = "import sys, npg.nn\nbefore = {*sys.modules}\n" + EXTENSION
    assert run("-c", code, folder=tmp_path, npg=False) == (0, "", "")


PATCHED = """
import builtins, copy, inspect, typing, unittest.mock
import torch

with unittest.mock.patch("torch.nn.functional.relu", lambda *args, **settings: "patched"):
    assert torch.nn.ReLU()(1) == "patched" == torch.nn.functional.relu(1)
assert torch.nn.functional.relu(torch.ones(1)) == 1
assert "class Linear" in inspect.getsource(torch.nn.Linear)
assert inspect.getmodule(torch.nn.Linear).__name__ == "torch.nn.modules.linear"
typing.get_type_hints(torch.nn.Linear.forward)
class Mine(torch.nn.Linear):
    pass
assert Mine.__module__ == "__main__" and copy.deepcopy(Mine(1, 1)).weight.shape == (1, 1)
class Data(torch.Tensor):
    pass
print(torch.ones(2).as_subclass(Data), repr(torch.nn.Parameter(torch.ones(1))))
from torch import *
assert float is builtins.float and Tensor is torch.Tensor
"""


def test_patching_inspecting_and_deriving(results):
    (_, theirs), (_, ours) = results
    assert ours == (0, theirs[1], "")  # PyTorch's star import takes Python's float away, npg's does not


# ----- Hidden names that libraries use -----

# Each is evaluated under both; what is compared is short, so that no path or address is in it.
USED = """
sorted(n for n in vars(torch.utils._pytree) if n.endswith(("_flatten", "_unflatten", "_flatten_with_keys")))[:3]
torch.utils._pytree._dict_flatten_with_keys({"a": 1}), torch.utils._pytree._list_unflatten([1, 2], None)
torch.hub.tqdm is torch.utils.model_zoo.tqdm, torch.hub.HASH_REGEX.search("net-0a1b.pt")[1]
torch.types._dtype, torch.types._layout, torch.types._device, isinstance(1, torch.types.Number)
torch._utils.ExceptionWrapper, torch._utils.KeyErrorMessage("a b")
torch.nn.parameter.is_lazy(torch.ones(1)), isinstance(torch.ones(1), torch.nn.parameter.UninitializedParameter)
torch.nn.modules.module._EXTRA_STATE_KEY_SUFFIX, torch.nn.Linear(1, 1).load_state_dict({}, strict=False)
torch.nn.modules.module._IncompatibleKeys(["a"], [])
torch._C.Generator, torch.PyTorchFileReader, issubclass(torch.Tensor, torch._C.TensorBase)
torch._C._nn._parse_to("cpu", torch.float16, True), torch._C._nn._parse_to(memory_format=torch.channels_last)
torch._C._nn._parse_to(torch.ones(1, dtype=torch.float64)), torch._C._nn._parse_to("cpu", copy=True)
torch.jit._script_if_tracing(abs)(-1), torch.jit.annotations.BroadcastingList2[int], torch.jit.annotations.List[int]
torch.onnx.symbolic_helper.parse_args("v")(lambda g: g) and 1, torch.onnx.register_custom_op_symbolic("a::b", abs, 9)
issubclass(torch.ScriptModule, torch.nn.Module)
torch.ScriptModule, torch.ScriptFunction is torch.jit.ScriptFunction
torch.profiler.profiler._default_schedule_fn(3)
torch.autograd.profiler.emit_nvtx(enabled=False).__enter__(), torch.autograd.profiler.emit_nvtx().__enter__()
torch.utils.flop_counter.FlopCounterMode(display=False).get_total_flops(), torch.nn.parallel.distributed.__name__
torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()(3)
callable(torch.compile(torch.nn.ReLU()).dynamo_ctx), list(torch.compile(torch.nn.Linear(1, 1)).state_dict())
""".strip().splitlines()
MODULES = """
torch._dynamo.utils torch._dynamo._trace_wrapped_higher_order_op torch.ao.quantization torch.hub torch.jit.annotations
torch.nn.attention.flex_attention torch.nn.parallel.distributed torch.nn.utils.fusion torch.onnx.symbolic_helper
torch.onnx.symbolic_opset11 torch.utils._pytree torch.utils.flop_counter torch.utils.model_zoo
""".split()


def test_hidden_names_that_libraries_use_answer_as_in_torch(tmp_path):
    program = "import torch\n" + "".join(f"import {module}\n" for module in MODULES)
    program += (
        f"for line in {USED!r}:\n"
        "    try:\n        print(line, '=', eval(line))\n"
        "    except Exception as error:\n        print(line, type(error).__name__, error)\n"
    )
    expected = run("-W", "ignore", "-c", program, folder=tmp_path, npg=False)
    found = run("-W", "ignore", "-c", program, folder=tmp_path, npg=True)
    assert found[1].splitlines() == expected[1].splitlines(), found[2]
