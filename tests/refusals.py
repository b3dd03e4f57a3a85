"""Call everything public with absurd arguments, and print what answers with an error that says nothing.

    NPG_ENGINE=python python -m tests.refusals [--few] [WORD ...]     fewer values; only names with one of the words

Run by tests/test_refusals.py as a process of its own, with bounded memory, because a call that tries to take all of it,
or never comes back, is a fault too. One line a fault: name, argument, value, what is wrong.
"""

import dis
import inspect
import os
import re
import signal
import sys
import time
import types
import warnings

import numpy as np

import npg
import npg.linalg
import npg.nn.functional as F

ABSURD_NAME = "a"
MEMORY = 3 << 30  # of address space
SECONDS = 5  # of processor time, a call

ALLOWED = (TypeError, ValueError, IndexError, RuntimeError)  # NotImplementedError and LinAlgError are RuntimeErrors
# Python's own words, which PyTorch gives too.
OVERFLOWS = (
    "int too big to convert", "int too large to convert to float", "can't convert negative int to unsigned",
    "Python int too large to convert to C long",  # NumPy's, of a number of more than 64 bits in a logical function
)  # fmt: skip
# And these, of parameters, shapes and numbers, where PyTorch's function is one of Python too: tests/nn/modules.
PYTHONS = re.compile("'.*' object is not iterable|could not convert string to float: '.*'|float division by zero")
# And these, which PyTorch's pooling, of Python too, gives of sizes that are no sequence, or one of another length.
OF_SIZES = re.compile(
    r"object of type '.*' has no len\(\)|(not enough|too many) values to unpack \(expected \d(, got \d+)?\)"
)
# Words of Python and NumPy about what an argument was used for, not about the argument.
LEAKS = re.compile(
    "unsupported operand|has no attribute|not supported between|did not contain a loop|ufunc|Maximum allowed|"
    "cannot reshape array|too big; `arr|object is not (iterable|subscriptable)|cannot be interpreted as an integer|"
    "C long|C ssize_t|index-sized|out of bounds for u?int|not enough values to unpack|too many values to unpack|"
    "Cannot interpret|local variable|setting an array element|could not be broadcast|inhomogeneous|has no len"
)

# ----- What is called -----

# They change the state of the process, which the calls after them need, hand out NumPy's own, or are NumPy's methods,
# with its words.
LEFT_OUT = {
    "fork_rng", "manual_seed", "seed", "set_default_dtype", "set_grad_enabled", "set_num_threads", "set_printoptions",
    "set_rng_state", "printoptions", "getitem", "setitem", "vmap", "from_dlpack", "numpy", "set_default_tensor_type",
    "astype", "tobytes",
    "sym_int", "sym_float", "sym_fresh_size", "sym_sqrt", "sym_sum",  # of Python numbers, with its words, as in PyTorch
    "load", "save",  # which read and write files: tests/serialization
}  # fmt: skip


def targets():
    """Yield (name, callable) of everything public, each once."""
    seen = set()
    places = {"npg": npg, "F": F, "linalg": npg.linalg, "Tensor": npg.Tensor, "nn": npg.nn, "optim": npg.optim}
    places |= {"nn.init": npg.nn.init, "nn.utils": npg.nn.utils}
    for place, found in places.items():
        for name in sorted(getattr(found, "__all__", dir(found))):
            value = getattr(found, name)
            if name[0] == "_" or name in LEFT_OUT or not callable(value) or id(value) in seen:
                continue
            if isinstance(value, type) and issubclass(value, (Warning, npg.nn.Parameter)):
                continue
            if isinstance(value, types.ModuleType):
                continue
            seen.add(id(value))
            yield f"{place}.{name}", value


# ----- What it is called with -----


def absurd(few):
    """Return new absurd values."""
    values = [None, ABSURD_NAME, 2**62, [None], npg.ones(2, dtype=npg.int8), lambda: 1]
    if few:
        return values
    more = [[], {}, object(), -(2**63), 2**64, 2.5, float("nan"), npg.ones(3, 3, 3), True, (1,) * 100, npg.float32]
    return [*values, *more, npg.ones(0)]


def _range(*shape):
    return npg.arange(float(np.prod(shape))).reshape(shape) + 1


def usual(name):
    """Return a value that suits most parameters of a name."""
    if name in ("dim", "dim0", "diagonal", "offset", "start", "low"):
        return 0
    if name in ("dim1", "n", "k", "steps", "chunks", "length", "repeats", "step", "num_heads", "nhead", "num_groups"):
        return 1
    if name in ("size", "sizes", "shape", "normalized_shape"):
        return (2, 3)
    if name in ("index", "indices"):
        return npg.tensor([[0, 1, 0]])
    if name in ("mask", "condition"):
        return _range(2, 3) > 2
    known = {
        "tensors": [_range(2, 3), _range(2, 3)], "equation": "ij->ij", "mat2": _range(3, 2), "vec": _range(3),
        "batch1": _range(2, 2, 2), "batch2": _range(2, 2, 2), "A": _range(3, 3) + npg.eye(3), "dims": (0, 1),
        "shifts": 1, "p": 0.5, "value": 1.0, "fill_value": 1.0, "exponent": 2, "max": 1.0, "high": 5, "lr": 0.1,
        "params": [npg.ones(2, requires_grad=True)], "callable": abs, "dtype": npg.float32, "pad": (1, 1),
        "split_size_or_sections": 1, "indices_or_sections": 1, "num_samples": 2, "stride": (1, 1), "decimals": 1,
        "name": "weight", "module": npg.nn.Linear(2, 2), "parameters": [npg.ones(2)], "max_norm": 1.0,
    }  # fmt: skip
    if name in known:
        return known[name]
    return 2 if re.search("features|channels|kernel|embed|num_|d_model|_size|_dim", name) else _range(2, 3)


