"""A script for torchrun, with the names that such scripts import."""

import os
import sys

import torch.distributed as dist
from torch.distributed.distributed_c10d import _get_default_group
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, record


def hook(state: object, bucket: dist.GradBucket) -> None:
    """Be a communication hook: its annotations are read when it is defined."""


assert issubclass(ChildFailedError, Exception)


@record
def main():
    dist.init_process_group(dist.get_default_backend_for_device("cpu"))
    print(dist.get_rank(), _get_default_group().size(), os.environ["LOCAL_RANK"], *sys.argv[1:])
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
