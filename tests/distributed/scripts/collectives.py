"""Every collective, message and group, each result printed."""

import sys

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
r, n = dist.get_rank(), dist.get_world_size()
out = []


def show(*a):
    out.append(" ".join(str(x) for x in a))


R = dist.ReduceOp
for dt in (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.int8, torch.float16):
    for op in (R.SUM, R.PRODUCT, R.MIN, R.MAX):
        x = (torch.arange(6).reshape(2, 3) % 4 + r + 1).to(dt)
        dist.all_reduce(x, op)
        show(dt, op, x.tolist())
for op in (R.BAND, R.BOR, R.BXOR):
    x = torch.arange(6) + 3 * r
    dist.all_reduce(x, op)
    show(op, x.tolist())
x = torch.arange(6.0).reshape(2, 3).t() + r
dist.all_reduce(x)
show("strided", x.tolist(), x.stride())
x = torch.tensor(3.0) + r
w = dist.all_reduce(x, async_op=True)
show(w.wait(), w.is_completed(), x.item())
for s in range(n):
    x = torch.full((3,), float(r))
    dist.broadcast(x, s)
    show("bc", x.tolist())
    x = torch.full((3,), float(r))
    dist.reduce(x, s)
    show("red", x.tolist() if r == s else None)
    l = [torch.zeros(2) for _ in range(n)] if r == s else None
    dist.gather(torch.tensor([r, r + 0.5]), l, dst=s)
    show("gather", [t.tolist() for t in l] if l else None)
    x = torch.zeros(2)
    dist.scatter(x, [torch.tensor([10.0 * s + i, i]) for i in range(n)] if r == s else None, src=s)
    show("scatter", x.tolist())
l = [torch.zeros(2, 2) for _ in range(n)]
dist.all_gather(l, torch.full((2, 2), float(r)))
show("ag", [t.tolist() for t in l])
x = torch.zeros(n * 2, 2)
dist.all_gather_into_tensor(x, torch.full((2, 2), float(r)))
show("agt", x.tolist())
x = torch.zeros(2)
dist.reduce_scatter(x, [torch.tensor([i, r * 1.0]) for i in range(n)])
show("rs", x.tolist())
x = torch.zeros(2)
dist.reduce_scatter_tensor(x, torch.arange(2.0 * n) + r)
show("rst", x.tolist())
x = torch.zeros(n)
dist.all_to_all_single(x, torch.arange(n * 1.0) + 10 * r)
show("a2a", x.tolist())
ins = [i + 1 for i in range(n)]
outs = [r + 1] * n
x = torch.zeros(sum(outs), 2)
dist.all_to_all_single(x, torch.arange(sum(ins) * 2.0).reshape(-1, 2) + 100 * r, outs, ins)
show("a2a split", x.tolist())
if n > 1:
    if r == 0:
        dist.send(torch.arange(3.0), 1)
        x = torch.zeros(3)
        show(dist.recv(x, 1), x.tolist())
        dist.send(torch.ones(2), dst=1, tag=7)
    elif r == 1:
        x = torch.zeros(3)
        dist.recv(x, 0)
        dist.send(x * 2, 0)
        y = torch.zeros(2)
        show("any", dist.recv(y, tag=7), y.tolist())
    x = torch.zeros(2)
    ops = [dist.P2POp(dist.isend, torch.full((2,), float(r)), (r + 1) % n), dist.P2POp(dist.irecv, x, (r - 1) % n)]
    for w in dist.batch_isend_irecv(ops):
        w.wait()
    show("ring", x.tolist())
o = [None] * n
dist.all_gather_object(o, {"rank": r, "x": "a" * r * 100, "t": torch.tensor([r])})
show(o)
o = [{"a": r}, r * 2, "s" * r]
dist.broadcast_object_list(o, src=n - 1)
show(o)
o = [None] * n if r == 0 else None
dist.gather_object(("x", r), o, 0)
show(o)
o = [None]
dist.scatter_object_list(o, [f"for {i}" * (i + 1) for i in range(n)] if r == 0 else None, src=0)
show(o)
g = dist.new_group(list(range(0, n, 2)))
show(dist.get_rank(g), dist.get_world_size(g))
if r % 2 == 0:
    x = torch.tensor([1.0 + r])
    dist.all_reduce(x, group=g)
    show("grp", x.item(), dist.get_process_group_ranks(g), dist.get_group_rank(g, r), dist.get_global_rank(g, 0))
    x = torch.tensor([1.0 + r])
    dist.broadcast(x, src=0, group=g)
    show(x.item())
dist.barrier()
dist.monitored_barrier()
show(dist.get_backend(), dist.is_initialized(), R.SUM, repr(R.SUM))


def err(f):
    try:
        show("no error", f())
    except Exception as e:
        show(type(e).__name__, str(e)[:160].replace("torch.", "").replace("npg.", ""))


err(lambda: dist.all_reduce([1]))
err(lambda: dist.broadcast(torch.ones(1)))
err(lambda: dist.new_group([0, 0]))
err(lambda: dist.new_group([99]))
err(lambda: dist.init_process_group("gloo"))
err(lambda: dist.all_gather([torch.ones(1)] * n, torch.ones(1, dtype=torch.int64)))
err(lambda: dist.send(torch.ones(1), r))
err(lambda: dist.get_rank("x"))
dist.barrier()
dist.destroy_process_group()
err(lambda: dist.get_rank())
open(f"{sys.argv[1]}.{r}", "w").write("\n".join(out))
