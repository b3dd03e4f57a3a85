"""Write npg/_names.py, which says which file has each function, and the stubs of the modules that load functions by it.

    python tools/stubs.py            write them
    python tools/stubs.py --check    exit with 1 where one of them is not what would be written

A function that is written out keeps its annotations and overloads; the types of an op's forms follow from its
declaration. The stubs leave out NumPy's names of arguments, axis and keepdims, as PyTorch's do.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_overloads

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import npg  # noqa: E402
from npg import creation  # noqa: E402
from npg.engine import Function  # noqa: E402
from npg.functional import _types  # noqa: E402
from npg.functional._namespaces import (  # noqa: E402
    FUNCTIONS,
    METHODS,
    NETWORKS,
    SHARED,
    TORCH,
    Table,
    chosen,
    flat,
    functions_in,
)

HEADER = '"""Written by tools/stubs.py."""'
WIDTH = 120
HOMES = {
    **dict.fromkeys(("Any", "Literal", "Self", "overload"), "typing"),
    **dict.fromkeys(("Callable", "Sequence"), "collections.abc"),
    "Generator": "npg.functional.generator",
    "Tensor": "npg.tensor",
    "TensorBase": "npg.engine",
}
CREATING = functions_in(creation)
MODULES = npg._MODULES | npg._OTHERS
OWN = "T"  # the tensor that a function takes and returns; a method: its own

Parameters = list[inspect.Parameter]
Signature = tuple[Parameters, str]


# ----- Signatures -----


def of_op(function: Any) -> list[Signature]:
    """Return the signatures of a form of an op: of two operands either may be a number."""
    first, *rest = function.op.inputs
    orders = [("T", "Operand")] if function.writes or not rest else [("T", "Operand"), ("Scalar", "T")]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signatures = []
    for one, other in orders:
        parameters = [inspect.Parameter(first, kind, annotation=one)]
        parameters += [inspect.Parameter(name, kind, annotation=other) for name in rest]
        if function.op.takes_out and not function.writes:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(inspect.Parameter("out", keyword, annotation="TensorBase | None", default=None))
        signatures.append((parameters, "T"))
    return signatures


def of_definition(function: Any) -> list[Signature]:
    """Return the signatures that a function is written with."""
    signatures = [inspect.signature(f) for f in get_overloads(function) or [function]]
    return [(list(s.parameters.values()), s.return_annotation) for s in signatures]


def of(function: Any) -> list[Signature]:
    """Return the signatures of a public function."""
    return of_op(function) if isinstance(function, Function) else of_definition(function)


def with_tensors(signatures: list[Signature]) -> list[Signature]:
    """Return the signatures with Tensor for the type of the tensor, as PyTorch's are: of a Parameter comes a Tensor."""

    def named(annotation: Any) -> Any:
        own = _renamed(annotation, OWN, "Tensor")
        return own.replace("TensorBase", "Tensor") if isinstance(own, str) else own

    return [([p.replace(annotation=named(p.annotation)) for p in ps], named(result)) for ps, result in signatures]


def as_methods(name: str, signatures: list[Signature]) -> list[Signature]:
    """Return the signatures of a method: what the tensor cannot be is left out, and so is out=.

    It returns a Tensor, and where it writes in place, self.
    """
    kind = "Self" if name.endswith("_") else "Tensor"
    methods: list[Signature] = []
    for (first, *rest), result in signatures:
        if first.annotation not in (OWN, "Any"):
            continue
        receiver = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        own = first.annotation
        parameters = [p.replace(annotation=_renamed(p.annotation, own, "TensorBase")) for p in rest if p.name != "out"]
        method = ([receiver, *parameters], _renamed(result, own, kind))
        if method not in methods:
            methods.append(method)
    return methods


