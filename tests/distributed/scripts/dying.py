"""Rank 1 ends in one of many ways while the others wait for it."""

import datetime
import os
import sys
import threading
import time

import torch
import torch.distributed as dist

mode = sys.argv[1]
limit = datetime.timedelta(seconds=1) if mode in ("silent", "stopped", "silent_future") else None
dist.init_process_group("gloo", timeout=limit)
rank = dist.get_rank()


def boom():
    raise ValueError("boom in " + mode)


def in_hook():
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda _g: boom())
    y.backward()


def again():
    if int(os.environ["TORCHELASTIC_RESTART_COUNT"]) < 2:
        sys.exit(6)


def leave(how):
    """Rank 1 ends well, and the others wait for it."""
    if how == "ring":  # as in groups of many ranks
        from npg.distributed import _departures

        _departures._FEW = 0
    x = torch.ones(1)
    if rank == 1:
        dist.destroy_process_group()
        sys.exit(0)
    try:
        if how == "async":
            dist.all_reduce(x, async_op=True).wait()
        elif how == "future":
            dist.all_reduce(x, async_op=True).get_future().then(lambda done: done.value()).wait()
        elif how == "message":
            dist.recv(x, src=1)
        else:
            dist.all_reduce(x)
    except RuntimeError:
        if how == "caught_exit":
            sys.exit(7)
        if how != "caught":
            raise
    finally:
        dist.destroy_process_group()
    print("end", rank)
    sys.exit(0)


WAYS = {
    "raise": boom,
    "exit": lambda: sys.exit(3),
    "thread": lambda: threading.Thread(target=boom).start(),
    "hook": in_hook,
    "kill": lambda: os.kill(os.getpid(), 9),
    "os_exit": lambda: os._exit(5),
    "silent": lambda: time.sleep(60),
    "silent_future": lambda: time.sleep(60),
    "twice": again,
}
if mode == "sleep":
    print(os.getpid(), flush=True)
    time.sleep(60)
if mode == "stopped":
    if rank == 1:
        print(os.getpid(), flush=True)
    for _ in range(600):
        dist.all_reduce(torch.ones(1))
        time.sleep(0.1)
if mode.startswith("left_"):
    leave(mode.removeprefix("left_"))
if rank == 1:
    time.sleep(0.2)
    if mode == "systemexit":
        raise SystemExit(4)
    WAYS.get(mode, lambda: None)()
x = torch.ones(1)
if mode == "silent_future":
    dist.all_reduce(x, async_op=True).get_future().wait()
dist.all_reduce(x)
dist.barrier()
if mode == "early" and rank == 1:
    sys.exit(0)
time.sleep(0.3)
if mode != "early":
    dist.all_reduce(x)
print("end", rank)
