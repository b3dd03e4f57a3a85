"""Models, tensors and works are freed when nobody holds them, without the garbage collector; memory does not grow."""

import gc
import resource
import sys
import weakref

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
gc.collect()
gc.disable()
lines = []


def step(model, x):
    model(x).pow(2).mean().backward()


for settings in ({}, {"gradient_as_bucket_view": True}, {"static_graph": True}, {"find_unused_parameters": True}):
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    ddp = DistributedDataParallel(model, **settings)
    for _ in range(3):
        step(ddp, torch.randn(4, 8))
    watched = [weakref.ref(x) for x in (model, ddp, ddp.reducer, model[0].weight, model[0].weight.grad)]
    keeper = model[2].weight
    del model, ddp
    lines.append(str([x() is None for x in watched]))
    keeper.grad = None
    keeper.sum().backward()  # its hook has nobody to tell
    lines.append(str(keeper.grad.sum().item()))

x = torch.ones(1000)
work = dist.all_reduce(x, async_op=True)
work.wait()
watched = [weakref.ref(x), weakref.ref(work)]
del x
for _ in range(100):  # the thread drops it a moment later
    del work
    work = dist.all_reduce(torch.ones(1), async_op=True)
    work.wait()
lines.append(str([x() is None for x in watched]))

ddp = DistributedDataParallel(nn.Linear(300, 300))
peaks = []
for k in range(300):
    step(ddp, torch.randn(4, 300))
    if k in (50, 299):
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
lines.append(str(peaks[1] - peaks[0] < 2000))
with open(f"{sys.argv[1]}.{dist.get_rank()}", "w") as file:
    file.write("\n".join(lines))
dist.destroy_process_group()