def _renamed(annotation: str, own: str, name: str) -> str:
    """Return an annotation in which the type of the tensor has another name."""
    if own != OWN or not isinstance(annotation, str):
        return annotation
    tree = ast.parse(annotation, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == own:
            node.id = name
    return ast.unparse(tree)


# ----- Text -----


def lines_of(name: str, signatures: list[Signature], indent: str = "", doc: str = "") -> Iterator[str]:
    """Yield the lines of a function, laid out as ruff does; editors show the doc."""
    for parameters, result in signatures:
        if len(signatures) > 1:
            yield f"{indent}@overload"
        texts = list(_texts(parameters))
        line = f"{indent}def {name}({', '.join(texts)}) -> {result}:"
        inner = f"{indent}    {', '.join(texts)}"
        end = "" if doc else " ..."
        if len(line + end) <= WIDTH:
            yield line + end
        else:
            yield f"{indent}def {name}("
            yield from [inner] if len(inner) <= WIDTH else [f"{indent}    {text}," for text in texts]
            yield f"{indent}) -> {result}:{end}"
        if doc:
            yield f'{indent}    """{doc}"""'
            yield ""


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


# ----- Files -----


def names_table() -> str:
    """Return npg/_names.py: for each namespace the modules, and the names that each of them has."""
    named = flat(TORCH) | flat(METHODS)
    tables = {
        "TORCH": ("torch", TORCH),
        "CREATION": ("torch that make tensors", CREATING),
        "METHODS": ("torch.Tensor", METHODS),
        "NETWORKS": (
            "torch.nn.functional",
            {m: {**NETWORKS.get(m, {}), **SHARED.get(m, {})} for m in NETWORKS | SHARED},
        ),
        "OTHERS": ("other namespaces and of operators", chosen(FUNCTIONS, lambda name, _: name not in named)),
    }
    lines = [HEADER, ""]
    for table, (title, modules) in tables.items():
        lines += [f"# The functions of {title}, by module.", f"{table} = {{"]
        for module, functions in sorted(modules.items()):
            if functions:
                lines += _entry(module, sorted(functions))
        lines += ["}"]
    return "\n".join([*lines, ""])


def _entry(module: str, names: list[str]) -> list[str]:
    line = f'    "{module}": "{" ".join(names)}",'
    if len(line) <= WIDTH:
        return [line]
    rows = textwrap.wrap(" ".join(names), WIDTH - 11)
    texts = [f'        "{row} "' for row in rows[:-1]] + [f'        "{rows[-1]}"']
    return [f'    "{module}": (', *texts, "    ),"]


def functions_stub(table: Table) -> str:
    """Return the stub of a package that loads functions: those that are written out come from their own modules."""
    homes: dict[str, list[str]] = {}
    body: list[str] = []
    for functions in table.values():
        for name, function in sorted(functions.items()):
            if isinstance(function, Function):
                body += lines_of(name, of_op(function))
            else:
                homes.setdefault(function.__module__, []).append(f"{name} as {name}")
    imports = imports_of(body, [_import(home, sorted(names)) for home, names in homes.items()])
    return "\n".join([HEADER, "", *imports, *body]).rstrip("\n") + "\n"


def namespace_stub(table: Table) -> str:
    """Return the stub of a namespace that users see: functions of Tensors."""
    body = _functions_of_tensors(table)
    return "\n".join([HEADER, "", *imports_of(body, []), *body]).rstrip("\n") + "\n"


def _functions_of_tensors(table: Table) -> list[str]:
    lines: list[str] = []
    for name, function in sorted(flat(table).items()):
        lines += lines_of(name, with_tensors(of(function)), doc=inspect.getdoc(function).partition("\n")[0])
    return lines


def late_stub() -> str:
    """Return the stub of what `npg` loads late: modules, functions of Tensors, and the names of other modules."""
    homes: dict[str, list[str]] = {}
    for name, module in MODULES.items():
        if name[0] != "_":
            homes.setdefault(module.rpartition(".")[0], []).append(name)
    functions, creating = flat(TORCH), flat(CREATING)
    for name, home in npg._HOMES.items():
        if name not in functions:
            homes.setdefault("npg.creation" if name in creating else home, []).append(name)
    others = [_import(home, [f"{n} as {n}" for n in sorted(names, key=_by_number)]) for home, names in homes.items()]
    body = _functions_of_tensors(TORCH)
    return "\n".join([HEADER, "", *imports_of(body, others), *body]).rstrip("\n") + "\n"


def _by_number(name: str) -> list[Any]:
    """Return the key by which complex64 comes before complex128."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def methods_stub() -> str:
    """Return the stub of npg/tensor/methods.py: the functions with the tensor as self, and without out=."""
    body = ["class Methods(TensorBase):"]
    for name, function in sorted(flat(METHODS).items()):
        body += lines_of(name, as_methods(name, of(function)), "    ")
    return "\n".join([HEADER, "", *imports_of([*body, "x: Any"], []), "METHODS: dict[str, Any]", "", *body, ""])


FILES: dict[str, Callable[[], str]] = {
    "npg/_names.py": names_table,
    "npg/_late.pyi": late_stub,
    "npg/functional/__init__.pyi": lambda: functions_stub(FUNCTIONS),
    "npg/nn/functional.pyi": lambda: namespace_stub({"": flat(NETWORKS) | flat(SHARED)}),
    "npg/creation/__init__.pyi": lambda: functions_stub(CREATING),
    "npg/tensor/methods.pyi": methods_stub,
}


def stale() -> list[str]:
    """Return which files are not what would be written."""
    return [name for name, text in FILES.items() if (ROOT / name).read_text(encoding="utf-8") != text()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        wrong = stale()
        print("".join(f"{name} is not what tools/stubs.py writes\n" for name in wrong), end="")
        return bool(wrong)
    for name, text in FILES.items():
        (ROOT / name).write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
