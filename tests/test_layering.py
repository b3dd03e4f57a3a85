"""Who may import whom: the rooms of npg in their order, read from the source with ast, nothing is imported.

Every import counts: at the top of a file, inside a function, under TYPE_CHECKING, by importlib.import_module. An
import that runs late still ties the room to what stands above it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Left never imports right. Rooms of one stage may import each other.
STAGES = (
    (
        "_compiled", "_contextlib", "_dtype_names", "_errors", "_floating", "_homes", "_interpreter", "_launch",
        "_launch_processes",
        "_launchers", "_lazy", "_names", "_naming", "_refusal", "_signatures", "_version", "_words", "dtypes",
        "torch_version", "version",
    ),
    ("kernels",),
    ("random",),
    ("ops",),
    ("engine",),
    ("functional",),
    ("tensor",),
    ("creation",),
    (
        "nn", "optim", "autograd", "func", "utils", "profiler", "linalg", "types", "distributions", "distributed",
        "_utils", "accelerator", "amp", "ao", "backends", "cpu", "cuda", "mps", "mtia", "xpu", "_dynamo", "compiler",
        "export", "fx", "futures", "hub", "jit", "library", "multiprocessing", "onnx", "overrides", "serialization",
        "storage", "testing", "__config__", "_C", "_VF", "_checks", "_logging", "_symbolic", "_custom_ops", "_ops",
    ),
    ("_run", "as_torch"),
    ("demo",),
)  # fmt: skip
RANK = {room: rank for rank, stage in enumerate(STAGES) for room in stage}
TOP = "npg"  # npg/__init__.py and __main__.py: put the rooms together and are imported by none of them

# Allowed by the order, and still not wanted: a module's forward is one call into functional.
FORBIDDEN = {"nn": {"kernels", "ops", "engine"}, "optim": {"kernels", "ops", "engine"}}
# The demos see what a user sees.
INTERNAL = {"kernels", "ops", "engine"}


# ----- The checker -----


def room_of(module: str) -> str | None:
    """Return the room of a dotted module name, TOP for npg itself, None when it belongs to no room.

    A room is a package or a module of npg. A private helper beside it carries its name: npg/_tensor_x.py is part of
    `tensor`, as npg/functional_x.py is part of `functional`.
    """
    package, _, rest = module.partition(".")
    if package == "demo":
        return "demo"
    name = rest.partition(".")[0]
    if name in ("", "__main__", "_late"):  # the last is the stub of what npg/__init__.py loads late
        return TOP
    if name in RANK:
        return name
    owners = [room for room in RANK if name.lstrip("_").startswith(room + "_")]
    return max(owners, key=len, default=None)


def module_of(path: Path, root: Path) -> str:
    """Return the dotted name of a source file; csrc/<room>.pyx and what lies in csrc/<room>/ is part of a room."""
    if path.suffix in (".pyx", ".pxd", ".pxi"):
        room = path.relative_to(root).parts[1].partition(".")[0]  # seal.pxi is part of every room: of the leftmost
        return f"npg.{room if room in RANK else 'kernels'}._cython"
    parts = list(path.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parse(path: Path) -> Iterator[tuple[int, ast.AST]]:
    """Yield (line, node) of a Python file; of a Cython file only its imports, a cimport read as an import."""
    text = path.read_text(encoding="utf-8")
    if path.suffix not in (".pyx", ".pxd", ".pxi"):
        for node in ast.walk(ast.parse(text, str(path))):
            yield getattr(node, "lineno", 0), node
        return
    statement = r"^[ \t]*(from[ \t]+[\w.]+[ \t]+c?import[ \t]+(?:\([^)]*\)|[^\n(]+)|c?import[ \t]+[^\n]+)"
    for match in re.finditer(statement, text, re.MULTILINE):
        try:
            (node,) = ast.parse(re.sub(r"\bcimport\b", "import", match[1])).body
        except SyntaxError:  # prose that begins with "from" or "import"; a real import always parses
            continue
        yield text.count("\n", 0, match.start(1)) + 1, node


def imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything a file imports, relative imports made absolute.

    `from npg import x` gives npg.x when x names a room, else npg: then x comes from npg/__init__.py.
    """
    module = module_of(path, root)
    for line, node in parse(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield line, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + (path.stem == "__init__")]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield line, inner if base == "npg" and room_of(inner) else base
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            name = node.args[0]
            if called in ("import_module", "__import__") and isinstance(name, ast.Constant):
                yield line, str(name.value)


