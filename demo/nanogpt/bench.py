"""Time npg's two engines and PyTorch by turns, on the same weights and batches.

    python demo/nanogpt/bench.py                       one nanoGPT iteration: forward, backward, clipping, AdamW
    python demo/nanogpt/bench.py --n_layer=6 --n_embd=384 --n_head=6 --block_size=256 --rounds=3
    python demo/nanogpt/bench.py --chain               a chain of 1,000 multiplications and additions on (4, 4) float32
    python demo/nanogpt/bench.py --instructions=avx2   NumPy, OpenBLAS and PyTorch as on a processor without AVX-512
    python demo/nanogpt/bench.py --ranks=2             one process of one thread, and two by MPI; see scaling.py
    python demo/nanogpt/bench.py --imports             import npg against import numpy, a new process each time
    python demo/nanogpt/bench.py --checkpointing       peak memory of an iteration of 12 layers, with and without
    python demo/nanogpt/bench.py --resident            resident memory over 10,000 iterations, garbage collector off

Each contender runs in its own process (the engine is selected when npg is imported), limited to --threads threads;
contenders.py has its work. Workers warm up, then run rounds by turns, A B C A B C, so that other load on the machine
affects all of them. Ratios are medians over the rounds of the quotient within a round. The last two commands measure
bytes, not times; see memory.py.
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
import tempfile
import time

import numpy as np

import memory
import scaling
from config import DemoError, one_line, parse, require

CONTENDERS = ("cython", "python", "torch", "numpy")
LABELS = {
    "cython": "npg, Cython engine",
    "python": "npg, Python engine",
    "torch": "PyTorch",
    "numpy": "NumPy, forward only",
}
IMPORTS = {
    "cython": "import npg",
    "python": "import npg (Python)",
    "torch": "import torch",
    "numpy": "import numpy",
}
MODULES = {"cython": "npg", "python": "npg", "torch": "torch", "numpy": "numpy"}
AGREE = 1e-3  # relative difference of the losses between two contenders
# What processes may use of the processor: variables of NumPy, OpenBLAS, PyTorch's own kernels, oneDNN and MKL.
INSTRUCTIONS = {
    "given": {},
    "native": dict.fromkeys(("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")),  # None: not set
    "avx2": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}
QUIET = 0.15  # seconds before a round: threads of the previous process, such as OpenBLAS's, spin for 0.1


@dataclasses.dataclass
class BenchConfig:
    """Sizes of the model and of the measurement. --contenders is a choice of cython,python,torch,numpy."""

    contenders: str = ""  # empty: all applicable ones
    rounds: int = 12
    iters: int = 5  # a round
    warmup: int = 5
    threads: int = 2
    instructions: str = "given"  # by the environment; native: all that the processor has; avx2: no AVX-512
    batch_size: int = 12
    block_size: int = 64
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    vocab_size: int = 65
    bias: bool = False
    dropout: float = 0.0
    gelu: str = "none"
    chain: bool = False  # time the chain instead of the model
    length: int = 1000  # operations in the chain
    imports: bool = False  # time the import instead of the model
    checkpointing: bool = False  # measure the peak memory with checkpointing instead of times
    ranks: int = 1  # compare one process of one thread with so many that train together
    resident: bool = False  # measure the resident memory over --steps iterations instead of times
    steps: int = 10000
    worker: str = ""  # internal: the contender that this process is
    way: str = ""  # internal: how this process checkpoints


# The defaults of sizes that differ from those above.
OTHER_SIZES = {
    "imports": {"rounds": 40},
    "checkpointing": {"n_layer": 12},
    "resident": {"n_layer": 2, "n_head": 2, "n_embd": 32, "batch_size": 4, "block_size": 16},
}


def sized(config, explicit):
    """Return the config with the mode's sizes, except for keys that the user has set."""
    sizes = {key: size for mode, preset in OTHER_SIZES.items() if getattr(config, mode) for key, size in preset.items()}
    return dataclasses.replace(config, **{key: size for key, size in sizes.items() if key not in explicit})


