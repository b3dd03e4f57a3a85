"""Where each rank is."""

import os
import socket
import sys

import torch.distributed as dist

dist.init_process_group("gloo")
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK")
with open(f"{sys.argv[1]}.{dist.get_rank()}", "w") as file:
    file.write(" ".join([socket.gethostname(), *(os.environ[name] for name in names)]))
dist.destroy_process_group()
