"""Time npg's two engines and PyTorch in turn, on the same weights and batches.

    python demo/nanogpt/bench.py                       one nanoGPT iteration: forward, backward, clipping, AdamW
    python demo/nanogpt/bench.py --n_layer=6 --n_embd=384 --n_head=6 --block_size=256 --rounds=3
    python demo/nanogpt/bench.py --chain               a chain of 1,000 multiplications and additions on (4, 4) float32

Each contender is a process of its own (the engine is chosen when npg is imported), limited to --threads threads.
Workers are warmed up, then asked for one round after the other, A B C A B C, so that what else the machine does falls
on all of them. Ratios are medians over the rounds of the quotient within a round. PyTorch runs the very same model.py:
npg's names are its names, so the module npg is replaced by torch before the file is imported.
"""

import contextlib
import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

from config import DemoError, parse, require

CONTENDERS = ("cython", "python", "torch", "numpy")
LABELS = {
    "cython": "npg, Cython engine",
    "python": "npg, Python engine",
    "torch": "PyTorch",
    "numpy": "NumPy, forward only",
}
AGREE = 1e-3  # relative difference of the losses between two contenders


@dataclasses.dataclass
class BenchConfig:
    """Sizes of the model and of the measurement. --contenders is a choice of cython,python,torch,numpy."""

    contenders: str = ""  # empty: all that apply
    rounds: int = 12
    iters: int = 5  # a round
    warmup: int = 5
    threads: int = 2
    batch_size: int = 12
    block_size: int = 64
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    vocab_size: int = 65
    bias: bool = False
    gelu: str = "none"
    chain: bool = False  # time the chain instead of the model
    length: int = 1000  # operations in the chain
    worker: str = ""  # internal: the contender that this process is


def check_bench(config):
    """Raise DemoError when a value of a BenchConfig cannot be meant."""
    counts = "rounds iters warmup threads batch_size block_size n_layer n_head n_embd vocab_size"
    require(config, "an integer of at least 1", counts, lambda value: value >= 1)
    require(config, "an even integer of at least 2", "length", lambda value: value >= 2 and value % 2 == 0)
    require(config, "none or tanh", "gelu", lambda value: value in ("none", "tanh"))
    if config.n_embd % config.n_head:
        raise DemoError(f"--n_embd: expected a multiple of --n_head, got {config.n_embd} and {config.n_head}")
    for name in chosen(config):
        if name not in CONTENDERS or (name == "numpy" and not config.chain):
            raise DemoError(
                f"--contenders: expected a choice of {', '.join(CONTENDERS)} (numpy with --chain only), got {name!r}"
            )


def chosen(config):
    """Return the names of the contenders."""
    if config.contenders:
        return config.contenders.split(",")
    return [name for name in CONTENDERS if name != "numpy" or config.chain]


# ----- A worker -----


def work(config):
    """Be one contender: announce the warm-up's results, then run a round for every line on standard input."""
    step = (numpy_chain if config.worker == "numpy" else chain if config.chain else iteration)(config)
    print(
        json.dumps({"results": [step() for _ in range(config.warmup)], "version": version(config.worker)}), flush=True
    )
    for _ in sys.stdin:
        times = []
        for _ in range(config.iters):
            started = time.perf_counter()
            step()
            times.append(time.perf_counter() - started)
        print(json.dumps(times), flush=True)


def library(config):
    """Return npg with the engine of NPG_ENGINE, or torch in its place."""
    if config.worker == "torch":
        import torch

        torch.set_num_threads(config.threads)
        sys.modules.update({"npg": torch, "npg.nn": torch.nn, "npg.nn.functional": torch.nn.functional})
    import npg

    return npg


def version(worker):
    """Return the name and version of what a worker runs on."""
    module = sys.modules["numpy" if worker == "numpy" else "torch" if worker == "torch" else "npg"]
    return f"{module.__name__} {module.__version__}"


def iteration(config):
    """Return a function that does one training iteration, as train.py does it, and returns the loss."""
    npg = library(config)
    from model import GPT, GPTConfig

    names = [field.name for field in dataclasses.fields(GPTConfig) if hasattr(config, field.name)]
    model = GPT(GPTConfig(**{name: getattr(config, name) for name in names}))
    draw = np.random.default_rng(1337)  # NumPy's own stream: the same for every contender, whatever its generator
    state = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    for name, tensor in state.items():
        if tensor.dim() > 1:
            state[name] = npg.from_numpy(draw.standard_normal(tuple(tensor.shape), np.float32) * np.float32(0.02))
    model.load_state_dict({**state, "lm_head.weight": state["transformer.wte.weight"]})
    shape = (config.batch_size, config.block_size + 1)
    batches = [draw.integers(config.vocab_size, size=shape) for _ in range(8)]
    pairs = [tuple(npg.from_numpy(np.ascontiguousarray(part)) for part in (b[:, :-1], b[:, 1:])) for b in batches]
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99))
    count = 0

    def step():
        nonlocal count
        x, y = pairs[count % len(pairs)]
        count += 1
        _, loss = model(x, y)
        loss.backward()
        npg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def _operands():
    draw = np.random.default_rng(1337)
    x = draw.standard_normal((4, 4), np.float32)
    w = np.float32(1) + np.float32(1e-3) * draw.standard_normal((4, 4), np.float32)
    return x, w, np.float32(1e-3) * draw.standard_normal((4, 4), np.float32)


