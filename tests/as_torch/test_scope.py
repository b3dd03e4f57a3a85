"""install(scope={...}): npg is torch for the named packages; for everything else nothing has changed."""

import pytest

from tests.as_torch.commands import run

FILES = {
    "inside/__init__.py": """
import torch
import torch.nn as nn, torch.nn.functional as F, sys, importlib
from torch.optim import lr_scheduler, SGD
from torch import Tensor, nn as nn_again
from torch.utils import checkpoint
import torch.utils.checkpoint
import torch as again
from . import part
from .part import late

def seen():
    import torch.optim.adam, importlib.util, importlib.metadata
    from importlib import import_module
    from sys import modules
    assert nn_again is nn and again is torch and torch.nn is nn and torch.optim.adam.Adam.__module__ == "npg.optim.adam"
    assert "torch" in sys.modules and "torch" in modules and sys.modules["torch"] is torch is sys.modules.get("torch")
    assert "torch.nope" not in sys.modules and sys.modules["torch.nn"] is nn and sys.modules[__name__].seen is seen
    assert import_module("torch.nn") is nn is importlib.import_module("torch.nn") and import_module("json").dumps
    assert importlib.util.find_spec("torch") and not importlib.util.find_spec("torch.nope")
    assert importlib.metadata.version("torch") == "2.13.0+npg" == torch.__version__ and torch.__version__ >= (2, 1)
    assert importlib.reload(torch) is torch
    sys.modules["torch._six"] = part
    from torch._six import late as found
    assert found is late and sys.modules.pop("torch._six") is part and "torch._six" not in sys.modules
    sys.modules.pop("torch")  # the next import finds it again
    import torch as found
    assert found is torch is sys.modules["torch"]
    sys.inside_was_here = True
    return torch.ones(2)
""",
    "inside/part.py": """
def late():
    import torch
    try:
        import torch.fft_
    except ModuleNotFoundError as error:
        assert "torch.fft_" in str(error)
    else:
        raise AssertionError
    try:
        from torch import nope
    except ImportError:
        pass
    exec("import torch as t; assert t is torch", {"__builtins__": __builtins__, "torch": torch})
    return torch
""",
    "outside.py": """
import sys
def torch_seen():
    assert not hasattr(sys.modules.get("torch"), "inside_was_here")
    try:
        import torch
    except ImportError:
        return None
    return torch
""",
}
REAL = """
__version__ = "2.0.0"
"""
PROGRAM = """
import sys
sys.path.insert(0, ".")
{before}
from npg.as_torch import install, installed, uninstall
import npg
install(scope={{"inside"}})
assert installed()
import inside, outside
assert type(inside.seen()) is npg.Tensor and inside.late().nn is npg.nn and sys.inside_was_here
assert inside.F is npg.nn.functional and inside.Tensor is npg.Tensor and inside.SGD is npg.optim.SGD
{outside}
assert npg.__name__ == "npg" and repr(npg.float32) == "npg.float32" and npg.__version__ != "2.13.0+npg"
assert repr(npg.nn.Linear).startswith("<class 'npg.")
import pickle, importlib.metadata
try:
    assert importlib.metadata.version("torch") != "2.13.0+npg"
except importlib.metadata.PackageNotFoundError:
    pass
uninstall()
assert not installed()
import outside
assert type(inside.seen.__globals__["torch"].ones(1)) is npg.Tensor  # what is imported keeps npg
{outside}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inside").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_named_packages_see_npg_and_others_the_torch_they_have(folder):
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(REAL)  # a small package in the place of the real one
    outside = 'assert outside.torch_seen().__version__ == "2.0.0" and sys.modules["torch"].__version__ == "2.0.0"'
    for before in ("", "import torch"):
        code, out, error = run("-c", PROGRAM.format(before=before, outside=outside), folder=folder, npg=False)
        assert (code, out, error) == (0, "", "")


def test_without_a_torch_others_see_none(folder):
    block = "sys.modules['torch'] = None"  # an import of it fails then, as where it is not installed
    outside = "assert outside.torch_seen() is None and sys.modules['torch'] is None"
    code, out, error = run("-c", PROGRAM.format(before=block, outside=outside), folder=folder, npg=False)
    assert (code, out, error) == (0, "", "")


REFUSED = """
import json
from npg.as_torch import install, installed
assert installed()
for scope, kind in (({"json"}, RuntimeError), ("einops", TypeError), ({1}, TypeError), (set(), ValueError),
                    ({"torch"}, ValueError), ({"npg.nn"}, ValueError)):
    try:
        install(scope)
    except kind as error:
        print(error)
    assert installed()
    import torch
    assert torch.__version__ == "2.13.0+npg"  # a refused call changes nothing
install(["inside"])
install(("inside",))
import inside
install(["inside"])
install()
install()
import torch
assert torch.__version__ == "2.13.0+npg"
"""


def test_scopes_that_are_refused_and_calls_that_replace_one_another(folder):
    code, out, error = run("-c", REFUSED, folder=folder, npg=False)
    assert (code, error) == (0, "")
    assert out.startswith("json is imported already") and len(out.splitlines()) == 6


CHILDREN = """
import multiprocessing, sys
sys.path.insert(0, ".")

def work():
    import inside
    return str(type(inside.torch.ones(1))), "torch" in sys.modules

if __name__ == "__main__":
    from npg.as_torch import install
    install({"inside"})
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(1) as pool:
            print(pool.apply(work))
"""


def test_children_have_the_scope(folder):
    (folder / "script.py").write_text(CHILDREN)
    code, out, error = run("script.py", folder=folder, npg=False)
    assert (code, error) == (0, "")
    assert out.splitlines() == ["(\"<class 'npg.Tensor'>\", False)"] * 2
