"""Train a character-level GPT on a CPU: nanoGPT's train.py in npg, from nothing to a sample of text.

    python demo/nanogpt/train.py                                Tiny Shakespeare, nanoGPT's small CPU configuration
    python demo/nanogpt/train.py --input=FILE                   any text
    python demo/nanogpt/train.py --n_layer=6 --max_iters=5000   any key of TrainConfig in config.py; --help lists them
    python demo/nanogpt/train.py --init_from=resume             continue a run after Ctrl-C, or after its end
    npg run --nproc-per-node=2 demo/nanogpt/train.py            in two processes, by MPI: the same losses

Writes to out_dir: best.safetensors (lowest validation loss), last.safetensors (where it stopped), loss.csv and
loss.png. Batches, initial weights and all other random numbers are drawn in nanoGPT's order, so the losses are those of
PyTorch with the same seed.
"""

import contextlib
import dataclasses
import math
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

import checkpoint
import npg
from config import DemoError, TrainConfig, check_training, one_line, parse
from dataset import decode, encode, first_prompt, open_dataset
from files import check_folder
from model import GPT, GPTConfig
from progress import LossCurve, Progress, clock, plot
from ranks import Ranks

MODEL_KEYS = ("block_size", "n_layer", "n_head", "n_embd", "dropout", "bias", "gelu")


# ----- Schedule, evaluation, interruption -----


def learning_rate_at(iteration, config):
    """Return the learning rate: a line up over warmup_iters, half a cosine down until lr_decay_iters, then min_lr."""
    if not config.decay_lr:
        return config.learning_rate
    if iteration < config.warmup_iters:
        return config.learning_rate * (iteration + 1) / (config.warmup_iters + 1)
    if iteration >= config.lr_decay_iters:
        return config.min_lr
    done = (iteration - config.warmup_iters) / (config.lr_decay_iters - config.warmup_iters)
    return config.min_lr + 0.5 * (1.0 + math.cos(math.pi * done)) * (config.learning_rate - config.min_lr)


@npg.no_grad()
def estimate_loss(model, data, config, ranks, interrupt):
    """Return {"train": losses, "val": losses}, the loss of each of eval_iters batches; None when interrupted."""
    losses = {"train": [], "val": []}
    model.eval()
    for split, values in losses.items():
        for _ in range(config.eval_iters):
            if ranks.any(interrupt.asked):
                model.train()
                return None
            _, loss = model(*ranks.share(*data.batch(split, config.batch_size, config.block_size)))
            values.append(ranks.mean(loss.item()))
    model.train()
    return losses


