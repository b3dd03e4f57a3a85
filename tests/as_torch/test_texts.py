"""Every text with a name of npg goes through npg._naming.named, so that it says torch while npg is served as torch."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"(?<!of )\bnpg(?=\.(?:[\w{]|$))")  # "of npg." ends a sentence
# Names that no user reads: modules to import, and tests of where something stands.
NO_TEXTS = {
    "npg/overrides.py": {"npg.Tensor."},  # named by resolve_name
    "npg/_ops.py": {"npg.ops", "npg.ops."},
    "npg/hub.py": {"npg.hub"},
    "npg/_errors.py": {"npg.linalg"},
    "npg/engine/_python/function.py": {"npg.functional"},
    "npg/engine/_select.py": {"npg.engine"},
    "npg/func/_batching.py": {"npg.ops.random"},
    "npg/functional/_argument_errors.py": {"npg.dtype", "npg.tensor", "npg.nn."},
    "npg/functional/_public.py": {"npg.functional."},
    "npg/functional/return_types.py": {"npg.return_types"},
    "npg/nn/parameter.py": {"npg.Tensor."},  # named by _refusing
    "npg/tensor/conversion.py": {"npg.cuda"},
    "npg/tensor/copies.py": {"npg.tensor"},
    "npg/tensor/printing.py": {"=npg."},
}
# Constants that are named where they are raised: see _errors.warn, engine/_out.py, and `named(CONSTANT)`.
RAISED_ELSEWHERE = {
    "npg/serialization/_loading.py": {"_UNSAFE"},
    "npg/serialization/_locations.py": {"remedy"},
    "npg/backends/opt_einsum.py": {"_WITHOUT"},
    "npg/cuda/__init__.py": {"text"},
    "npg/export/__init__.py": {"_NO_GRAPH"},
    "npg/jit/__init__.py": {"_NO_CODE"},
    "npg/utils/cpp_extension.py": {"_TEXT"},
    "npg/utils/tensorboard/__init__.py": {"_NEEDS"},
    "npg/_errors.py": {"MODIFIED", "HOOK_DTYPE", "NO_TORCHSCRIPT"},
    "npg/func/_batched.py": {"_CONTROL_FLOW", "_REQUIRES_GRAD", "_NO_GRAPH"},
    "npg/functional/_argument_errors.py": {"_DTYPE"},
    "npg/functional/_index.py": {"_BYTE_MASK"},
    "npg/functional/elementwise.py": {"_INTEGER_ADDCDIV"},
    "npg/functional/extrema.py": {"_MEDIAN_VALUES", "_MEDIAN_INDICES"},
    "npg/functional/householder.py": {"_CASTABLE"},
    "npg/functional/joining.py": {"_CAT"},
    "npg/functional/linalg_solvers.py": {"_LSTSQ"},
    "npg/functional/search.py": {"_PLACES"},
}
NAMING = {
    "named", "refusing", "refusing_class", "warn", "_deprecated", "writes",
    "import_module", "choose", "loader", "homes_of",
}  # fmt: skip


def names_in(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def unnamed(tree, constants=(), known=()):
    """Return (line, text) of every text with a name of npg that nothing names."""
    good = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            good |= {id(s.value) for s in node.body if isinstance(s, ast.Expr)}
        elif isinstance(node, ast.Call) and called(node) in NAMING | {"import_module", "choose", "loader", "homes_of"}:
            if not (
                called(node) == "warn" and isinstance(node.func, ast.Attribute) and node.func.value.id == "warnings"
            ):
                good |= {id(n) for n in ast.walk(node)}
        elif isinstance(node, ast.Assign) and {getattr(t, "id", "") for t in node.targets} & set(constants):
            good |= {id(n) for n in ast.walk(node)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and NAME.search(node.value)
        and id(node) not in good
        and node.value not in known
    ]


FILES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "npg").rglob("*.py") if "as_torch" not in p.parts)


@pytest.mark.parametrize("file", [f for f in FILES if not f.endswith(("/_names.py", "/_homes.py"))])
def test_texts_are_named(file):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = unnamed(tree, RAISED_ELSEWHERE.get(file, ()), NO_TEXTS.get(file, ()))
    # A path of a module is no text.
    whole = r"npg(\.\w*)+" if file.endswith("__init__.py") else r"npg(\.\w+)+"
    found = [(line, text) for line, text in found if not re.fullmatch(whole, text)]
    assert not found, f"{file}: {found}: wrap the text in npg._naming.named()"


@pytest.mark.parametrize(
    "code",
    [
        "raise RuntimeError('npg.cat(): no')",
        "raise RuntimeError(f'npg.{name}(): no')",
        "warnings.warn('use npg.func')",
        "def f():\n    return 'npg.Size'",
        "_TEXT = 'npg.cat(): no'",
    ],
)
def test_checker_finds_a_text_that_is_not_named(code):
    assert unnamed(ast.parse(code))


def test_checker_accepts_what_is_named():
    code = "'''npg.doc'''\nraise E(named(f'npg.{x}: no'))\nwarn('npg.cat')\n_TEXT = 'npg.cat'\nx = 'npg, npg and more'"
    assert not unnamed(ast.parse(code), {"_TEXT"})