def check_bench(config):
    """Raise DemoError for an invalid value of a BenchConfig."""
    counts = "ranks rounds iters warmup threads batch_size block_size n_layer n_head n_embd vocab_size"
    require(config, "an integer of at least 1", counts, lambda value: value >= 1)
    require(config, "an even integer of at least 2", "length", lambda value: value >= 2 and value % 2 == 0)
    require(config, "a multiple of 10, at least 10", "steps", lambda value: value >= 10 and value % 10 == 0)
    require(config, ", ".join(INSTRUCTIONS), "instructions", lambda value: value in INSTRUCTIONS)
    require(config, "at least 0 and below 1", "dropout", lambda value: 0 <= value < 1)
    require(config, "none or tanh", "gelu", lambda value: value in ("none", "tanh"))
    if config.n_embd % config.n_head:
        raise DemoError(f"--n_embd: expected a multiple of --n_head, got {config.n_embd} and {config.n_head}")
    modes = [mode for mode in ("chain", "imports", "checkpointing", "resident") if getattr(config, mode)]
    modes += ["ranks"] if config.ranks > 1 else []
    if config.ranks > 1:
        if config.contenders:
            raise DemoError(f"--contenders: expected none with --ranks, got {config.contenders!r}")
        if len(modes) == 1:
            return
    if len(modes) > 1:
        raise DemoError(f"--{modes[0]} and --{modes[1]}: expected one of the two, got both; give one")
    if len(set(chosen(config))) < len(chosen(config)):
        raise DemoError(f"--contenders: expected each one once, got {config.contenders!r}")
    for name in chosen(config):
        if (config.checkpointing or config.resident) and name not in ("cython", "python"):
            raise DemoError(f"--contenders: expected cython or python with --{modes[0]}, got {name!r}")
        if name not in CONTENDERS or (name == "numpy" and not (config.chain or config.imports)):
            raise DemoError(
                f"--contenders: expected a choice of {', '.join(CONTENDERS)} (numpy with --chain or --imports only), "
                f"got {name!r}"
            )


def chosen(config):
    """Return the names of the contenders."""
    if config.ranks > 1:
        return scaling.names()
    if config.contenders:
        return config.contenders.split(",")
    if config.imports:
        return ["cython", "numpy"]
    if config.checkpointing or config.resident:
        return ["cython"] if config.checkpointing else ["cython", "python"]
    return [name for name in CONTENDERS if name != "numpy" or config.chain]


# ----- The judge -----


def environment(name, config):
    """Return the environment of a contender's process: its engine, its number of threads, what it may use."""
    count = config.threads if config.ranks == 1 else 1
    threads = {f"{library}_NUM_THREADS": str(count) for library in ("OMP", "OPENBLAS", "MKL", "VECLIB")}
    engine = {"NPG_ENGINE": name.partition("-")[0]} if name.startswith(("cython", "python")) else {}
    variables = {**os.environ, **threads, **engine, **INSTRUCTIONS[config.instructions]}
    return {key: value for key, value in variables.items() if value is not None}


def ended(name, errors):
    """Return the DemoError for a process that ended, with the last line of its standard error."""
    return DemoError(f"the worker {name} ended: {(errors.strip().splitlines() or ['without a word'])[-1]}")


