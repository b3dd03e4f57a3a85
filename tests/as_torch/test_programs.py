"""Programs as people write them: `npg run` prints what python prints with PyTorch."""

import re

import pytest
import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import ROOT, run

DOCS = (ROOT / "docs" / "as_torch.md").read_text(encoding="utf-8")


def test_program_of_the_docs_prints_what_the_docs_say_under_both(tmp_path):
    program = re.search(r"```python\n(.*?)```", DOCS, re.DOTALL)[1]
    expected = re.search(r"```\n(step.*?)```", DOCS, re.DOTALL)[1]
    (tmp_path / "fit.py").write_text(program)
    for npg in (False, True):
        assert run("fit.py", folder=tmp_path, npg=npg) == (0, expected, "")


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
    "loaders": """
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
    for way in ("fork", "spawn"):
        for x, r in DataLoader(a, batch_size=3, shuffle=True, num_workers=2, multiprocessing_context=way):
            print(x, r)
    print(DataLoader, DataLoader(a).sampler.__class__)
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
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_it_prints_with_torch(name, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAMS[name])
    assert run("program.py", folder=tmp_path, npg=True) == run("program.py", folder=tmp_path, npg=False)


RAISES = """import torch


def layer(x):
    y = x * 2
    return y.reshape(3)  # of four


def main():
    layer(torch.ones(2, 2))


if __name__ == "__main__":
    main()
"""


def test_traceback_shows_the_users_lines_as_with_torch(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(RAISES)
    both = []
    for npg in (False, True):
        code, out, error = run("script.py", folder=tmp_path, npg=npg)
        frames = re.findall(rf'  File "{re.escape(str(script))}".*?(?=\n  File |\n\w)', error, re.DOTALL)
        both.append((code, out, frames, error.splitlines()[0], error.splitlines()[-1]))
    assert both[0] == both[1]
    assert len(both[0][2]) == 3 and both[0][-1].startswith("RuntimeError: shape '[3]' is invalid")