def verdict(module: str, imported: str) -> str | None:
    """Return what is wrong with `module` importing `imported`, None when nothing is."""
    room = room_of(module)
    package = imported.partition(".")[0]
    if package == "torch" and room != "demo":
        return "npg imports torch; only tests and demos may"
    if package not in ("npg", "demo") or room == TOP:
        return None
    target = room_of(imported)
    if room is None:
        return "the file belongs to no room; put it into one, or name it _<room>_<what>.py"
    if target is None:
        return "the imported module belongs to no room"
    if room == "demo":
        parts = imported.split(".")[1:]
        private = package == "npg" and (target in INTERNAL or any(part.startswith("_") for part in parts))
        return "a demo imports the public npg alone" if private else None
    if target == TOP:
        return "a room imports npg/__init__.py, which stands above it; import the room that defines the name"
    if RANK[target] > RANK[room]:
        return f"{room} stands left of {target} and may not import it"
    if target in FORBIDDEN.get(room, ()):
        return f"{room} may not import {target}; call npg.functional"
    return None


def check(root: Path) -> tuple[list[str], int]:
    """Check the tree under root.

    Returns: ("file:line: module: what is wrong" for every forbidden import, the number of files read).
    """
    files = [p for d, e in (("npg", "py"), ("npg", "pyi"), ("demo", "py")) for p in sorted((root / d).rglob(f"*.{e}"))]
    for pattern in ("*.pyx", "*.pxd", "*.pxi"):
        files += [path for folder in ("csrc", "npg") for path in sorted((root / folder).rglob(pattern))]
    found = []
    for path in files:
        module = module_of(path, root)
        if room_of(module) is None:
            found.append(f"{path.relative_to(root)}:1: {module}: {verdict(module, 'npg.ops')}")
            continue
        for line, imported in imports(path, root):
            wrong = verdict(module, imported)
            if wrong:
                found.append(f"{path.relative_to(root)}:{line}: {imported}: {wrong}")
    return found, len(files)


# ----- Circles -----


def modules_imported(path: Path, root: Path, modules: set[str]) -> Iterator[str]:
    """Yield those of the modules that a file imports; `from npg.ops import shape` is npg.ops.shape."""
    package = module_of(path, root).split(".")[: None if path.stem == "__init__" else -1]
    for _, node in parse(path):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            yield from {name if name in modules else base for name in inner} & modules


def circles(root: Path) -> list[set[str]]:
    """Return the sets of modules of npg each of which imports all others of the set, directly or not."""
    files = {module_of(path, root): path for path in (root / "npg").rglob("*.py")}
    graph = {module: set(modules_imported(path, root, set(files))) for module, path in files.items()}

    def reach(module: str) -> set[str]:
        seen: set[str] = set()
        stack = list(graph[module])
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(graph[name])
        return seen

    reached = {module: reach(module) for module in files}
    found: list[set[str]] = []
    for module in sorted(files):
        if module in reached[module] and not any(module in circle for circle in found):
            found.append({name for name in reached[module] if module in reached[name]})
    return found


# ----- npg -----


def test_layering_of_this_repository_is_kept():
    found, files = check(ROOT)
    assert files > 20
    assert not found, "\n".join(found)


def test_circles_are_the_engines_own():
    # A node runs rules, a rule may run a backward pass, and a tensor asks for nodes.
    found = circles(ROOT)
    assert len(found) == 1
    assert {".".join(name.split(".")[:2]) for name in found[0]} == {"npg.engine"}


# ----- The checker itself -----

RIGHT = {
    "npg/__init__.py": "from npg.tensor import Tensor\nfrom npg import nn, optim\nimport npg.engine\n",
    "npg/_errors.py": "",
    "npg/dtypes.py": "import numpy as np\nfrom . import _errors\n",
    "npg/ops/__init__.py": "from .basic import add\n",
    "npg/kernels/__init__.py": "from npg import dtypes\n",
    "npg/kernels/_cython.pxd": "cimport numpy as cnp\n",
    "npg/ops/basic.py": "from npg import dtypes\nfrom npg.kernels.sums import add_up\nfrom npg.ops import _util\n",
    "npg/engine/_python.py": "from npg import _errors\nfrom npg.ops.basic import add\n",
    "npg/functional/__init__.py": "from .. import engine, ops\n",
    "npg/tensor/__init__.py": "from npg import functional as F\n",
    "npg/_tensor_x.py": "import npg.functional\n",
    "npg/creation/__init__.py": "from npg.tensor import Tensor\n",
    "npg/nn/functional.py": "from npg.functional import *\n",
    "npg/nn/modules/linear.py": "from ...tensor import Tensor\nfrom .. import functional as F\n",
    "npg/optim/sgd.py": "from npg.autograd import no_grad\n",
    "csrc/engine.pyx": '"""import npg.tensor is prose, so is\nfrom here to there."""\nfrom npg import _errors\n',
    "csrc/kernels.pyx": "from npg.kernels import limits\n",
    "csrc/engine/node.pxi": "from npg.kernels._cython cimport run_loop\n",
    "demo/gpt/train.py": "import torch\nimport npg\nfrom npg.nn import functional\nfrom npg import Tensor\n",
}


