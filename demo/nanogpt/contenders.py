"""The workloads of bench.py: one training iteration, and the chain, each with the library chosen for this process.

PyTorch runs the same model.py: npg has PyTorch's names, so torch replaces the module npg before the file is imported.
"""

import dataclasses
import json
import os
import sys
import time

import numpy as np

from scaling import Together

# ----- A worker -----


def work(config):
    """Run one contender: print the warm-up's results, then run a round for every line on standard input."""
    if config.ranks > 1:
        work_together(config)
        return
    step = (numpy_chain if config.worker == "numpy" else chain if config.chain else iteration)(config)
    results = [step() for _ in range(config.warmup)]
    answer({"results": results, "version": version(config.worker), "kernels": kernels(config.worker)})
    answer_rounds(config, step, sys.stdin)


def work_together(config):
    """Run one of the processes of a contender with --ranks; the first one prints."""
    name, _, way = config.worker.partition("-")
    together = Together(library(config), way)
    step = iteration(config, wrap=together.wrapped, rank=together.rank, ranks=together.count)
    results = [step() for _ in range(config.warmup)]
    if together.rank:
        sys.stdout = open(os.devnull, "w")
    answer({"results": results, "version": version(name), "kernels": kernels(name)})
    answer_rounds(config, step, together.rounds())
    together.end()


def answer(what):
    """Print for the judge."""
    print(json.dumps(what), flush=True)


def answer_rounds(config, step, rounds):
    """Print the times of a round's iterations for each of the rounds."""
    for _ in rounds:
        step()  # refills the caches, which hold another process's data
        times = []
        for _ in range(config.iters):
            started = time.perf_counter()
            step()
            times.append(time.perf_counter() - started)
        answer(times)


def library(config):
    """Return npg with the engine of NPG_ENGINE, or torch in place of npg."""
    if config.worker.startswith("torch"):
        import torch

        torch.set_num_threads(config.threads if config.ranks == 1 else 1)
        sys.modules.update({"npg": torch, "npg.nn": torch.nn, "npg.nn.functional": torch.nn.functional})
    import npg

    return npg


def version(worker):
    """Return the name and version of a worker's library."""
    module = sys.modules["numpy" if worker == "numpy" else "torch" if worker.startswith("torch") else "npg"]
    return f"{module.__name__} {module.__version__}"


def kernels(worker):
    """Return what a worker's library uses of the processor."""
    if worker == "numpy":
        return ""
    module = sys.modules["torch" if worker.startswith("torch") else "npg"]
    return f"{module.__name__} {module.backends.cpu.get_cpu_capability()}"


# ----- The model -----


def iteration(config, prepare=lambda model: None, wrap=lambda model: model, rank=0, ranks=1):
    """Return a function that does one training iteration, as train.py does it, and returns the loss.

    Args:
        prepare: called with the model before the first one.
        wrap: called then with the model; returns what is trained.
        rank, ranks: of the processes, which have different batches.
    """
    npg = library(config)
    from model import GPT, GPTConfig

    names = [field.name for field in dataclasses.fields(GPTConfig) if hasattr(config, field.name)]
    model = GPT(GPTConfig(**{name: getattr(config, name) for name in names}))
    draw = np.random.default_rng(1337)  # NumPy's stream, the same for every contender
    state = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    for name, tensor in state.items():
        if tensor.dim() > 1:
            state[name] = npg.from_numpy(draw.standard_normal(tuple(tensor.shape), np.float32) * np.float32(0.02))
    model.load_state_dict({**state, "lm_head.weight": state["transformer.wte.weight"]})
    shape = (config.batch_size, config.block_size + 1)
    batches = [draw.integers(config.vocab_size, size=shape) for _ in range(8)]
    pairs = [tuple(npg.from_numpy(np.ascontiguousarray(part)) for part in (b[:, :-1], b[:, 1:])) for b in batches]
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99))
    prepare(model)
    npg.manual_seed(1337)  # what is dropped is the same for every contender, too
    model, count = wrap(model), 0

    def step():
        nonlocal count
        x, y = pairs[(count * ranks + rank) % len(pairs)]
        count += 1
        _, loss = model(x, y)
        loss.backward()
        npg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


# ----- The chain -----


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
    """Return a function that runs the chain's forward on bare arrays: a lower bound for any autograd on NumPy."""
    x, w, b = _operands()
    half = config.length // 2

    def step():
        y = x
        for _ in range(half):
            y = y * w
            y = y + b
        return float(y.sum())

    return step
