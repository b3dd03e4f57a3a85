"""DistributedDataParallel in its modes, with hooks, errors and uneven inputs."""

import sys

import torch
import torch.distributed as dist
import torch.nn as nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks as H
from torch.distributed.algorithms.ddp_comm_hooks.debugging_hooks import noop_hook
from torch.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group("gloo")
r, n = dist.get_rank(), dist.get_world_size()
out = []


def show(*a):
    out.append(" ".join(str(x) for x in a))


def digest(m):
    return [round(float(p.detach().double().sum()), 6) for p in m.parameters()]


def rounded(x):
    return [round(v, 5) for v in x.flatten().tolist()[:6]]


class Net(nn.Module):
    def __init__(s, extra=False):
        super().__init__()
        s.a = nn.Linear(8, 16)
        s.bn = nn.BatchNorm1d(16)
        s.b = nn.Linear(16, 4)
        s.unused = nn.Linear(3, 3) if extra else None

    def forward(s, x, use=False):
        y = s.b(torch.relu(s.bn(s.a(x))))
        if use:
            y = y + s.unused(x[:, :3]).sum()
        return y


for kw in (
    {},
    {"gradient_as_bucket_view": True},
    {"find_unused_parameters": True},
    {"static_graph": True},
    {"bucket_cap_mb": 0.0001},
    {"broadcast_buffers": False},
):
    torch.manual_seed(r + 1)
    extra = "find_unused_parameters" in kw
    m = DDP(Net(extra), **kw)
    opt = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
    g = torch.Generator().manual_seed(5 + r)
    for it in range(4):
        x = torch.randn(6, 8, generator=g)
        t = torch.randn(6, 4, generator=g)
        opt.zero_grad(set_to_none=it % 2 == 0)
        if it == 2:
            with m.no_sync():
                ((m(x) - t) ** 2).mean().backward()
        loss = ((m(x, use=extra and it == 3) - t) ** 2).mean() if extra else ((m(x) - t) ** 2).mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()
        show(kw, it, round(loss.item(), 5), round(float(norm), 5), digest(m))
    show(sorted(m.state_dict())[:3])

for hook in (H.allreduce_hook, H.fp16_compress_hook, noop_hook):
    torch.manual_seed(3)
    m = DDP(Net())
    m.register_comm_hook(None, hook)
    x = torch.randn(6, 8) + r
    m(x).pow(2).mean().backward()
    show(hook.__name__, [rounded(p.grad) for p in m.parameters()])


def err(f):
    try:
        show("no error", f())
    except Exception as e:
        show(type(e).__name__, str(e)[:150])


err(lambda: DDP(nn.ReLU()))
err(lambda: DDP(Net()).register_comm_hook(None, H.bf16_compress_hook))
err(lambda: DDP(Net()).register_comm_hook(None, H.bf16_compress_wrapper(H.allreduce_hook)))
m = DDP(Net(True))


def two():
    for _ in range(2):
        m(torch.ones(2, 8)).sum().backward()


err(two)
torch.manual_seed(0)
m = DDP(nn.Linear(4, 2), bucket_cap_mb=1)
opt = torch.optim.SGD(m.parameters(), lr=0.1)
with m.join():
    for i in range(3 + r):
        opt.zero_grad()
        m(torch.ones(2, 4) * (i + 1)).pow(2).mean().backward()
        opt.step()
show("join", digest(m))
dist.barrier()
torch.manual_seed(0)
m = DDP(nn.Linear(4, 2))
opt = torch.optim.SGD(m.parameters(), lr=0.1)
with m.join(divide_by_initial_world_size=False):
    for i in range(3 + r):
        opt.zero_grad()
        m(torch.ones(2, 4) * (i + 1)).pow(2).mean().backward()
        opt.step()
show("join2", digest(m))
dist.barrier()


def early():
    with m.join(throw_on_early_termination=True):
        for i in range(3 + r):
            opt.zero_grad()
            m(torch.ones(2, 4) * (i + 1)).pow(2).mean().backward()
            opt.step()


if n > 1:
    err(early)
dist.barrier()
dist.destroy_process_group()
open(f"{sys.argv[1]}.{r}", "w").write("\n".join(out))
