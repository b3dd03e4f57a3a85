"""The same lines of code run with npg and with PyTorch, and what comes of each line compared.

    check_transcript('''
    torch.cuda.is_available()
    torch.cuda.current_device()
    ''')

Each line is an expression or a statement in which `torch` is the library. Compared are the repr of the value, the
warnings, and the type and text of the error; npg's name reads as PyTorch's.
"""

from __future__ import annotations

import inspect
import re
import types
import warnings
from importlib import import_module
from typing import Any

import torch

import npg

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_FILE = re.compile(r" from '[^']*'")
_TRIGGERED = re.compile(r" \(Triggered internally at [^)]*\)")


def _plain(text: str) -> str:
    text = _FILE.sub("", _ADDRESS.sub("", _TRIGGERED.sub("", text)))
    return re.sub(r"\bnpg\b", "torch", text)


def outcome(line: str, names: dict[str, Any]) -> tuple[str, list[str]]:
    """Return what comes of a line (a repr, or an error) and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            try:
                code = compile(line, "<line>", "eval")
            except SyntaxError:
                exec(line, names)
                result = "done"
            else:
                result = repr(eval(code, names))
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
    return _plain(result), [_plain(f"{w.category.__name__}: {w.message}") for w in caught]


def transcript(lines: str, library: Any) -> dict[str, tuple[str, list[str]]]:
    """Return the outcome of each line, run one after the other in one namespace."""
    names = {"torch": library, "__name__": "transcript"}
    return {f"{i}: {line}": outcome(line, names) for i, line in enumerate(lines.strip().splitlines())}


def check_transcript(lines: str, warnings_too: bool = True) -> None:
    """Assert that all lines come to the same with npg and with PyTorch; without warnings, where they are not wanted."""
    expected, actual = transcript(lines, torch), transcript(lines, npg)
    if not warnings_too:
        expected, actual = ({line: (result, []) for line, (result, _) in t.items()} for t in (expected, actual))
    different = {line: (actual[line], value) for line, value in expected.items() if actual[line] != value}
    assert not different, "\n".join(f"{k}\n  npg:   {a}\n  torch: {b}" for k, (a, b) in different.items())


# ----- Names and signatures -----


def public_names(module: types.ModuleType) -> set[str]:
    """Return the public names that a module of PyTorch defines: what it lists, or what comes from it."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return set(listed)
    inside = module.__name__
    return {
        name
        for name, value in vars(module).items()
        if name[0] != "_" and not isinstance(value, types.ModuleType) and getattr(value, "__module__", "") == inside
    }


def shape_of(function: Any) -> list[tuple[str, Any, bool]]:
    """Return (name, kind, has a default) of the parameters that a caller names."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default is not p.empty) for p in parameters if p.name[0] != "_"]


def check_names(path: str, absent: str = "", other_signature: str = "") -> None:
    """Assert that npg has the public names of a module of PyTorch, with the same parameters.

    Args:
        path: the module below torch.
        absent: names that npg lacks, and no others.
        other_signature: functions and classes whose parameters differ, and no others.
    """
    reference, own = import_module(f"torch.{path}"), import_module(f"npg.{path}")
    expected = public_names(reference)
    assert expected - set(dir(own)) - {n for n in expected if hasattr(own, n)} == set(absent.split())
    different = set()
    for name in sorted(expected - set(absent.split())):
        theirs, mine = getattr(reference, name), getattr(own, name)
        if not callable(theirs) or isinstance(theirs, types.ModuleType):
            continue
        try:
            wanted = shape_of(theirs)
        except ValueError:
            continue
        metaclass = type(mine).__name__ == "Refusing"
        if not metaclass and shape_of(mine) != wanted:
            different.add(name)
    assert different == set(other_signature.split()), different
