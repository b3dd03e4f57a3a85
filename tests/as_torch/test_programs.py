"""Programs as people write them: `npg run` prints what python prints with PyTorch."""

import re

import pytest
import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import ROOT, both, run

DOCS = (ROOT / "docs" / "as_torch.md").read_text(encoding="utf-8")
TRAIN = re.search(r"```python\n(.*?)```", DOCS, re.DOTALL)[1]


PROGRAMS = {
    "parameters": """
import argparse, torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parameter import Parameter
from torch.nn.modules.module import Module

class Affine(Module):
    def __init__(self, n: int):
        super().__init__()
        self.scale = Parameter(torch.ones(n))
        self.register_buffer("shift", torch.zeros(n))
        self.layers = nn.ModuleList([nn.Linear(n, n) for _ in range(2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return x * self.scale + self.shift

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(1)
    model = Affine(args.n)
    print(model, sum(p.numel() for p in model.parameters()))
    print(model(torch.randn(2, args.n)))
    for name, p in model.named_parameters():
        print(name, p.shape, p.dtype, type(p), p.requires_grad)
    print(model.state_dict())
""",
    "parametrizations": """
import copy, pickle
import torch, torch.nn as nn
import torch.nn.utils.parametrize as P
from torch.nn.utils import stateless
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).T

torch.manual_seed(0)
net = nn.Sequential(
    weight_norm(nn.Conv1d(2, 3, 3)), nn.Flatten(), orthogonal(nn.Linear(12, 8)), spectral_norm(nn.Linear(8, 8)),
    orthogonal(nn.Linear(8, 8), orthogonal_map="cayley"),
    P.register_parametrization(nn.Linear(8, 8), "weight", Symmetric()),
)
print(net, type(net[0]), type(net[0]).__bases__, type(net[0].parametrizations.weight))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for i in range(5):
    with P.cached():
        loss = net(torch.randn(4, 2, 6)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(i, round(loss.item(), 3))
for name, value in net.state_dict().items():
    print(name, value.shape)
print(copy.deepcopy(net).load_state_dict(net.state_dict()))
try:
    pickle.dumps(net)
except RuntimeError as error:
    print(error)
for module in net:
    if P.is_parametrized(module):
        P.remove_parametrizations(module, "weight")
        print(module, P.type_before_parametrizations(module))
pickle.dumps(net[1:])
X = torch.tensor([[3.0, 1.0], [4.0, 2.0]])
print(torch.matrix_exp(X / 4), torch.linalg.householder_product(*torch.geqrf(X)))
""",
    "schedules": """
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR, CosineAnnealingLR, LambdaLR
from torch.optim.optimizer import Optimizer

p = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
optimizer = SGD([p], lr=0.1, momentum=0.9)
assert isinstance(optimizer, Optimizer)
schedules = [StepLR(optimizer, 2), CosineAnnealingLR(optimizer, 5)]
for epoch in range(5):
    optimizer.zero_grad()
    (p**2).sum().backward()
    optimizer.step()
    for s in schedules:
        s.step()
    print(epoch, p.data, schedules[0].get_last_lr(), p.grad)
print(optimizer)
print(schedules[0].state_dict())
""",
    "functions": """
import torch
from torch.autograd import Function, Variable
from torch.autograd.function import once_differentiable

class Clip(Function):
    @staticmethod
    def forward(ctx, x, bound):
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(-bound, bound)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= ctx.bound), None

x = Variable(torch.linspace(-2, 2, 5), requires_grad=True)
y = Clip.apply(x, 1.0)
print(y, Clip, isinstance(x, Variable), isinstance(x, torch.Tensor))
y.sum().backward()
print(x.grad)
with torch.no_grad():
    print((x * 2).requires_grad, torch.is_grad_enabled())
print(torch.autograd.grad((x**3).sum(), x))
print(torch.autograd.functional.jacobian(lambda t: t**2, torch.ones(2)))
""",
    "errors": """
import sys, warnings, torch

def step(x):
    return x @ torch.ones(3, 2)

warnings.simplefilter("always")
print(torch.tensor(3.7).int(), torch.finfo(torch.float32))
try:
    step(torch.ones(2, 4))
except RuntimeError as error:
    print(type(error), error, error.args)
try:
    torch.ones(2, requires_grad=True).numpy()
except RuntimeError as error:
    print(error)
x = torch.ones(2, requires_grad=True)
y = x**2
y.sum().backward()
try:
    y.sum().backward()
except RuntimeError as error:
    print(error)
sys.exit(step.__name__)
""",
    "operators": """
import torch, torch.library

@torch.library.custom_op("mine::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2

print(torch.ops.mine.twice(torch.ones(2)).tolist(), hasattr(torch.ops.others, "f"))
try:
    torch.ops.load_library("there_is_none.so")
except OSError as error:
    print(str(error)[:52])
x = torch.arange(12.0).reshape(3, 4)
print(torch.cummax(x, 0).values.tolist(), torch.einsum("ij,kj->ik", x, x).tolist())
""",
    "tracebacks": """
import re, sys, traceback
import torch
from torch import nn
from torch.utils.data import DataLoader

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 2))

    def forward(self, x):
        return self.layers(x)  # of eight

class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return {}["a key"]  # that is not there

def shapes(x):
    y = x * 2
    return y.reshape(3)  # of four

def hooked():
    model = nn.Sequential(nn.ReLU())
    model[0].register_forward_hook(lambda module, inputs, output: output.reshape(7))
    model(torch.ones(2, 2))

def twice():
    y = (torch.ones(3, requires_grad=True) ** 2).sum()
    y.backward()
    y.backward()

def on_leaf():
    w = nn.Linear(2, 2).weight
    w += 1

def batches():
    for batch in DataLoader([torch.ones(i + 1) for i in range(4)], batch_size=2):
        pass

CASES = [
    lambda: shapes(torch.ones(2, 2)),
    lambda: Net()(torch.ones(3, 4)).sum(),
    lambda: nn.functional.cross_entropy(torch.ones(3, 5), torch.tensor([1.0, 2.0, 3.0])),
    lambda: Broken.apply(torch.ones(2, requires_grad=True)).sum().backward(),
    hooked, twice, on_leaf, batches,
    lambda: nn.Linear(2, 2).load_state_dict({"weight": torch.ones(3, 2)}),
    lambda: nn.Linear(2, 2).wieght,
    lambda: torch.arange(5)[7],
]
for case in CASES:
    try:
        case()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        for frame in frames:
            if frame.filename == __file__:
                print(frame.lineno, frame.name, frame.line, getattr(frame, "colno", None))
        print("".join(traceback.format_exception_only(error)))
        rest = [frame.filename != __file__ for frame in frames]
        runs = "".join("01"[own] for own in rest).split("0")
        print(max(map(len, runs)), file=sys.stderr)  # the most frames of the library in a row
""",
}

