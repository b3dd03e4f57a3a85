"""Run a script whose ranks can write no file of more than 20,000 bytes once they have met: a disk that is full."""

import os
import resource
import runpy
import sys

from npg import distributed

begin = distributed.init_process_group


def limited(*arguments, **settings):
    begin(*arguments, **settings)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


distributed.init_process_group = limited
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
