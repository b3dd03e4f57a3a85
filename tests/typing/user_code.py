"""What users write, for type checkers: tests/test_types.py checks that mypy --strict finds nothing here."""

from collections.abc import Iterator
from typing import assert_type

import npg
import npg.nn as nn
import npg.nn.functional as F
from npg import Tensor
from npg.optim import SGD, AdamW, Optimizer
from npg.optim.lr_scheduler import StepLR
from npg.utils.data import DataLoader, Dataset, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(4, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.layers = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(2)])
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(hidden, 3))
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(F.gelu(self.first(x)))
        for layer in self.layers:
            x = x + layer(x)
        y: Tensor = self.head(x)
        return F.relu(self.last(y))


def arithmetic(x: Tensor, y: Tensor) -> Tensor:
    assert_type(x + y, Tensor)
    assert_type(2.0 * x - 1, Tensor)
    assert_type(x @ y, Tensor)
    assert_type(-x, Tensor)
    assert_type(npg.exp(nn.Parameter(x)), Tensor)
    assert_type(nn.Parameter(x).sum(0), Tensor)
    assert_type(nn.Parameter(x, requires_grad=False).mul_(2), nn.Parameter)
    assert_type(x**2, Tensor)
    assert_type(x > 0, Tensor)
    assert_type(x[0], Tensor)
    assert_type(x[:, None, ...], Tensor)
    x += 1
    assert_type(x, Tensor)
    return x / y


def methods(x: Tensor) -> Tensor:
    assert_type(x.exp(), Tensor)
    assert_type(x.mul(2).mul_(other=x), Tensor)
    assert_type(x.eq(0).logical_not(), Tensor)
    assert_type(x.clamp(0, 1), Tensor)
    _: Tensor = nn.Parameter(x).lerp(x, 0.5)
    assert_type(x.nonzero(as_tuple=True), tuple[Tensor, ...])
    assert_type(x.view(2, -1), Tensor)
    assert_type(x.transpose(0, 1).contiguous(), Tensor)
    assert_type(x.sum(), Tensor)
    assert_type(x.mean(dim=-1, keepdim=True), Tensor)
    assert_type(x.softmax(-1), Tensor)
    assert_type(x.detach().clone(), Tensor)
    assert_type(x.relu(), Tensor)
    assert_type(x.T, Tensor)
    assert_type(x.to("cpu"), Tensor)
    assert_type(x.max(), Tensor)
    assert_type(x.max(dim=0).indices, Tensor)
    assert_type(x.topk(2).values, Tensor)
    assert_type(x.nonzero(), Tensor)
    assert_type(x.size(0), int)
    assert_type(x.stride(), tuple[int, ...])
    assert_type(x.new_zeros(2), Tensor)
    assert_type(x.requires_grad, bool)
    assert_type(x.grad, Tensor | None)
    rows, columns = x.size()
    return x.reshape(rows * columns)


def functions(x: Tensor) -> Tensor:
    assert_type(F.relu(x), Tensor)
    assert_type(F.softmax(x, dim=-1), Tensor)
    assert_type(F.cross_entropy(x, npg.zeros(3, dtype=npg.int64)), Tensor)
    assert_type(F.linear(x, npg.ones(3, 4)), Tensor)
    assert_type(F.softmax(input=x, dim=-1), Tensor)
    assert_type(npg.sum(x, dim=0, out=npg.empty(0)), Tensor)
    assert_type(npg.cat([x, x], dim=0), Tensor)
    assert_type(npg.add(x, 1), Tensor)
    assert_type(npg.add(2, x), Tensor)
    assert_type(npg.exp(x), Tensor)
    assert_type(npg.exp(input=x, out=npg.empty(0)), Tensor)
    assert_type(npg.mul(2.0, x), Tensor)
    assert_type(npg.mul(x, other=x), Tensor)
    assert_type(npg.maximum(x, x), Tensor)
    assert_type(npg.isnan(x), Tensor)
    assert_type(npg.neg_(x.clone()), Tensor)
    assert_type(npg.matmul(x, x.T), Tensor)
    assert_type(npg.einsum("ij,kj->ik", x, x), Tensor)
    assert_type(npg.where(x > 0, x, 0.0), Tensor)
    assert_type(npg.pow(2, x), Tensor)
    assert_type(npg.gather(x, 1, x.argmax(-1, keepdim=True)), Tensor)
    assert_type(npg.randn(2, 3), Tensor)
    assert_type(npg.randint(0, 3, (2,)), Tensor)
    values, indices = npg.sort(x, dim=-1, descending=True)
    assert_type(values, Tensor)
    u, s, vh = npg.linalg.svd(x, full_matrices=False)
    assert_type(u @ npg.diag(s) @ vh, Tensor)
    assert_type(npg.zeros(2, 3), Tensor)
    assert_type(npg.tensor([1.0, 2.0]), Tensor)
    return npg.stack([x, x])


def train(model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
    optimizer: Optimizer = AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = StepLR(optimizer, step_size=10)
    total = 0.0
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
    return total


def groups(model: nn.Module) -> SGD:
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for name, p in model.named_parameters() if p.dim() < 2 and name]
    return SGD([{"params": decay, "weight_decay": 0.1}, {"params": rest}], lr=0.1, momentum=0.9)


@npg.no_grad()
def evaluate(model: nn.Module, x: Tensor) -> int:
    model.eval()
    with npg.inference_mode():
        best = model(x).argmax(dim=-1)
    return int(best.sum().item())


class Double(npg.autograd.Function):
    @staticmethod
    def forward(ctx: npg.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx: npg.autograd.function.FunctionCtx, *grads: Tensor) -> Tensor:
        return grads[0] * 2


class Squares(Dataset[tuple[Tensor, int]]):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return npg.tensor(float(index) ** 2), index

    def __len__(self) -> int:
        return 10


def load(workers: int) -> float:
    first, second = random_split(Squares(), [0.8, 0.2], generator=npg.Generator().manual_seed(1))
    parts: list[tuple[Tensor, int]] = [first[0], second[0]]
    both: npg.utils.data.ConcatDataset[tuple[Tensor, int]] = first + second
    loader = DataLoader(both, batch_size=4, shuffle=True, num_workers=workers, worker_init_fn=lambda worker: None)
    total = float(len(loader) + len(parts))
    for x, y in loader:
        total += float((x * y).sum())
    for (row,) in DataLoader(TensorDataset(npg.ones(3, 2)), sampler=npg.utils.data.RandomSampler(range(3))):
        total += float(row.sum())
    return total