class Worker:
    """A contender's process; its methods raise DemoError when the process has ended."""

    def __init__(self, name, config, arguments, script=__file__):
        self.name = name
        command = [sys.executable, script, *arguments, f"--worker={name}"]
        self.process = subprocess.Popen(
            command if config.ranks == 1 else scaling.command(name, config.ranks, script, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(name, config),
            text=True,
        )
        self.ready = None

    def wait(self):
        """Wait until the process has warmed up; `ready` then holds its results and its version."""
        self.ready = self._answer()

    def round(self):
        """Return the seconds of each iteration of one round."""
        time.sleep(QUIET)
        with contextlib.suppress(BrokenPipeError):  # the missing answer tells that the process has ended
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return self._answer()

    def close(self):
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # a worker ends at the end of its input
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def _answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        raise ended(self.name, self.process.stderr.read())


def measure(config, arguments, say=print):
    """Run the contenders by turns.

    Returns: dict of contender to its rounds, each a list of seconds; a missing PyTorch is left out.
    Raises: DemoError: when a worker fails, or two contenders compute different losses.
    """
    started = [Worker(name, config, arguments) for name in chosen(config)]  # concurrently, since nothing is timed yet
    try:
        workers = []
        for worker in started:
            try:
                worker.wait()
                workers.append(worker)
            except DemoError as error:
                if not worker.name.startswith("torch") or "No module named 'torch'" not in str(error):
                    raise
                say("PyTorch is not installed and left out")
        judged = [worker for worker in workers if worker.name != "numpy"]  # NumPy's chain has no loss and no gradient
        for worker in judged[1:]:
            # With --ranks those that run in the same way have the same batches.
            way = worker.name.partition("-")[2]
            other = next(w for w in judged if w.name.partition("-")[2] == way)
            for mine, first in zip(worker.ready["results"], other.ready["results"]):
                if not abs(mine - first) <= AGREE * abs(first):
                    raise DemoError(f"{worker.name} computes {mine}, {other.name} computes {first}: nothing to compare")
        versions = [worker.ready["version"] for worker in workers] + [f"numpy {np.__version__}"]
        say(f"versions: {', '.join(dict.fromkeys(versions))}")
        say(f"kernels: {', '.join(dict.fromkeys(worker.ready['kernels'] for worker in judged))}")
        rounds = {worker.name: [] for worker in workers}
        for _ in range(config.rounds):
            for worker in workers:
                rounds[worker.name].append(worker.round())
        return rounds
    finally:
        for worker in started:
            worker.close()


def measure_imports(config, say=print):
    """Import each contender's module in a new process, by turns.

    A first turn, which does not count, compiles every module into a cache of its own, so that neither the compiler nor
    the machine's cache affects the times.

    Returns: dict of contender to its rounds, each a list of one time in seconds, of the import statement alone.
    Raises: DemoError: when a module cannot be imported.
    """
    rounds, versions = {name: [] for name in chosen(config)}, {}
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(config.rounds + 1):
            for name, times in rounds.items():
                seconds, version = _import(MODULES[name], name, environment(name, config), cache)
                versions[MODULES[name]] = version
                if turn:
                    times.append([seconds])
    say(f"versions: {', '.join(f'{module} {version}' for module, version in versions.items())}")
    return rounds


def _import(module, name, variables, cache):
    """Return (seconds, version) of one import in a new process."""
    script = f"import time; t = time.perf_counter(); import {module}; t = time.perf_counter() - t; "
    script += f"print(t, {module}.__version__)"
    variables = {**variables, "PYTHONPYCACHEPREFIX": cache}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, env=variables, text=True)
    if done.returncode:
        raise ended(name, done.stderr)
    seconds, version = done.stdout.split()
    return float(seconds), version


def report(rounds, labels=LABELS, say=print):
    """Print a line per contender: its median and, against each other one, the median ratio within a round."""
    medians = {name: [statistics.median(times) for times in each] for name, each in rounds.items()}
    say(f"{'':22}{'ms':>9}" + "".join(f"{'of ' + name:>12}" for name in medians))
    for name, mine in medians.items():
        ratios = [statistics.median(a / b for a, b in zip(mine, other)) for other in medians.values()]
        milliseconds = 1e3 * statistics.median(time for times in rounds[name] for time in times)
        say(f"{labels[name]:22}{milliseconds:9.3f}" + "".join(f"{ratio:12.2f}" for ratio in ratios))


def machine():
    """Return a description of the machine."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        facts = {}
        for line in file:
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
        name = facts.get("model name", name)
        if "cpu family" in facts:  # x86, whose names may hide the kind of processor
            name += f" (family {facts['cpu family']}, model {facts['model']})"
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} CPUs, {system}, {datetime.date.today()}"


def main(arguments=None):
    """Run the command line; report errors in it in one line on standard error."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    with one_line("bench.py"):
        config = sized(*parse(BenchConfig, arguments, "bench.py"))
        check_bench(config)
        in_bytes = config.checkpointing or config.resident
        if config.worker:
            from contenders import work

            (memory.work if in_bytes else work)(config)
            return
        if config.imports:
            print("importing the module in a new process")
        elif config.chain:
            print(f"a chain of {config.length} multiplications and additions on (4, 4) float32, forward and backward")
        else:
            print(
                f"one iteration: batch {config.batch_size}, block {config.block_size}, {config.n_layer} layers, "
                f"{config.n_head} heads, {config.n_embd} wide, vocabulary {config.vocab_size}"
            )
        if in_bytes:
            what = f"{config.steps} iterations, garbage collector off" if config.resident else "allocated memory"
            print(f"{what}; numpy {np.__version__}; {machine()}")
            report_bytes = memory.report_resident if config.resident else memory.report_peaks
            report_bytes(config, arguments, environment, chosen(config))
            return
        if config.ranks > 1:
            print(
                f"1 and {config.ranks} processes of one thread, {config.rounds} rounds of {config.iters}; {machine()}"
            )
            scaling.report(measure(config, arguments), config.ranks, config.batch_size)
            return
        times = f"{config.rounds} rounds" if config.imports else f"{config.rounds} rounds of {config.iters}"
        print(f"{config.threads} threads, {times} in turn; {machine()}")
        if config.imports:
            report(measure_imports(config), IMPORTS)
        else:
            report(measure(config, arguments))


if __name__ == "__main__":
    main()
