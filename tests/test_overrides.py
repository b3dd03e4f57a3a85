"""npg.overrides: classes with __torch_function__ and modes are really asked, and plain tensors ask nobody.

Whatever activates overrides runs in a process of its own: other tests see npg's functions as they are.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

ROOT = Path(__file__).resolve().parent.parent

# The program runs with npg and with torch; what it prints must be the same.
SUBCLASS = """
log = []
class Logged(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        log.append(torch.overrides.resolve_name(func))
        return super().__torch_function__(func, types, args, kwargs or {})
    __repr__ = object.__repr__
class Child(Logged):
    pass
s, c, t = torch.ones(2).as_subclass(Logged), torch.ones(2).as_subclass(Child), torch.ones(2)
def show(name, value):
    kinds = [type(v).__name__ for v in value] if isinstance(value, (tuple, list)) else type(value).__name__
    print(name, kinds, log)
    log.clear()
F = torch.nn.functional
for line in '''s + 1|1 + s|s + s|t + s|s - 1|s * 2|2 * s|s @ s|-s|abs(s)|s > 0|s != 1|s == s|s.relu()
s.clone()|s.detach()|s.shape|s.dtype|s.device|s.grad|s.requires_grad|s.data|s.T|s.ndim|s.is_leaf|len(s)|list(s)|s[0]|bool(s[0])|float(s[0])
s.tolist()|s.numpy()|s.size()|s.dim()|s.stride()|s.to(torch.float64)|s.float()|s.view(2)|s.sum()|s.max(dim=0)
s.unbind()|s.new_zeros(2)|s.is_floating_point()|s.requires_grad_()|s + c|c + s|c.relu()
torch.relu(s)|torch.add(s, 1)|torch.cat([s, t])|torch.stack([s, s])|torch.zeros_like(s)|torch.max(s)|torch.equal(s, s)
torch.where(t > 0, s, t)|torch.allclose(s, s)|torch.is_floating_point(s)|torch.tensor(3.0)|torch.is_tensor(s)
F.linear(torch.ones(1, 2), torch.ones(2, 2).as_subclass(Logged))|F.gelu(s)|F.dropout(s, 0.0)|F.mse_loss(s, t)
torch.linalg.norm(s)|torch.nn.Linear(2, 1)(s)'''.replace(chr(10), "|").split("|"):
    show(line, eval(line))
torch.manual_seed(0)
w = torch.ones(3, requires_grad=True)
loss = (w.as_subclass(Logged) * 2).sum()
loss.backward()
print(w.grad.tolist())
"""

DUCK = """
class Duck:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        print(torch.overrides.resolve_name(func), [t.__name__ for t in types])
        return NotImplemented if func is torch.mul else "handled"
class Other(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented
class Plain(torch.Tensor):
    __torch_function__ = torch._C._disabled_torch_function_impl
d, o = Duck(), torch.ones(2).as_subclass(Other)
HANDLED = {torch.add: "add", torch.Tensor.relu: "relu"}
print(torch.add(d, 1), torch.cat([d]), torch.nn.functional.linear(torch.ones(2), d), torch.add(o, d))
handle = torch.overrides.handle_torch_function
for call in (lambda: torch.mul(d, 1), lambda: torch.add(o, 1), lambda: handle(torch.mul, (d,), d)):
    try:
        call()
    except TypeError as error:
        print(error)
O = torch.overrides
print(O.has_torch_function((d,)), O.has_torch_function((torch.ones(1), 1)), O.is_tensor_like(d), O.is_tensor_like(3))
print(O.is_tensor_like(torch.ones(1)), O.is_tensor_method_or_property(torch.Tensor.add), O.resolve_name(len))
print(O.is_tensor_method_or_property(torch.Tensor.shape.__get__), O.resolve_name(torch.Tensor.shape.__get__))
print(O.handle_torch_function(torch.add, (d,), d, 1), O.wrap_torch_function(lambda x: (x,))(lambda x: x + 1)(2))
print(type(torch.ones(2).as_subclass(Plain) + 1).__name__)
print(torch.add in HANDLED, torch.Tensor.relu in HANDLED)
print(torch.add in O.get_overridable_functions()[torch], torch.manual_seed in O.get_ignored_functions())
"""

MODES = """
O = torch.overrides
class Mode(O.TorchFunctionMode):
    def __init__(self, name):
        self.name = name
    def __torch_function__(self, func, types, args=(), kwargs=None):
        print(self.name, O.resolve_name(func))
        return func(*args, **(kwargs or {}))
class Doubling(O.TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return 2 * func(*args, **(kwargs or {}))
x = torch.ones(2)
with Mode("inner") as mode:
    y = x + 1
    x.relu(); x.shape; torch.ones(2); torch.zeros_like(x); x[0]; float(x[0]); torch.nn.functional.gelu(x)
    torch.tensor([1.0]); list(x); torch.arange(3); torch.cat([x, x]); x.sum().item()
print(type(mode).__name__, y.tolist(), (x + 1).tolist())
with Mode("outer"), Mode("inner"):
    x.add(1); torch.relu(x)
with Doubling():
    print((x + 1).tolist(), torch.exp(torch.zeros(1)).tolist())
with O.BaseTorchFunctionMode():
    print(x.mul(3).tolist())
for bad in (O.TorchFunctionMode(),):
    try:
        with bad:
            x.relu()
    except NotImplementedError:
        print("not implemented")
print((x + 1).tolist(), O._get_current_function_mode())
import threading
seen = []
with Mode("here"):
    thread = threading.Thread(target=lambda: seen.append(torch.ones(2).relu()))
    thread.start(); thread.join()
print(len(seen))
model = torch.nn.Linear(2, 1)
with Doubling():
    pass
model(x).sum().backward()
print(model.weight.grad.tolist())
"""


def run(program, library):
    first = (
        "import npg as torch, npg.overrides\ntorch._C = torch.overrides\n"
        if library == "npg"
        else "import torch, torch.overrides\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", first + program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert not done.returncode, done.stderr
    return done.stdout.replace("npg", "torch")


@pytest.mark.parametrize("program", [SUBCLASS, DUCK, MODES], ids=["subclass", "duck", "modes"])
def test_overrides_are_asked_as_in_pytorch(program):
    own, reference = run(program, "npg").splitlines(), run(program, "torch").splitlines()
    assert own == reference


UNTOUCHED = """
import sys, npg, npg.nn.functional as F
before = {name: getattr(npg, name) for name in ("add", "relu", "ones", "cat")}
methods = dict(vars(npg.Tensor))
import npg.overrides
assert all(getattr(npg, name) is value for name, value in before.items())
assert "npg.tensor.overriding" in sys.modules
npg.ones(2).as_subclass(npg.nn.Parameter)
assert npg.add is before["add"]
from npg.overrides import TorchFunctionMode
class Mode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))
plain = {name: value for name, value in vars(npg.Tensor).items() if type(value).__name__ != "LateMethod"}
try:
    with Mode():
        assert vars(npg.Tensor)["relu"] is not plain.get("relu")
        raise KeyError
except KeyError:
    pass
after = vars(npg.Tensor)
assert all(after[name] is value for name, value in plain.items()), [n for n, v in plain.items() if after[n] is not v]
assert npg.add == before["add"] and hash(npg.add) == hash(before["add"]) and npg.add in {before["add"]: 1}
import copy, pickle
assert pickle.loads(pickle.dumps(npg.relu)) == npg.relu and copy.deepcopy(npg.relu) == npg.relu
"""


def test_plain_tensors_ask_nobody_and_a_mode_leaves_nothing_behind():
    done = subprocess.run([sys.executable, "-c", UNTOUCHED], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_overrides_work_while_npg_is_served_as_torch():
    command = [sys.executable, "-m", "npg", "run", "-c", "import torch, torch.overrides\n" + MODES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert not done.returncode, done.stderr
    assert done.stdout == run(MODES, "torch")


LATER = """
import sys, npg.as_torch
npg.as_torch.install()
import torch
class Sub(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return "asked"
sub = torch.ones(2).as_subclass(Sub)
npg.as_torch.uninstall()
assert not {"npg.functional.integration", "npg.functional.margin_loss"} & set(sys.modules)
assert npg.trapezoid(sub) == npg.nn.functional.triplet_margin_loss(sub, sub, sub) == "asked"
"""


def test_functions_that_load_after_the_serving_ask_too():
    done = subprocess.run([sys.executable, "-c", LATER], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
