"""ZeroRedundancyOptimizer: steps, a schedule, saving and loading."""

import sys

import torch
import torch.distributed as dist
import torch.nn as nn
from torch.distributed.optim import ZeroRedundancyOptimizer as Z
from torch.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group("gloo")
r, n = dist.get_rank(), dist.get_world_size()
out = []


def show(*a):
    out.append(" ".join(str(x) for x in a))


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))


m = DDP(net())
opt = Z(m.parameters(), torch.optim.Adam, lr=0.01)
g = torch.Generator().manual_seed(r)
sched = torch.optim.lr_scheduler.StepLR(opt, 2)
for i in range(5):
    x = torch.randn(5, 8, generator=g)
    opt.zero_grad()
    l = m(x).pow(2).mean()
    l.backward()
    opt.step()
    sched.step()
    show(i, round(l.item(), 6), [round(float(p.detach().double().sum()), 5) for p in m.parameters()])
opt.consolidate_state_dict(0)
if r == 0:
    sd = opt.state_dict()
    show(
        sorted(sd["state"]),
        [round(float(s["exp_avg"].double().sum()), 6) for s in sd["state"].values()],
        sd["param_groups"][0]["lr"],
    )
else:
    try:
        opt.state_dict()
    except RuntimeError as e:
        show(str(e)[:60])
o = [sd if r == 0 else None]
dist.broadcast_object_list(o, 0)
m2 = DDP(net())
m2.load_state_dict(m.state_dict())
opt2 = Z(m2.parameters(), torch.optim.Adam, lr=0.01)
opt2.load_state_dict(o[0])
for mm, oo in ((m, opt), (m2, opt2)):
    oo.zero_grad()
    mm(torch.ones(5, 8)).pow(2).mean().backward()
    oo.step()
show(len(opt2.param_groups))
dist.destroy_process_group()
open(f"{sys.argv[1]}.{r}", "w").write("\n".join(out))
