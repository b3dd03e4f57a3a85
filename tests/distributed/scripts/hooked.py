"""A communication hook whose result is not of its bucket's size."""

import sys

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group("gloo")


def hook(state: object, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    done = torch.futures.Future()
    done.set_result(torch.ones(1))
    return done


model = DDP(torch.nn.Linear(2, 3))
model.register_comm_hook(None, hook)
try:
    model(torch.ones(1, 2)).sum().backward()
except RuntimeError as error:
    lines = [str(error)]
else:
    lines = [str([p.grad.tolist() for p in model.parameters()])]
with open(f"{sys.argv[1]}.{dist.get_rank()}", "w") as file:
    file.write("\n".join(lines))
