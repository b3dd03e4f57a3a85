"""Types: a user's code checks, and mistakes in it are found."""

import re
import shutil
import sys
from pathlib import Path

import pytest

import npg
import npg.nn.functional
from tests import processes

ROOT = Path(__file__).resolve().parent.parent
USER_CODE = Path(__file__).with_name("typing") / "user_code.py"


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A function that returns what mypy --strict says of code that has npg installed."""
    folder = tmp_path_factory.mktemp("user")
    # As an installed package: what is wrong in npg itself is no concern of its user, and not told.
    site = folder / "site"
    shutil.copytree(ROOT / "npg", site / "npg", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))

    def check(code: str) -> list[str]:
        # A file of its own each time: mypy's cache takes one of the same size and second for the same.
        name = f"user_{len(list(folder.glob('user_*.py')))}.py"
        (folder / name).write_text(code, encoding="utf-8")
        settings = f"strict = True\nmypy_path = {site}\ncache_dir = {folder / 'cache'}"
        (folder / "mypy.ini").write_text(f"[mypy]\n{settings}\n[mypy-npg.*]\nignore_errors = True\n", encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", name]
        done = processes.run(command, cwd=folder, capture_output=True, text=True, timeout=500)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return [line for line in done.stdout.splitlines() if line.startswith(f"{name}:")]

    return check


def test_users_code_has_types(checked):
    assert checked(USER_CODE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x: int = npg.ones(2) + 1", "Incompatible types in assignment"),
        ("npg.ones(2).no_such_method()", 'has no attribute "no_such_method"'),
        ("npg.ones(2).sum(dmi=0)", 'Unexpected keyword argument "dmi"'),
        ("x: int = npg.randn(2)", "Incompatible types in assignment"),
        ("npg.nn.Linear('4', 3)", 'incompatible type "str"; expected "int"'),
        ("npg.exp(npg.ones(2), bogus=1)", 'Unexpected keyword argument "bogus" for "exp"'),
        ("npg.exp(npg.ones(2), axis=0)", 'Unexpected keyword argument "axis" for "exp"'),
        ("npg.exp('2')", 'incompatible type "str"; expected "Tensor"'),
        ("npg.exp_(npg.ones(2), out=npg.ones(2))", 'Unexpected keyword argument "out" for "exp_"'),
        ("npg.isnan(npg.ones(2), out=npg.ones(2))", 'Unexpected keyword argument "out" for "isnan"'),
        ("npg.sqrt(npg.ones(2), out=3)", 'incompatible type "int"; expected "Tensor | None"'),
        ("npg.mul(npg.ones(2))", 'No overload variant of "mul" matches argument type "Tensor"'),
        ("npg.mul(npg.ones(2), '2')", 'No overload variant of "mul" matches argument types "Tensor", "str"'),
        ("npg.relu(2.0)", 'incompatible type "float"; expected "Tensor"'),
        ("npg.sum([1, 2])", 'incompatible type "list[int]"; expected "Tensor"'),
        ("npg.add(npg.ones(2), '2')", 'No overload variant of "add" matches argument types "Tensor", "str"'),
        ("npg.view(npg.ones(2), 2)", 'Module has no attribute "view"'),
        ("npg.nn.functional.exp(npg.ones(2))", 'Module has no attribute "exp"'),
        ("npg.nn.functional.tanh(npg.ones(2), 1)", 'Too many positional arguments for "tanh"'),
        ("npg.neg_(2)", 'incompatible type "int"; expected "Tensor"'),
        ("npg.ones(2).exp(1, 2, 3)", 'Too many arguments for "exp" of "Methods"'),
        ("npg.ones(2).mul()", 'Missing positional argument "other" in call to "mul" of "Methods"'),
        ("npg.ones(2).mul_('2')", 'incompatible type "str"'),
        ("npg.ones(2).add(1, out=npg.ones(2))", 'Unexpected keyword argument "out" for "add" of "Methods"'),
        ("npg.ones(2).sum(0, keepdims=True)", 'Unexpected keyword argument "keepdims" for "sum"'),
        ("npg.ones(2).max(0).indexes", 'has no attribute "indexes"'),
        ("x: npg.Tensor = npg.ones(2).max(0)", "Incompatible types in assignment"),
        ("npg.nn.functional.cross_entropy(npg.ones(2), npg.ones(2), reduction=3)", 'incompatible type "int"'),
    ],
)
def test_mistakes_are_found(line, told, checked):
    found = checked(f"import npg\nimport npg.nn.functional\n\n{line}\n")
    assert any(told in error for error in found), found


def test_users_code_runs():
    code = compile(USER_CODE.read_text(encoding="utf-8"), str(USER_CODE), "exec")
    names: dict[str, object] = {"__name__": "user_code"}
    exec(code, names)
    x = npg.ones(4, 4)
    for name in ("arithmetic", "methods"):
        names[name](*[x.clone() for _ in range(2 if name == "arithmetic" else 1)])
    names["functions"](npg.rand(3, 4))
    model = names["Net"]()
    batches = [(npg.ones(2, 4), npg.zeros(2, dtype=npg.int64))] * 3
    assert names["train"](model, iter(batches)) > 0
    assert isinstance(names["groups"](model), npg.optim.SGD)
    assert names["evaluate"](model, npg.ones(2, 4)) >= 0
    assert names["Double"].apply(x).tolist() == (x * 2).tolist()


def test_stubs_are_what_the_functions_are():
    done = processes.run([sys.executable, "tools/stubs.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run `python tools/stubs.py`"


def test_types_are_marked_as_there():
    assert (ROOT / "npg" / "py.typed").exists()


POOLS = [(kind, n) for kind in ("", "adaptive_", "fractional_") for n in (1, 2, 3)]


def test_every_function_and_method_says_what_it_gives(checked):
    """Any is left where a number, a foreign object or a function may come out, and where PyTorch leaves it.

    PyTorch leaves it of largest numbers in windows, which come with their places where those are asked for.
    """
    loose = {
        "F.get_rng_state", "npg.compile", "npg.from_dlpack", "npg.get_rng_state", "npg.load", "npg.resize_as_",
        "npg.vmap", "Tensor.as_subclass", "Tensor.item", "Tensor.tolist", "Tensor.resize",
        "npg.sym_max", "npg.sym_min", "npg.sym_sum", *(f"F.{kind}max_pool{n}d" for kind, n in POOLS),
    }  # fmt: skip
    places = {"npg": npg, "F": npg.nn.functional, "npg.linalg": npg.linalg, "Tensor": npg.Tensor}
    attributes = {
        f"{place}.{n}": getattr(found, n) for place, found in places.items() for n in dir(found) if n[0] != "_"
    }
    names = [n for n, x in attributes.items() if (callable(x) or isinstance(x, property)) and not isinstance(x, type)]
    lines = [f"reveal_type({n.replace('Tensor.', 'npg.ones(2).')})" for n in names]
    told = checked("import npg, npg.linalg\nimport npg.nn.functional as F\n" + "\n".join(lines) + "\n")
    assert len(told) >= len(names) > 1000
    any_result = re.compile(r'user_\d+.py:(\d+): note: Revealed type is "(Any|.* -> Any)"$')
    found = {names[int(m[1]) - 3] for m in map(any_result.match, told) if m}
    assert not [text for text in told if text.endswith('Function"')]  # an object of which nothing is known
    assert found <= loose, sorted(found - loose)