def standard_error(values):
    """Return the standard error of the mean of these values: s / sqrt(n)."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


class Interrupt:
    """Turn the first Ctrl-C into a request that the loop checks between two iterations; the second stops at once.

    An exception in the middle of an optimizer step would leave half of the weights updated.
    """

    asked = False

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():  # handlers can be set in no other thread
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *exception):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


# ----- Setting up -----


def resumed_config(config, explicit, stored):
    """Return the config of a resumed run: the stored one with the explicit keys; the model keeps its shape.

    Raises: DemoError: when an explicit key contradicts the stored model, or no iterations remain.
    """
    for key in MODEL_KEYS:
        value = getattr(stored.model_config, key)
        if key in explicit and getattr(config, key) != value:
            raise DemoError(f"--{key}: expected {value} as in {stored.path}, got {getattr(config, key)}")
    names = {field.name for field in dataclasses.fields(TrainConfig)}
    inherited = {
        key: value
        for key, value in stored.config.items()
        if key in names - explicit - {"out_dir", "init_from", "input"}
    }
    config = dataclasses.replace(config, **inherited)
    if stored.iter_num >= config.max_iters and not config.eval_only:
        raise DemoError(
            f"--max_iters: expected more than the {stored.iter_num} iterations of {stored.path}, got {config.max_iters}"
        )
    return config


def set_up(config, explicit, ranks):
    """Check everything, then build the run.

    Returns: (config, data, model, optimizer, stored): `stored` is the checkpoint to resume or None; the next draw is
        that of the first batch.
    Raises: DemoError: when something does not fit; nothing has been written.
    """
    check_training(config)
    check_folder(config.out_dir, "out_dir")
    stored = None
    if config.init_from == "resume":
        stored = checkpoint.Checkpoint(checkpoint.find(config.out_dir, "newest"))
        config = resumed_config(config, explicit, stored)
        check_training(config)
    ranks.check(config.batch_size)
    data = open_dataset(config.dataset, config.input)
    data.check_block(config.block_size)
    npg.manual_seed(config.seed)
    if stored is not None:
        stored.check_vocabulary(data)
        model = stored.model()
    else:
        model = GPT(GPTConfig(vocab_size=data.vocab_size, **{key: getattr(config, key) for key in MODEL_KEYS}))
    optimizer = model.configure_optimizers(config.weight_decay, config.learning_rate, (config.beta1, config.beta2))
    if stored is not None:
        stored.restore(optimizer)
        print(f"resumed at iteration {stored.iter_num} from {stored.path}")
    return config, data, model, optimizer, stored


def title(config, data):
    """Return the title of the loss curve."""
    sizes = f"{config.n_layer} layers, {config.n_head} heads, {config.n_embd} wide, block {config.block_size}"
    return f"{Path(data.source).name}: {sizes}, seed {config.seed}"


def print_sample(model, data, config):
    """Print a text that the model generates."""
    start = encode(first_prompt(data.vocabulary), data.vocabulary)
    model.eval()
    idx = model.generate(npg.tensor([start]), config.sample_tokens, temperature=0.8, top_k=200)
    print("-" * 20, decode(idx[0].tolist(), data.vocabulary), "-" * 20, sep="\n")


# ----- The loop -----


def train(config, explicit=frozenset(), ranks=None):
    """Train, evaluate and save.

    Args:
        config: a TrainConfig.
        explicit: the keys set on the command line; they take precedence over a checkpoint's.
        ranks: the processes that train together; None: this one alone.
    Returns: True when all iterations are done, False after Ctrl-C.
    Raises: DemoError: for arguments, data or a checkpoint that cannot be used, and for a loss that is no longer finite.
    """
    began, ranks = time.time(), ranks or Ranks()
    with ranks.in_turn():
        config, data, model, optimizer, stored = set_up(config, explicit, ranks)
        if ranks.is_first:
            data.save()
    iter_num, best_val_loss = (stored.iter_num, stored.best_val_loss) if stored else (0, math.inf)
    run = stored.run if stored else began
    out_dir = Path(config.out_dir)
    is_written = ranks.is_first and not config.eval_only
    curve = LossCurve(out_dir / "loss.csv" if is_written else None, iter_num)
    if is_written:
        try:
            out_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(f"--out_dir: cannot make {out_dir} ({error.strerror}); give another --out_dir") from error
    curve.open()
    tokens = config.gradient_accumulation_steps * config.batch_size * config.block_size
    print(f"{model.get_num_params() / 1e6:.2f}M parameters, {tokens:,} tokens an iteration, engine {npg.engine.name}")

    def save(name):
        if not ranks.is_first:
            return
        facts = {
            "iter_num": iter_num,
            "best_val_loss": best_val_loss,
            "config": dataclasses.asdict(config),
            "vocabulary": data.vocabulary,
            "sha256": data.sha256,
            "source": data.source,
            "run": run,
        }
        checkpoint.save(out_dir / f"{name}.safetensors", model, optimizer, rng_state, facts)

    start, shared = iter_num, ranks.wrapped(model)
    progress = Progress(iter_num, config.max_iters, tokens, config.log_interval)
    with contextlib.closing(curve), contextlib.closing(progress), Interrupt() as interrupt:
        # A checkpoint holds the stream from before the current batch was drawn, so a resumed run draws the same batch,
        # and repeats an evaluation at the same iteration exactly.
        rng_state = npg.get_rng_state()
        x, y = data.batch("train", config.batch_size, config.block_size)
        while True:
            lr = learning_rate_at(iter_num, config)
            for group in optimizer.param_groups:
                group["lr"] = lr
            if iter_num % config.eval_interval == 0 or iter_num == config.max_iters or config.eval_only:
                batches = estimate_loss(model, data, config, ranks, interrupt)
                if batches is not None:
                    losses = {split: statistics.fmean(values) for split, values in batches.items()}
                    progress.note(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
                    curve.evaluated(iter_num, lr, losses["train"], losses["val"])
                    if config.eval_only:
                        error = standard_error(batches["val"])
                        progress.note(f"val loss: mean of {config.eval_iters} batches, standard error {error:.4f}")
                    elif losses["val"] < best_val_loss:
                        best_val_loss = losses["val"]
                        if iter_num > 0:
                            save("best")
                    if config.always_save_checkpoint and iter_num > 0 and not config.eval_only:
                        save("last")
            if ranks.any(interrupt.asked) or iter_num >= config.max_iters or config.eval_only:
                break

            started, value = time.perf_counter(), 0.0
            for step in range(config.gradient_accumulation_steps):
                number = iter_num * config.gradient_accumulation_steps + step
                is_last = step == config.gradient_accumulation_steps - 1
                with ranks.averaging(shared, is_last):
                    with ranks.own_stream(config.seed, number, config.dropout):
                        _, loss = shared(*ranks.share(x, y))
                    loss = loss / config.gradient_accumulation_steps
                    rng_state = npg.get_rng_state()
                    x, y = data.batch("train", config.batch_size, config.block_size)
                    loss.backward()
                value += ranks.mean(loss.item())
            if not math.isfinite(value):
                best = out_dir / "best.safetensors"
                unchanged = f"; {best} is kept" if best.is_file() else ""
                raise DemoError(
                    f"the training loss became {value} at iteration {iter_num} (learning rate {lr:g}); take a lower "
                    f"--learning_rate{unchanged}"
                )
            if config.grad_clip > 0.0:
                npg.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seconds = time.perf_counter() - started
            curve.add(iter_num, lr, value, 1e3 * seconds)
            progress.update(iter_num, value, seconds)
            iter_num += 1

        progress.close()
        curve.close()
        if iter_num > start:
            save("last")
            print(f"{iter_num - start:,} iterations in {clock(time.time() - began)}, best val loss {best_val_loss:.4f}")
            print(f"checkpoint: {out_dir / 'last.safetensors'} at iteration {iter_num}")
        if interrupt.asked:
            state = (
                "--init_from=resume goes on from here" if iter_num > start else "no iteration was done, nothing saved"
            )
            print(f"interrupted; {state}")
    if is_written:
        print(plot(curve.rows, out_dir / "loss.png", title(config, data)))
        if config.sample_tokens:
            print_sample(model, data, config)
    ranks.wait()  # one that ends with a status ends the others, which may still be writing
    return not interrupt.asked


def main(arguments=None):
    """Run the command line; report errors in it in one line on standard error."""
    with one_line("train.py"):
        config, explicit = parse(TrainConfig, sys.argv[1:] if arguments is None else arguments, "train.py")
        is_done = train(config, explicit)
    if not is_done:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
