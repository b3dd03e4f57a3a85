"""Options of the command line, read and checked, and compared with those of a checkpoint."""

import argparse
import math

from common.storing import DemoError


def number(kind, rule, holds):
    """Return what argparse calls to read a number that must hold a rule."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not holds(value):
            raise argparse.ArgumentTypeError(f"expected {rule}, got {text!r}")
        return value

    return read


count = number(int, "an integer of at least 1", lambda value: value >= 1)
natural = number(int, "an integer of at least 0", lambda value: value >= 0)
rate = number(float, "a finite number above 0", lambda value: 0 < value < math.inf)
part = number(float, "a number in [0, 1)", lambda value: 0 <= value < 1)
seed = number(int, "an integer in [0, 2**64)", lambda value: 0 <= value < 2**64)


def parser(description, out):
    """Return an argparse parser for a script, with the options that all scripts have.

    Args:
        description: the script's docstring, which --help prints.
        out: the folder that it writes to by default.
    """
    usage, _, rest = description.partition("\n")
    form = argparse.RawDescriptionHelpFormatter
    found = argparse.ArgumentParser(description=usage, epilog=rest, formatter_class=form, allow_abbrev=False)
    found.add_argument("--seed", type=seed, help="(1)")
    found.add_argument("--max_iters", type=count, help="stop after so many iterations in all")
    found.add_argument("--log_interval", type=count, default=100, help="iterations between two lines (100)")
    found.add_argument("--out_dir", default=str(out), help="folder of what is written (%(default)s)")
    found.add_argument("--resume", action="store_true", help="go on from the checkpoint in out_dir")
    return found


def settle(args, defaults, stored, later=()):
    """Fill in the options that were not given: with those of the checkpoint to resume, or with the defaults.

    Args:
        args: the options; those of defaults are None where they were not given.
        defaults: what makes a run, by name.
        stored: the checkpoint, whose "options" are those of its run, or None.
        later: names of options that the caller compares itself.
    Raises: DemoError: when an option contradicts the checkpoint.
    """
    known = defaults if stored is None else stored["options"]
    for name in defaults:
        given = getattr(args, name)
        if given is None:
            setattr(args, name, known[name])
        elif stored is not None and given != known[name] and name not in later:
            raise DemoError(f"--{name}: expected {known[name] or 'none'} as in the checkpoint, got {given}")
