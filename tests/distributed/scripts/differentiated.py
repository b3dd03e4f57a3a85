"""The collectives that are differentiated: what they return, first and second derivatives."""

import sys
import warnings

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as fcol
import torch.distributed.nn as dnn

warnings.simplefilter("ignore")
dist.init_process_group("gloo")
rank, n = dist.get_rank(), dist.get_world_size()
some = dist.new_group(list(range(max(1, n - 1))))
lines = []


def leaf(*shape):
    torch.manual_seed(rank + 10 * len(lines))
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def note(name, outputs, *inputs):
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    lines.append(f"{name} {[x.tolist() for x in outputs]}")
    loss = sum((x**3 * (rank + 1 + i)).sum() for i, x in enumerate(outputs))
    grads = torch.autograd.grad(loss, inputs, create_graph=True)
    lines.append(f"{name} gradients {[g.tolist() for g in grads]}")
    second = torch.autograd.grad(sum((g**2).sum() for g in grads), inputs)
    lines.append(f"{name} second {[g.tolist() for g in second]}")


x = leaf(2, 3)
note("all_reduce", dnn.all_reduce(x), x)
note("all_reduce, transposed", dnn.all_reduce(x.t()), x)
x = leaf(2, 3)
note("all_gather", dnn.all_gather(x), x)
for root in {0, n - 1}:
    x = leaf(4)
    note("broadcast", dnn.broadcast(x, root), x)
    x = leaf(4)
    result = dnn.reduce(x, root)
    note("reduce", result if rank == root else result * 0, x)
    x = leaf(2)
    note("gather", dnn.gather(x, root), x)
    xs = [leaf(3) for _ in range(n)]
    note("scatter", dnn.scatter(xs, root), *xs)
xs = [leaf(2) for _ in range(n)]
note("all_to_all", dnn.all_to_all([torch.empty(2, dtype=torch.float64) for _ in range(n)], xs), *xs)
x = leaf(2 * n, 2)
note("all_to_all_single", dnn.all_to_all_single(torch.empty(2 * n, 2, dtype=torch.float64), x), x)
sent = [(rank + other) % 3 for other in range(n)]  # rows: the same both ways
x = leaf(sum(sent), 2)
room = torch.empty(sum(sent), 2, dtype=torch.float64)
note("all_to_all_single of some rows", dnn.all_to_all_single(room, x, sent, sent), x)
x = leaf(sum(sent), 2)
note(
    "all_to_all_single_autograd", fcol.wait_tensor(fcol.all_to_all_single_autograd(x, sent, sent, dist.group.WORLD)), x
)
if rank < n - 1:
    x = leaf(3)
    note("all_gather of some ranks", dnn.all_gather(x, some), x)
    note("all_reduce of some ranks", dnn.all_reduce(x, group=some), x)
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    file.write("\n".join(lines))
dist.destroy_process_group()
