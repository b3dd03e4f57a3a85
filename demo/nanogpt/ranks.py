"""The processes that train one model together: `npg run --nproc-per-node=2 demo/nanogpt/train.py`; usually one.

All draw the same batches and take their shares of them, so the losses are those of one process.
"""

import contextlib
import os
import sys

import npg
from config import DemoError
from npg import distributed


class Ranks:
    """The processes, this one's number among them, and what they tell each other.

    Attributes:
        count, number: of the processes, and of this one; the first one, 0, prints and writes.
    """

    def __init__(self):
        self.count, self.number = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        if self.count > 1:
            distributed.init_process_group("mpi")
        if self.number:
            sys.stdout = open(os.devnull, "w")

    @property
    def is_first(self):
        """Whether this process prints and writes."""
        return self.number == 0

    @contextlib.contextmanager
    def in_turn(self):
        """Let the first process run the block, then the others: it may make what they read."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()

    def wait(self):
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def check(self, batch_size):
        """Raise DemoError unless each process gets as many blocks of a batch."""
        if batch_size % self.count:
            raise DemoError(f"--batch_size: expected a multiple of the {self.count} processes, got {batch_size}")

    def share(self, *tensors):
        """Return this process's rows of tensors (B, ...)."""
        if self.count == 1:
            return tensors
        return tuple(x.chunk(self.count)[self.number] for x in tensors)

    def mean(self, value):
        """Return the mean of a number over the processes."""
        if self.count == 1:
            return value
        total = npg.tensor([value], dtype=npg.float64)
        distributed.all_reduce(total)
        return total.item() / self.count

    def any(self, flag):
        """Return whether it is true in any of the processes."""
        return self.mean(float(flag)) > 0

    def wrapped(self, model):
        """Return the model, which averages its gradients over the processes where there are several."""
        return model if self.count == 1 else npg.nn.parallel.DistributedDataParallel(model)

    def averaging(self, model, is_last):
        """Return a context in which a backward pass averages gradients only if it is the last one of an iteration."""
        return contextlib.nullcontext() if self.count == 1 or is_last else model.no_sync()

    def own_stream(self, seed, iteration, dropout):
        """Return a context in which this process drops out other numbers than the others."""
        if self.count == 1 or not dropout:
            return contextlib.nullcontext()
        return self._own_stream((seed * 1_000_003 + iteration) * self.count + self.number)

    @contextlib.contextmanager
    def _own_stream(self, seed):
        with npg.random.fork_rng():
            npg.manual_seed(seed)
            yield
