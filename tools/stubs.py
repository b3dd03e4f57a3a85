"""Write the stubs of the modules whose names are made when npg is imported, for type checkers and editors.

    python tools/stubs.py            write them
    python tools/stubs.py --check    exit with 1 where one of them is not what would be written

A function that is written out keeps its annotations and overloads; the types of an op's forms follow from its
declaration. NumPy's names of arguments, axis and keepdims, are PyTorch's secret too: they are in no stub.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_overloads

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from npg import creation, functional  # noqa: E402
from npg.engine import Function  # noqa: E402
from npg.functional import _types  # noqa: E402
from npg.functional._tensors import FUNCTIONS  # noqa: E402
from npg.functional.nn import MODULES  # noqa: E402
from npg.tensor.methods import METHODS  # noqa: E402

HEADER = '"""Written by tools/stubs.py."""'
WIDTH = 120
HOMES = {
    **dict.fromkeys(("Any", "Literal", "Self", "overload"), "typing"),
    "Sequence": "collections.abc",
    "Generator": "npg.functional.generator",
    "TensorBase": "npg.engine",
}
OWN = {"T", "B"}  # what a function is given and gives back; a method: its tensor

Parameters = list[inspect.Parameter]
Signature = tuple[Parameters, str]


# ----- Signatures -----


def of_op(function: Any) -> list[Signature]:
    """Return the signatures of a form of an op: of two operands either may be a number."""
    first, *rest = function.op.inputs
    orders = [("B", "Operand")] if function.writes or not rest else [("B", "Operand"), ("Scalar", "B")]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signatures = []
    for one, other in orders:
        parameters = [inspect.Parameter(first, kind, annotation=one)]
        parameters += [inspect.Parameter(name, kind, annotation=other) for name in rest]
        if function.op.takes_out and not function.writes:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(inspect.Parameter("out", keyword, annotation="TensorBase | None", default=None))
        signatures.append((parameters, "B"))
    return signatures


def of_definition(function: Any) -> list[Signature]:
    """Return the signatures that a function is written with."""
    signatures = [inspect.signature(f) for f in get_overloads(function) or [function]]
    return [(list(s.parameters.values()), s.return_annotation) for s in signatures]


def as_methods(signatures: list[Signature]) -> list[Signature]:
    """Return the signatures of a method: what the tensor cannot be is left out, and so is out=."""
    methods: list[Signature] = []
    for (first, *rest), result in signatures:
        if first.annotation not in (*OWN, "Any"):
            continue
        receiver = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        own = first.annotation
        parameters = [p.replace(annotation=_renamed(p.annotation, own, "TensorBase")) for p in rest if p.name != "out"]
        method = ([receiver, *parameters], _renamed(result, own, "Self"))
        if method not in methods:
            methods.append(method)
    return methods


def _renamed(annotation: str, own: str, name: str) -> str:
    """Return an annotation in which the type of the tensor has another name."""
    if own not in OWN:
        return annotation
    tree = ast.parse(annotation, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == own:
            node.id = name
    return ast.unparse(tree)


# ----- Text -----


def lines_of(name: str, signatures: list[Signature], indent: str = "") -> Iterator[str]:
    """Yield the lines of a function, laid out as ruff does."""
    for parameters, result in signatures:
        if len(signatures) > 1:
            yield f"{indent}@overload"
        texts = list(_texts(parameters))
        line = f"{indent}def {name}({', '.join(texts)}) -> {result}: ..."
        inner = f"{indent}    {', '.join(texts)}"
        if len(line) <= WIDTH:
            yield line
            continue
        yield f"{indent}def {name}("
        yield from [inner] if len(inner) <= WIDTH else [f"{indent}    {text}," for text in texts]
        yield f"{indent}) -> {result}: ..."


def _texts(parameters: Parameters) -> Iterator[str]:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    starred = False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY)
        text = stars.get(p.kind, "") + p.name
        if p.annotation is not p.empty:
            text += f": {p.annotation}"
        if p.default is not p.empty:
            default = "..." if p.default is ... else repr(p.default).replace("'", '"')
            text += f" = {default}" if p.annotation is not p.empty else f"={default}"
        yield text


def imports_of(body: list[str], first: list[str]) -> list[str]:
    """Return the imports of the types that a stub's lines name, and what else it imports, in order."""
    used = {node.id for node in ast.walk(ast.parse("\n".join(body))) if isinstance(node, ast.Name)}
    homes: dict[str, list[str]] = {}
    for name in sorted(used, key=lambda name: (len(name) == 1 or not name.isupper(), name)):
        home = HOMES.get(name) or ("npg.functional._types" if hasattr(_types, name) else None)
        if home:
            homes.setdefault(home, []).append(name)
    lines = {home: _import(home, names) for home, names in homes.items()}
    standard = [lines[home] for home in sorted(homes) if not home.startswith("npg.")]
    own = sorted([lines[home] for home in homes if home.startswith("npg.")] + first, key=lambda text: text.split()[1])
    return [*standard, *([""] if standard else []), *own, ""]


