"""What does not fit is refused, with the ranks and the shapes of both sides; odd tensors are sent as they are."""

import datetime
import sys

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank, ranks = dist.get_rank(), dist.get_world_size()
lines = []


def told(function, *arguments, **settings):
    try:
        function(*arguments, **settings)
    except Exception as error:
        lines.append(f"{type(error).__name__}: {error}")
    else:
        lines.append("done")


# A message of another length.
if rank == 0:
    dist.send(torch.ones(3), 1)
elif rank == 1:
    told(dist.recv, torch.zeros(5), 0)
if rank == 0:
    dist.send(torch.ones(5), 1)
elif rank == 1:
    told(dist.recv, torch.zeros(3), 0)
dist.barrier()

# Nobody is there in time.
limit = datetime.timedelta(seconds=0.3)
if rank == 0:
    told(dist.monitored_barrier, timeout=limit)
dist.barrier()
told(dist.monitored_barrier, timeout=datetime.timedelta(seconds=20))

# Different things in different ranks.
dist.set_debug_level(dist.DebugLevel.DETAIL)
told(dist.all_reduce, torch.ones(2 + rank))
told(dist.all_reduce if rank else dist.broadcast, torch.ones(2), **({} if rank else {"src": 0}))
told(dist.all_reduce, torch.ones(2, dtype=torch.float64 if rank else torch.float32))
told(dist.all_reduce, torch.ones(2))
dist.set_debug_level(dist.DebugLevel.OFF)

# Odd tensors.
whole = torch.arange(24.0).reshape(2, 3, 4) + rank
for x in (
    whole[:, 1],
    whole.permute(2, 0, 1)[1:3],
    whole[0, 0, ::2],
    whole[1, 1, 1],
    whole[:0],
    whole[0, :1].expand(3, 4).clone(),
    torch.ones(3, dtype=torch.bool),
    torch.full((2,), float("nan")),
    torch.full((2,), 6e4, dtype=torch.float16),
    torch.ones(1 << 20),
):
    y = x.clone()
    dist.all_reduce(x)
    expected = y.clone()
    for other in range(ranks):
        z = y.clone()
        dist.broadcast(z, other)
        expected = z if other == 0 else (expected | z if z.dtype == torch.bool else expected + z)
    lines.append(str(torch.equal(torch.nan_to_num(x), torch.nan_to_num(expected)) or x.shape))

dist.barrier()
dist.destroy_process_group()
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    file.write("\n".join(lines))