def write_tree(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_checker_right_imports_are_accepted(tmp_path):
    write_tree(tmp_path, RIGHT)
    assert check(tmp_path) == ([], len(RIGHT))


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    from npg.functional import b\n",
        "if TYPE_CHECKING:\n    from .b import y\n",
        "import npg.functional.b\n",
        "from . import b\n",
    ],
)
def test_checker_circle_is_found(tmp_path, source):
    files = {"npg/functional/b.py": "import npg.functional.c\n", "npg/functional/c.py": "from .a import x\n"}
    write_tree(tmp_path, {**files, "npg/functional/a.py": ""})
    assert circles(tmp_path) == []
    write_tree(tmp_path, {"npg/functional/a.py": source})
    assert circles(tmp_path) == [{f"npg.functional.{name}" for name in "abc"}]


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        ("npg/ops/basic.py", "import npg.engine\n", 1),
        ("npg/ops/basic.py", "import math, npg.tensor as t\n", 1),
        ("npg/ops/basic.py", "import math\nfrom npg import dtypes, tensor\n", 2),
        ("npg/ops/__init__.py", "from .. import engine\n", 1),
        ("npg/ops/__init__.py", "from ..engine import apply\n", 1),
        ("npg/ops/basic.py", "from ..engine._python import apply\n", 1),
        ("npg/random.py", "def f():\n    from npg import ops\n", 2),
        ("npg/_errors.py", "from .ops import basic\n", 1),
        ("npg/engine/_python.py", "from npg import functional\n", 1),
        ("npg/engine/_cython.pyi", "from npg.tensor import Tensor\n", 1),
        ("csrc/engine.pyx", "cimport cython\n\nfrom npg.functional import (\n    relu,\n)\n", 3),
        ("npg/kernels/sums.py", "from npg.ops import basic\n", 1),
        ("npg/kernels/_cython.pxd", "from npg.engine._cython cimport Node\n", 1),
        ("csrc/kernels.pyx", "from npg.engine import apply\n", 1),
        ("csrc/kernels/loops.pxi", "from npg.ops.basic import add\n", 1),
        ("csrc/seal.pxi", "from npg.ops import basic\n", 1),
        ("csrc/engine.pxd", "from npg.tensor cimport Tensor\n", 1),
        ("csrc/engine/node.pxi", "from npg.tensor import Tensor\n", 1),
        ("npg/functional/__init__.py", "from npg.tensor import Tensor\n", 1),
        ("npg/functional/shape.py", "if TYPE_CHECKING:\n    from ..tensor import Tensor\n", 2),
        ("npg/functional_extra.py", "import importlib\nimportlib.import_module('npg.tensor')\n", 2),
        ("npg/_functional_extra.py", "t = __import__('npg.tensor')\n", 1),
        ("npg/tensor/__init__.py", "from npg import creation\n", 1),
        ("npg/_tensor_x.py", "from npg.nn import Module\n", 1),
        ("npg/creation/__init__.py", "import npg.optim.sgd\n", 1),
        ("npg/tensor/__init__.py", "import npg\n", 1),
        ("npg/tensor/__init__.py", "from npg import zeros\n", 1),
        ("npg/nn/modules/linear.py", "from npg.ops.basic import add\n", 1),
        ("npg/nn/__init__.py", "from npg import engine\n", 1),
        ("npg/optim/sgd.py", "from ..engine import no_grad\n", 1),
        ("npg/utils/data.py", "import demo.gpt.train\n", 1),
        ("npg/__init__.py", "import torch\n", 1),
        ("npg/linalg.py", "def f():\n    from torch.linalg import svd\n", 2),
        ("npg/elsewhere.py", "", 1),
        ("demo/gpt/train.py", "from npg.ops import basic\n", 1),
        ("demo/gpt/train.py", "from npg import engine\n", 1),
        ("demo/gpt/train.py", "from npg.nn import functional\nimport npg._errors\n", 2),
        ("demo/gpt/train.py", "from npg.nn._private import x\n", 1),
    ],
)
def test_checker_deliberately_wrong_import_is_caught(tmp_path, name, source, line):
    write_tree(tmp_path, {**RIGHT, name: source})
    found, _ = check(tmp_path)
    assert [text.partition(": ")[0] for text in found] == [f"{name}:{line}"]