def _import(home: str, names: list[str]) -> str:
    line = f"from {home} import {', '.join(names)}"
    return line if len(line) <= WIDTH else "\n    ".join([f"from {home} import (", *[f"{n}," for n in names]]) + "\n)"


# ----- Stubs -----


def functions_stub(functions: dict[str, Any], others: tuple[str, ...] = (), gathered: bool = True) -> str:
    """Return the stub of a module that gathers functions: those that are written out come from their own modules.

    Args:
        others: what else it imports, "module name".
        gathered: it has them in FUNCTIONS too.
    """
    homes: dict[str, list[str]] = {}
    for other in others:
        home, name = other.split()
        homes.setdefault(home, []).append(f"{name} as {name}")
    body: list[str] = []
    for name in sorted(functions):
        function = functions[name]
        if isinstance(function, Function):
            body += lines_of(name, of_op(function))
        else:
            homes.setdefault(function.__module__, []).append(f"{name} as {name}")
    if gathered:
        body = ["FUNCTIONS: dict[str, Any]", *([""] if body else []), *body]
    imports = imports_of(body, [_import(home, names) for home, names in homes.items()])
    return "\n".join([HEADER, "", *imports, *body]).rstrip("\n") + "\n"


def names_stub() -> str:
    """Return the stub of npg/functional, which leaves out of a star import what is a method only."""
    names = [f'    "{name}",' for name in functional.__all__]
    star = "from npg.functional._tensors import *"
    return "\n".join([HEADER, "", "# ruff: noqa: F403, F405", star, "", "__all__ = [", *names, "]", ""])


def methods_stub() -> str:
    """Return the stub of npg/tensor/methods.py: the functions with the tensor as self, and without out=."""
    body = ["class Methods(TensorBase):"]
    for name in sorted(METHODS):
        function = METHODS[name]
        signatures = of_op(function) if isinstance(function, Function) else of_definition(function)
        body += lines_of(name, as_methods(signatures), "    ")
    return "\n".join([HEADER, "", *imports_of([*body, "x: Any"], []), "METHODS: dict[str, Any]", "", *body, ""])


NETWORKS = tuple(f"{module} {name}" for name, module in sorted(MODULES.items()))
GENERATOR = "npg.functional.generator"
STUBS: dict[str, Callable[[], str]] = {
    "npg/functional/_tensors.pyi": lambda: functions_stub(
        FUNCTIONS, (f"{GENERATOR} Generator", f"{GENERATOR} default_generator")
    ),
    "npg/functional/__init__.pyi": names_stub,
    "npg/nn/functional.pyi": lambda: functions_stub({}, NETWORKS, gathered=False),
    "npg/creation/__init__.pyi": lambda: functions_stub(creation.FUNCTIONS),
    "npg/tensor/methods.pyi": methods_stub,
}


def stale() -> list[str]:
    """Return which stubs are not what would be written."""
    return [name for name, stub in STUBS.items() if (ROOT / name).read_text(encoding="utf-8") != stub()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        wrong = stale()
        print("".join(f"{name} is not what tools/stubs.py writes\n" for name in wrong), end="")
        return bool(wrong)
    for name, stub in STUBS.items():
        (ROOT / name).write_text(stub(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
