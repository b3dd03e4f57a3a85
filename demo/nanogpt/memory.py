"""The measurements of bench.py in bytes: the peak of an iteration with and without checkpointing, and the resident
memory over thousands of iterations with the garbage collector off. Each measurement runs in its own process.
"""

import functools
import gc
import json
import os
import subprocess
import sys
import tracemalloc

from config import DemoError

WAYS = {"plain": None, "reentrant": True, "non-reentrant": False}  # use_reentrant=; None: without checkpointing
LABELS = {"plain": "without", "reentrant": "use_reentrant=True", "non-reentrant": "use_reentrant=False"}
MB = 2**20


# ----- The judge -----


def run_worker(config, arguments, environment, name, *more):
    """Run the worker of an engine and return its answer.

    Raises: DemoError: when it fails, with the last line of its standard error.
    """
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.py")
    command = [sys.executable, program, *arguments, f"--worker={name}", *more]
    done = subprocess.run(command, capture_output=True, env=environment(name, config), text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise DemoError(f"the worker {name} ended: {last}")
    return json.loads(done.stdout)


def report_peaks(config, arguments, environment, names, say=print):
    """Print the peaks of an iteration, and their ratios to that without checkpointing.

    Returns: dict of engine to a dict of way to (bytes before, bytes at the peak).
    Raises: DemoError: when a worker fails, or checkpointing changes the loss.
    """
    results = {}
    for name in names:
        answers = {way: run_worker(config, arguments, environment, name, f"--way={way}") for way in WAYS}
        if len({answer["loss"] for answer in answers.values()}) > 1:
            raise DemoError(f"checkpointing changes the loss: {', '.join(str(a['loss']) for a in answers.values())}")
        figures = results[name] = {way: (answer["before"], answer["peak"]) for way, answer in answers.items()}
        before, peak = figures["plain"]
        say(f"{name + ' engine':22}{'peak, MB':>12}{'of without':>12}{'above rest':>12}{'of without':>12}")
        for way, (rest, top) in figures.items():
            above = top - rest
            say(f"{LABELS[way]:22}{top / MB:12.1f}{top / peak:12.2f}{above / MB:12.1f}{above / (peak - before):12.2f}")
    say("at rest, between iterations, there are the weights and AdamW's moments")
    return results


def report_resident(config, arguments, environment, names, say=print):
    """Print the resident memory after every tenth of the steps.

    Returns: dict of engine to those figures in bytes.
    """
    results = {}
    for name in names:
        figures = results[name] = run_worker(config, arguments, environment, name)
        say(f"{name} engine, MB: " + " ".join(f"{size / MB:.1f}" for size in figures))
        say(f"{name} engine, between the least and the most: {(max(figures) - min(figures)) / MB:.2f} MB")
    return results


# ----- A worker -----


def work(config):
    """Take the measurement that the options select and print it as JSON."""
    print(json.dumps(resident(config) if config.resident else peak(config)))


def peak(config):
    """Return the loss of an iteration, and tracemalloc's bytes before it and at its peak."""
    from contenders import iteration

    tracemalloc.start()
    step = iteration(config, functools.partial(checkpoint_blocks, WAYS[config.way]))
    step()  # creates AdamW's moments
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    loss = step()
    return {"loss": loss, "before": before, "peak": tracemalloc.get_traced_memory()[1]}


def checkpoint_blocks(use_reentrant, model):
    """Checkpoint every block of a GPT; None: leave the model as it is."""
    from npg.utils.checkpoint import checkpoint

    for block in model.transformer["h"] if use_reentrant is not None else ():
        block.forward = functools.partial(checkpoint, block.forward, use_reentrant=use_reentrant)


def resident(config):
    """Return the resident bytes after each tenth of the steps, with the garbage collector off."""
    from contenders import iteration

    step = iteration(config)
    gc.disable()
    sizes = []
    for _ in range(10):
        for _ in range(config.steps // 10):
            step()
        sizes.append(resident_bytes())
    return sizes


def resident_bytes():
    """Return the resident memory of this process in bytes.

    Raises: DemoError: where /proc does not have it.
    """
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        raise DemoError("--resident needs /proc/self/statm, which Linux has") from None