def chain(config):
    """Return a function that runs the chain on a leaf, forward and backward, and returns the gradient's sum."""
    npg = library(config)
    x, w, b = map(npg.from_numpy, _operands())
    x.requires_grad_()
    half = config.length // 2

    def step():
        x.grad = None
        y = x
        for _ in range(half):
            y = y * w
            y = y + b
        y.sum().backward()
        return x.grad.sum().item()

    return step


def numpy_chain(config):
    """Return a function that runs the chain's forward on bare arrays: what no autograd on NumPy can undercut."""
    x, w, b = _operands()
    half = config.length // 2

    def step():
        y = x
        for _ in range(half):
            y = y * w
            y = y + b
        return float(y.sum())

    return step


# ----- The judge -----


class Worker:
    """A contender's process, starting up; its answers raise DemoError with its last words when it has ended."""

    def __init__(self, name, config, arguments):
        threads = {f"{library}_NUM_THREADS": str(config.threads) for library in ("OMP", "OPENBLAS", "MKL", "VECLIB")}
        environment = {**os.environ, **threads}
        if name in ("cython", "python"):
            environment["NPG_ENGINE"] = name
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, __file__, *arguments, f"--worker={name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.ready = None

    def wait(self):
        """Wait until the process is warmed up; `ready` then holds its results and its version."""
        self.ready = self._answer()

    def round(self):
        """Return the seconds of each iteration of one round."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # a worker ends with its input
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def _answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        _, errors = self.process.communicate()
        raise DemoError(f"the worker {self.name} ended: {(errors.strip().splitlines() or ['without a word'])[-1]}")


def measure(config, arguments, say=print):
    """Run the contenders in turn.

    Returns: dict of contender to its rounds, each a list of seconds.
    Raises: DemoError: when a worker fails, or two contenders compute different losses. A missing PyTorch is left out.
    """
    started = [Worker(name, config, arguments) for name in chosen(config)]  # side by side: nothing is timed yet
    try:
        workers = []
        for worker in started:
            try:
                worker.wait()
                workers.append(worker)
            except DemoError as error:
                if worker.name != "torch" or "No module named 'torch'" not in str(error):
                    raise
                say("PyTorch is not installed and left out")
        judged = [worker for worker in workers if worker.name != "numpy"]  # which has no loss and no gradient
        for worker in judged[1:]:
            for mine, first in zip(worker.ready["results"], judged[0].ready["results"]):
                if not abs(mine - first) <= AGREE * abs(first):
                    raise DemoError(
                        f"{worker.name} computes {mine}, {judged[0].name} computes {first}: nothing to compare"
                    )
        versions = [worker.ready["version"] for worker in workers] + [f"numpy {np.__version__}"]
        say(f"versions: {', '.join(dict.fromkeys(versions))}")
        rounds = {worker.name: [] for worker in workers}
        for _ in range(config.rounds):
            for worker in workers:
                rounds[worker.name].append(worker.round())
        return rounds
    finally:
        for worker in started:
            worker.close()


def report(rounds, say=print):
    """Print a line per contender: its median and, to each other one, the median of the ratios within a round."""
    medians = {name: [statistics.median(times) for times in each] for name, each in rounds.items()}
    say(f"{'':22}{'ms':>9}" + "".join(f"{'of ' + name:>12}" for name in medians))
    for name, mine in medians.items():
        ratios = [statistics.median(a / b for a, b in zip(mine, other)) for other in medians.values()]
        milliseconds = 1e3 * statistics.median(time for times in rounds[name] for time in times)
        say(f"{LABELS[name]:22}{milliseconds:9.3f}" + "".join(f"{ratio:12.2f}" for ratio in ratios))


def machine():
    """Return what the figures were measured on."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} CPUs, {system}, {datetime.date.today()}"


def main(arguments=None):
    """Run the command line; a mistake in it ends in one line on standard error."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        config, _ = parse(BenchConfig, arguments, "bench.py")
        check_bench(config)
        if config.worker:
            work(config)
            return
        if config.chain:
            print(f"a chain of {config.length} multiplications and additions on (4, 4) float32, forward and backward")
        else:
            print(
                f"one iteration: batch {config.batch_size}, block {config.block_size}, {config.n_layer} layers, "
                f"{config.n_head} heads, {config.n_embd} wide, vocabulary {config.vocab_size}"
            )
        print(f"{config.threads} threads, {config.rounds} rounds of {config.iters} in turn; {machine()}")
        report(measure(config, arguments))
    except DemoError as error:
        sys.exit(f"bench.py: error: {error}")


if __name__ == "__main__":
    main()
