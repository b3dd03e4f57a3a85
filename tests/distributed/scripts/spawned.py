"""Processes that no launcher of MPI has started: by spawn, by fork, or one that a shell has started."""

import os
import sys
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def work(rank, size, way, place):
    limit = timedelta(seconds=2 if way == "late" else 60)
    if way == "store":
        host, port = place.split()
        store = dist.TCPStore(host, int(port), size, rank == 0, limit)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=size)
    elif "://" in place:
        dist.init_process_group("gloo", place, rank=rank, world_size=size, timeout=limit)
    else:
        os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = place.split()
        dist.init_process_group("gloo", rank=rank, world_size=size, timeout=limit)
    x = torch.ones(2) * (rank + 1)
    dist.all_reduce(x)
    print(f"rank {rank} of {dist.get_world_size()}: {x.tolist()}\n", end="", flush=True)
    if rank == 1:
        if way == "raise":
            raise ValueError("boom")
        if way == "exit":
            sys.exit(3)
        if way == "kill":
            os.kill(os.getpid(), 9)
        if way == "os_exit":
            os._exit(4)
    for _ in range(2):
        dist.barrier()
    if way == "again":
        dist.destroy_process_group()
        dist.init_process_group("gloo", rank=rank, world_size=size)
        dist.all_reduce(x)
        print(f"again {x.tolist()}\n", end="", flush=True)
    if way != "not destroyed":
        dist.destroy_process_group()


if __name__ == "__main__":
    way, size, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if "RANK" in os.environ:
        work(int(os.environ["RANK"]), size, way, place)
    elif way == "fork":
        mp.start_processes(work, (size, way, place), size, start_method="fork")
    else:
        mp.spawn(work, (size, way, place), size)
    print("done")
