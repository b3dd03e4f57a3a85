"""Options on the command line: `--key=value`, as nanoGPT's configurator takes them, checked by type and name.

A set of options is a dataclass: the fields are the keys, with their defaults, and the type of a default is the type
that is accepted. User errors raise DemoError, naming value and remedy, before anything is written.
"""

import ast
import contextlib
import dataclasses
import difflib
import math
import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class DemoError(ValueError):
    """An error of the user's; the text names the value and the remedy."""


@contextlib.contextmanager
def one_line(program):
    """Report errors that are not the program's in one line on standard error instead of a traceback.

    A DemoError and lack of memory exit with status 1, Ctrl-C with 130. A closed pipe (`| head`) is no error.
    """
    with contextlib.suppress(AttributeError):  # a replaced stream may have no encoding
        sys.stdout.reconfigure(errors="replace")  # a text may have characters that the terminal cannot show
    try:
        yield
        sys.stdout.flush()
    except DemoError as error:
        sys.exit(f"{program}: error: {error}")
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator" not in str(error):  # PyTorch's text
            raise
        sys.exit(f"{program}: error: not enough memory ({error or 'no more is to be had'}); take smaller sizes")
    except KeyboardInterrupt:
        print(f"\n{program}: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it again at exit
        sys.exit(1)


# ----- Parsing -----


def parse(options, arguments, program):
    """Read `--key=value` or `--key value` arguments into a dataclass.

    Args:
        options: the dataclass type; every field has a default of type bool, int, float or str.
        arguments: the command line without the program's name.
        program: the program's name for the help text; `--help` prints it and exits.
    Returns: (an instance, the set of the keys that were given).
    Raises: DemoError: when a key is unknown, given twice, has no value, or a value of the wrong type.
    """
    fields = {field.name: field for field in dataclasses.fields(options)}
    values, waiting = {}, list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument in ("-h", "--help"):
            print(help_text(options, program))
            sys.exit(0)
        key, equals, text = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or key not in fields:
            raise DemoError(f"unknown argument {argument!r}; {_nearest(key, fields)} --help lists the keys")
        default = fields[key].default
        if not equals:
            follows = bool(waiting) and not waiting[0].startswith("--")
            if isinstance(default, bool):
                text = waiting.pop(0) if follows and waiting[0] in ("True", "False") else "True"  # a bare flag
            elif follows:
                text = waiting.pop(0)
            else:
                raise DemoError(f"--{key} has no value; expected --{key}=<{type(default).__name__}>")
        if key in values:
            raise DemoError(f"--{key} is given twice: {values[key]!r} and {text!r}; give it once")
        values[key] = _convert(key, text, default)
    return options(**values), set(values)


def _nearest(key, fields):
    """Return a hint at the key that a mistyped one probably means."""
    near = difflib.get_close_matches(key, fields, n=1)
    return f"did you mean --{near[0]}?" if near else "expected --key=value;"


def _convert(key, text, default):
    """Return `text` as a value of the default's type; an int is accepted as a float, no other conversion is made."""
    if isinstance(default, str):
        return text
    try:
        value = float(text) if isinstance(default, float) else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if type(value) is not type(default):
        expected = "True or False" if isinstance(default, bool) else type(default).__name__
        raise DemoError(f"--{key}: expected {expected}, got {text!r}")
    return value


def help_text(options, program):
    """Return the usage: every key with its default."""
    lines = [f"usage: {program} [--key=value ...]", "", (options.__doc__ or "").strip(), ""]
    lines += [f"  --{field.name}={field.default!s}" for field in dataclasses.fields(options)]
    return "\n".join(lines)


def require(config, rule, names, condition):
    """Raise DemoError for the first of the fields `names` whose value fails `condition`, described by `rule`."""
    for name in names.split():
        value = getattr(config, name)
        if not condition(value):
            raise DemoError(f"--{name}: expected {rule}, got {value!r}")


# ----- Training -----


@dataclasses.dataclass
class TrainConfig:
    """The keys are nanoGPT's; so are the defaults: its small CPU configuration, 4 layers, 128 wide, 2000 iterations."""

    # output
    out_dir: str = str(HERE / "out")
    eval_interval: int = 250
    log_interval: int = 10
    eval_iters: int = 20
    eval_only: bool = False
    always_save_checkpoint: bool = False  # also when the validation loss has not improved
    init_from: str = "scratch"  # or resume
    sample_tokens: int = 300  # length of the text printed at the end
    # data
    dataset: str = "shakespeare_char"  # a folder of data/, or a path
    input: str = ""  # a text file to make the dataset from
    gradient_accumulation_steps: int = 1
    batch_size: int = 12
    block_size: int = 64
    # model
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    dropout: float = 0.0
    bias: bool = False
    gelu: str = "none"  # nn.GELU's approximate: none (erf) or tanh
    # AdamW
    learning_rate: float = 1e-3
    max_iters: int = 2000
    weight_decay: float = 1e-1
    beta1: float = 0.9
    beta2: float = 0.99
    grad_clip: float = 1.0  # 0.0 switches it off
    # schedule
    decay_lr: bool = True
    warmup_iters: int = 100
    lr_decay_iters: int = 2000
    min_lr: float = 1e-4
    # system
    seed: int = 1337
    device: str = "cpu"
    dtype: str = "float32"
    compile: bool = False


def check_training(config):
    """Raise DemoError for an invalid value of a TrainConfig, before anything is read or written."""
    counts = (
        "eval_interval log_interval eval_iters gradient_accumulation_steps batch_size block_size n_layer n_head n_embd"
    )
    require(config, "an integer of at least 1", counts, lambda value: value >= 1)
    require(config, "an integer of at least 0", "max_iters warmup_iters sample_tokens", lambda value: value >= 0)
    require(config, "an integer in [0, 2**64)", "seed", lambda value: 0 <= value < 2**64)
    require(config, "a finite number above 0", "learning_rate", lambda value: math.isfinite(value) and value > 0)
    nonnegative = "min_lr weight_decay grad_clip"
    require(config, "a finite number of at least 0", nonnegative, lambda value: math.isfinite(value) and value >= 0)
    require(config, "a number in [0, 1)", "dropout beta1 beta2", lambda value: 0 <= value < 1)
    require(config, "scratch or resume", "init_from", lambda value: value in ("scratch", "resume"))
    require(config, "none or tanh", "gelu", lambda value: value in ("none", "tanh"))
    require(config, "a name", "dataset out_dir", bool)
    require(config, "cpu (npg computes with NumPy)", "device", lambda value: value == "cpu")
    require(config, "float32", "dtype", lambda value: value == "float32")
    require(config, "False (npg has no compiler)", "compile", lambda value: not value)
    if config.n_embd % config.n_head:
        raise DemoError(f"--n_embd: expected a multiple of --n_head, got {config.n_embd} and {config.n_head}")
    if config.decay_lr and config.lr_decay_iters < config.warmup_iters:
        raise DemoError(
            f"--lr_decay_iters: expected at least --warmup_iters, got {config.lr_decay_iters} and "
            f"{config.warmup_iters}; lower --warmup_iters"
        )


# ----- Sampling -----


@dataclasses.dataclass
class SampleConfig:
    """Continue a prompt with a trained checkpoint. --start=FILE:prompt.txt reads the prompt from a file."""

    out_dir: str = str(HERE / "out")
    checkpoint: str = "best"  # or last, or a file
    start: str = "\n"  # where the vocabulary has no line break, its first character
    num_samples: int = 3
    max_new_tokens: int = 500
    temperature: float = 0.8  # below 1: less surprise, above: more
    top_k: int = 200  # only the k likeliest tokens are drawn from; 0 for all
    seed: int = 1337
    device: str = "cpu"
    dtype: str = "float32"
    compile: bool = False


def check_sampling(config):
    """Raise DemoError for an invalid value of a SampleConfig."""
    require(config, "an integer of at least 1", "num_samples max_new_tokens", lambda value: value >= 1)
    require(config, "an integer of at least 0", "top_k", lambda value: value >= 0)
    require(config, "an integer in [0, 2**64)", "seed", lambda value: 0 <= value < 2**64)
    require(config, "a finite number above 0", "temperature", lambda value: math.isfinite(value) and value > 0)
    require(config, "a prompt of at least one character", "start", bool)
    require(config, "cpu (npg computes with NumPy)", "device", lambda value: value == "cpu")
    require(config, "float32", "dtype", lambda value: value == "float32")
    require(config, "False (npg has no compiler)", "compile", lambda value: not value)