LOADERS = """
import sys
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split
from torch.utils.data.dataset import Subset
class Squares(Dataset):
    def __len__(self): return 10
    def __getitem__(self, i): return torch.tensor([i*i]), torch.rand(1)
if __name__ == "__main__":
    torch.manual_seed(0)
    a, b = random_split(Squares(), [7, 3])
    print(type(a), len(b), a.indices)
    for x, r in DataLoader(a, batch_size=3, shuffle=True, num_workers=2, multiprocessing_context=sys.argv[1]):
        print(x, r)
    print(DataLoader, DataLoader(a).sampler.__class__)
"""

FILES = {**{f"{name}.py": text for name, text in PROGRAMS.items()}, "loaders.py": LOADERS, "train.py": TRAIN}
LINES = {
    **{name: [f"{name}.py"] for name in PROGRAMS},
    "workers": ["loaders.py", "fork"],
    "docs": ["train.py", "--epochs", "3"],
    "docs, resumed": ["train.py", "--epochs", "5", "--resume"],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    theirs, ours = both(list(LINES.values()), folder)
    return {name: (mine, other) for name, mine, other in zip(LINES, ours, theirs)}


@pytest.mark.parametrize("name", [name for name in LINES if name != "tracebacks"])
def test_program_prints_what_it_prints_with_torch(name, results):
    ours, theirs = results[name]
    assert ours == theirs


def test_program_of_the_docs_prints_what_the_docs_say(results):
    printed = re.search(r"```\n(1218 parameters.*?)```", DOCS, re.DOTALL)[1]
    assert results["docs"][0] == (0, printed, "")
    assert len(results["docs, resumed"][0][1].splitlines()) == 4


def test_tracebacks_show_the_users_lines_as_with_torch_and_few_of_npgs(results):
    (code, out, rows), (their_code, their_out, _) = results["tracebacks"]
    assert (code, out) == (their_code, their_out) and out.count("Error: ") == 11
    assert max(map(int, rows.split())) <= 9


def test_workers_that_are_spawned_do_the_same(tmp_path, results):
    (tmp_path / "loaders.py").write_text(LOADERS)
    assert run("loaders.py", "spawn", folder=tmp_path, npg=True) == results["workers"][0]


def test_traceback_of_an_error_that_nothing_catches_is_pythons(tmp_path):
    (tmp_path / "script.py").write_text(
        "import torch\n\ndef main():\n    torch.ones(4).reshape(3)  # of four\n\nmain()\n"
    )
    code, out, error = run("script.py", folder=tmp_path, npg=True)
    lines = error.splitlines()
    assert (code, out, lines[0]) == (1, "", "Traceback (most recent call last):")
    assert lines[1] == f'  File "{tmp_path / "script.py"}", line 6, in <module>' and "main()" in lines[2]
    assert "    torch.ones(4).reshape(3)  # of four" in lines and "sitecustomize" not in error
    assert lines[-1] == "RuntimeError: shape '[3]' is invalid for input of size 4"
