"""Train a small GPT, an LSTM and, on npg, a CNN with SyncBatchNorm: a batch of 24 shared out among the ranks.

Writes the loss over all ranks of each step, and whether all ranks had the same bits after each.

    training.py WHERE STEPS DTYPE [MODEL ...]
"""

import hashlib
import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

BATCH = 24


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, 2, c // 2).transpose(1, 2) for part in self.qkv(self.ln_1(x)).chunk(3, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(30, 32), nn.Embedding(16, 32)
        self.blocks = nn.Sequential(Block(32), Block(32))
        self.head = nn.Linear(32, 30, bias=False)

    def forward(self, x):
        return self.head(self.blocks(self.token(x) + self.position(torch.arange(x.shape[1]))))


class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.layer, self.head = nn.Embedding(30, 16), nn.LSTM(16, 32), nn.Linear(32, 30)

    def forward(self, x):
        return self.head(self.layer(self.embedding(x.T))[0]).transpose(0, 1)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.BatchNorm2d(8),
        nn.ReLU(), nn.Flatten(), nn.Linear(8 * 9, 10),
    )  # fmt: skip


def batch(kind, generator, dtype):
    if kind == "cnn":
        images = torch.randn(BATCH, 1, 12, 12, generator=generator).to(dtype)
        return images, torch.randint(0, 10, (BATCH,), generator=generator)
    words = torch.randint(0, 30, (BATCH, 17), generator=generator)
    words[:, 1::2] = words[:, :1]  # something to learn
    return words[:, :-1], words[:, 1:]


def digest(model):
    found = hashlib.sha256()
    for x in [*model.parameters(), *model.buffers()]:
        found.update(x.detach().numpy().tobytes())
    return found.hexdigest()


def train(kind, steps, dtype):
    rank, ranks = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(1)
    model = {"gpt": GPT, "lstm": Writer, "cnn": cnn}[kind]().to(dtype)
    if kind == "cnn":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    model = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(2)
    mine = slice(rank * BATCH // ranks, (rank + 1) * BATCH // ranks)
    losses, is_same = [], True
    for _ in range(steps):
        x, y = (part[mine] for part in batch(kind, generator, dtype))
        z = model(x)
        loss = cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total = loss.detach() / ranks
        dist.all_reduce(total)
        losses.append(total.item())
        found = [None] * ranks
        dist.all_gather_object(found, digest(model))
        is_same = is_same and len(set(found)) == 1
    return f"{kind} {is_same} {' '.join(f'{value:.10f}' for value in losses)}"


dist.init_process_group("gloo")
where, count, name, *kinds = sys.argv[1:]
lines = [train(kind, int(count), getattr(torch, name)) for kind in kinds]
with open(f"{where}.{dist.get_rank()}", "w") as file:
    file.write("\n".join(lines))
dist.destroy_process_group()
