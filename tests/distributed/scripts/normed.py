"""A CNN with SyncBatchNorm over ranks is the one with BatchNorm in one process; one rank has an empty batch."""

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
rank, ranks = dist.get_rank(), dist.get_world_size()
torch.manual_seed(0)
data, target = torch.randn(12, 3, 6, 6), torch.randn(12, 5)


def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


alone, shared = net(), DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(net()))
optimizers = [torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9) for model in (alone, shared)]
mine = slice(rank * 12 // ranks, (rank + 1) * 12 // ranks)
for _ in range(10):
    for model, optimizer, part in zip((alone, shared), optimizers, (slice(None), mine), strict=True):
        optimizer.zero_grad()
        ((model(data[part]) - target[part]) ** 2).mean().backward()
        optimizer.step()
norm = nn.SyncBatchNorm(3, affine=False, momentum=None)
x = data if rank == 0 else data[:0]
y = norm(x)
worst = 0.0
for a, b in zip([*alone.parameters(), *alone.buffers()], [*shared.parameters(), *shared.buffers()], strict=True):
    worst = max(worst, float((a - b).detach().abs().max()))
own = nn.BatchNorm2d(3, affine=False, momentum=None)
worst = max(worst, float((own(data) - y).abs().max()) if rank == 0 else 0.0)
worst = max(worst, float((own.running_var - norm.running_var).abs().max()) if rank == 0 else 0.0)
# Numbers far from zero: the mean over all ranks has the digits of float64, or these would be 1e-4 off.
far = nn.SyncBatchNorm(3, affine=False)
z = (data[mine].double() + 10_000).float()
true = (data.double() + 10_000).float().double()
true = (true - true.mean((0, 2, 3), keepdim=True)) / (true.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
worst = max(worst, float((far(z) - true[mine]).abs().max()))
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    file.write(f"{worst < 2e-6}")