def calls(name, function, few):
    """Yield (parameter's name, value, args, kwargs): one absurd argument among usual ones, for every parameter.

    But for the self of what is a method only: nobody passes that.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return
    for target in parameters[name.startswith("Tensor.") :]:
        for i in range(len(absurd(few))):
            args, kwargs = [], {}
            value = absurd(few)[i]
            for p in parameters:
                if p.kind is p.VAR_KEYWORD or (p.kind is p.VAR_POSITIONAL and p is not target):
                    continue
                if p is target:
                    given = value
                elif p.default is p.empty:
                    given = usual(p.name)
                else:
                    continue
                if p.kind is p.KEYWORD_ONLY or p.default is not p.empty:
                    kwargs[p.name] = given
                else:
                    args.append(given)
            yield target.name, value, args, kwargs


# ----- What is looked at -----


def _tensors(values):
    for x in values:
        if isinstance(x, npg.Tensor):
            yield x
        elif isinstance(x, (tuple, list)):
            yield from _tensors(x)


def state(values):
    """Return what a refused call must leave as it is."""
    arrays = [(x._array.tobytes(), x.shape, x._array.strides, x._version, x.requires_grad) for x in _tensors(values)]
    return arrays, npg.is_grad_enabled(), npg.get_default_dtype(), npg.get_rng_state()._array.tobytes()


def says_nothing(error):
    """Return why an error does not tell the caller what is wrong with the call, or None."""
    text = str(error)
    if isinstance(error, OverflowError) and text in OVERFLOWS:
        return None
    if isinstance(error, AssertionError) and text:  # as PyTorch: of a device, of padding_idx
        return None
    if type(error) is KeyError and error.args == (ABSURD_NAME,):  # of a parameter, as PyTorch's
        return None
    if isinstance(error, AttributeError) and text == f"'Linear' object has no attribute '{ABSURD_NAME}'":
        return None  # of a module's parameter asked for by name
    if isinstance(error, AttributeError) and re.fullmatch("'.*' object has no attribute 'tell'", text):
        return None  # of what is no file: tests/serialization/test_file_reader.py compares it with PyTorch's
    if not isinstance(error, (*ALLOWED, MemoryError)):
        return f"is a {type(error).__name__}"
    if LEAKS.search(text):
        return "is about something else"
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    if frame.f_globals.get("__name__") == __name__:  # Python could not even begin: it says which argument
        return None
    code = frame.f_code.co_code
    if not frame.f_code.co_filename.endswith(".py") or trace.tb_lasti >= len(code):
        return None  # of the extension, whose frames tell no more: the text was looked at
    if dis.opname[code[trace.tb_lasti]] != "RAISE_VARARGS":
        return f"was raised by accident in {os.path.basename(frame.f_code.co_filename)}:{trace.tb_lineno}"
    return None


def _out_of_time(*_):
    raise TimeoutError(f"no end after {SECONDS} s")


def main(words, few):
    warnings.simplefilter("ignore")
    if hasattr(os, "fork"):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, _out_of_time)
    count = faults = 0
    for name, function in targets():
        if words and not any(w in name for w in words):
            continue
        for parameter, value, args, kwargs in calls(name, function, few):
            given = [*args, *kwargs.values()]
            before = state(given)
            why = None
            if hasattr(os, "fork"):
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                function(*args, **kwargs)
            except Exception as error:
                pythons = name.startswith(("optim.", "nn.")) and PYTHONS.fullmatch(str(error))
                pythons = pythons or (name.startswith("F.") and "pool" in name and OF_SIZES.fullmatch(str(error)))
                why = None if pythons else says_nothing(error)
                why = why and f"{why}: {type(error).__name__}: {str(error)[:150]!r}"
                if why is None and state(given) != before:
                    why = f"changed something: {error!r}"
            finally:
                if hasattr(os, "fork"):
                    signal.setitimer(signal.ITIMER_PROF, 0)
            count += 1
            if why is not None:
                faults += 1
                shown = f"tensor{list(value.shape)}" if isinstance(value, npg.Tensor) else repr(value)[:40]
                print(f"{name}({parameter}={shown}) {why}", flush=True)
    print(f"{count} calls, {faults} faults on the {npg.engine.name} engine")


if __name__ == "__main__":
    start = time.process_time()
    main([w for w in sys.argv[1:] if w != "--few"], "--few" in sys.argv)
    print(f"{time.process_time() - start:.0f} s", file=sys.stderr)
