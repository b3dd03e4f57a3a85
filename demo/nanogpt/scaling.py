"""How much faster several processes of one thread train than one: npg by MPI, PyTorch by gloo.

    python demo/nanogpt/bench.py --ranks=2             samples a second of 2 processes over those of 1
    python demo/nanogpt/bench.py --ranks=2 --n_embd=512 --n_head=8   more gradients

Each process has batches of its own of --batch_size, as with DistributedDataParallel; "alone" are the same processes
without averaging gradients, so what they take longer together is communication that no computation hides.
"""

import statistics
import sys
from multiprocessing.connection import Client, Listener

WAYS = ("1", "n", "alone")


def names():
    """Return the names of the contenders: library and how it runs."""
    return [f"{library}-{way}" for library in ("cython", "torch") for way in WAYS]


def command(name, ranks, script, arguments):
    """Return the command that starts a contender's processes; the first of them reads the standard input."""
    library, _, way = name.partition("-")
    words = [script, *arguments, f"--worker={name}"]
    if way == "1":
        return [sys.executable, *words]
    if library == "torch":
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        return [*launcher, *words]
    return [sys.executable, "-m", "npg", "run", f"--nproc-per-node={ranks}", *words]


class Together:
    """The processes of a contender: they begin each round together, and the first one answers.

    Args:
        library: npg or torch. way: how it runs.
    """

    def __init__(self, library, way):
        self.library, self.way, self.rank, self.count = library, way, 0, 1
        if way != "1":
            distributed = library.distributed
            distributed.init_process_group("gloo")
            self.rank, self.count = distributed.get_rank(), distributed.get_world_size()

    def wrapped(self, model):
        """Return the model with averaged gradients, where this contender averages them."""
        return self.library.nn.parallel.DistributedDataParallel(model) if self.way == "n" else model

    def rounds(self):
        """Yield once for each line of the first process's standard input.

        The others wait by a socket, which costs no computing time while another contender is timed.
        """
        port = self.library.zeros(1, dtype=self.library.int64)
        others = []
        if self.rank == 0:
            with Listener(("localhost", 0), backlog=self.count) as listener:
                if self.count > 1:
                    port.fill_(listener.address[1])
                    self.library.distributed.broadcast(port, 0)
                others = [listener.accept() for _ in range(self.count - 1)]
            for _ in sys.stdin:
                for other in others:
                    other.send(True)
                yield
            for other in others:
                other.send(False)
        else:
            self.library.distributed.broadcast(port, 0)
            with Client(("localhost", int(port))) as first:
                while first.recv():
                    yield

    def end(self):
        """Leave the group."""
        if self.count > 1:
            self.library.distributed.destroy_process_group()


def report(rounds, ranks, batch_size, say=print):
    """Print of each library its samples a second, the gain of several processes, and the communication not hidden."""
    times = {name: [statistics.median(each) for each in turns] for name, turns in rounds.items()}
    say(f"{'':10}{'1 process':>14}{f'{ranks} processes':>14}{'gain':>8}{'exposed':>10}")
    for library in dict.fromkeys(name.partition("-")[0] for name in times):
        one, several, alone = (times[f"{library}-{way}"] for way in WAYS)
        gain = statistics.median(ranks * a / b for a, b in zip(one, several))
        exposed = statistics.median(1 - a / b for a, b in zip(alone, several))
        speeds = [f"{count * batch_size / statistics.median(t):.1f}/s" for count, t in ((1, one), (ranks, several))]
        say(f"{'npg' if library == 'cython' else library:10}{speeds[0]:>14}{speeds[1]:>14}{gain:8.2f}{exposed:10.1%}")
    if "torch-n" in times:
        ratio = statistics.median(a / b for a, b in zip(times["cython-n"], times["torch-n"]))
        say(f"{ranks} processes of npg take {ratio:.2f} of the time of {ranks} of PyTorch")
