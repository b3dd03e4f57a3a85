"""DistributedDataParallel where ranks differ: passes without averaging, static graphs, ranks that run out of inputs."""

import datetime
import sys

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.checkpoint import checkpoint

dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=40))
r, n = dist.get_rank(), dist.get_world_size()
out = []


def show(*words):
    out.append(" ".join(map(str, words)))


def net(norm=False):
    torch.manual_seed(0)
    layers = [torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)] if norm else [torch.nn.Linear(2, 3), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(3, 1))


def grads(m):
    return [[round(v, 5) for v in p.grad.flatten().tolist()] for p in m.parameters()]


x = torch.tensor([[1.0, -0.5], [0.25, 2.0]]) * (r + 1)

# Passes without averaging beside others.
m = DDP(net())
a = m(x).sum()
with m.no_sync():
    b = m(x * 3).sum()
a.backward()
show("forward in no_sync", grads(m))
m.zero_grad()
with m.no_sync():
    b = m(x).sum()
b.backward()
m(x * 2).sum().backward()
show("backward outside", grads(m))


class Twice(torch.nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.n, self.l, self.reentrant = net(), torch.nn.Linear(2, 2), reentrant

    def forward(self, x):
        y = self.l(x)
        return sum(checkpoint(self.n, y * k, use_reentrant=self.reentrant) for k in (1, 2))


for reentrant in (True, False):
    m = DDP(Twice(reentrant), static_graph=True)
    for _ in range(3):
        m.zero_grad()
        m(x).sum().backward()
        show("static", reentrant, grads(m))

# Ranks that run out of inputs.
for settings in ({}, {"bucket_cap_mb": 1e-5}, {"gradient_as_bucket_view": True}, {"find_unused_parameters": True},
                 {"static_graph": True}):  # fmt: skip
    for name, count in (("more and more", 2 + 3 * r), ("first has none", 3 * r), ("last has none", 3 * (n - 1 - r))):
        if "static_graph" in settings and name != "more and more":
            continue  # gloo aborts
        for norm in (False, True):
            m = DDP(net(norm), **settings)
            opt = torch.optim.SGD(m.parameters(), 0.1)
            with m.join():
                for i in range(count):
                    opt.zero_grad()
                    m(x * (i + 1)).sum().backward()
                    opt.step()
            show(settings, name, norm, [round(p.detach().sum().item(), 5) for p in m.parameters()])
            dist.barrier()
m = DDP(net())
with m.join(divide_by_initial_world_size=False):
    for _ in range(4 - 3 * min(r, 1)):
        m(x).sum().backward()
m.zero_grad()
m(x).sum().backward()
show("after the join", grads(m))
dist.barrier()
dist.destroy_process_group()
with open(f"{sys.argv[1]}.{r}", "w") as file:
    file.write("\n".join(out))
