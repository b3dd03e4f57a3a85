"""Write npg/as_torch/_torch_names.py: PyTorch's modules and their public names, for errors that say what npg lacks.

python tools/torch_names.py          write the file; needs the torch that the tests compare with
python tools/torch_names.py --check  exit with 1 when it is not what would be written
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import pkgutil
import sys
import textwrap
import warnings
from pathlib import Path
from types import ModuleType

import torch

FILE = Path(__file__).resolve().parent.parent / "npg" / "as_torch" / "_torch_names.py"
# Packages whose modules are no part of what scripts import, and take long to load.
LEFT_OUT = (
    "torch.ao.", "torch.backends.xeon", "torch.contrib.", "torch.distributed.", "torch.export.",
    "torch.fx.experimental.", "torch.fx.passes.", "torch.nested.", "torch.nn.intrinsic", "torch.nn.qat",
    "torch.nn.quantiz", "torch.onnx.", "torch.package.", "torch.quantization", "torch.utils.benchmark.examples",
    "torch.utils.data.datapipes", "torch.utils.jit", "torch.utils.serialization", "torch.utils.tensorboard.",
    "torch.utils.viz",
)  # fmt: skip


def modules() -> dict[str, ModuleType | None]:
    """Return the public modules by name; None for one that does not load here."""
    found: dict[str, ModuleType | None] = {"torch": torch}
    todo = [torch]
    while todo:
        package = todo.pop()
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if "._" in info.name or info.name.startswith(LEFT_OUT):
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    module = found[info.name] = importlib.import_module(info.name)
            except Exception:
                found[info.name] = None
            else:
                if info.ispkg and hasattr(module, "__path__"):
                    todo.append(module)
    return found


def public(module: ModuleType) -> list[str]:
    """Return the public names of a module that PyTorch defines, modules left out."""
    own = []
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None) or "torch"
        if name[0] != "_" and not isinstance(value, ModuleType) and str(home).partition(".")[0] == "torch":
            own.append(name)
    return sorted(own)


def text() -> str:
    found = modules()
    lines = [
        '"""Written by tools/torch_names.py."""',
        "",
        "# PyTorch's public modules.",
        "MODULES = frozenset(",
        '    """',
    ]
    names = " ".join(sorted(found))
    lines += textwrap.wrap(names, 116, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    lines += ['""".split()', ")", "# The public names of those whose names npg has, or will have.", "NAMES = {"]
    for name in sorted(found):
        module = found[name]
        if module is None or not public(module) or name.count(".") > 2:
            continue
        lines.append(f'    "{name}": """')
        lines += textwrap.wrap(" ".join(public(module)), 112, initial_indent=" " * 8, subsequent_indent=" " * 8)
        lines.append('    """,')
    return "\n".join([*lines, "}", ""])


def main() -> int:
    warnings.simplefilter("ignore")
    written = text()
    if "--check" in sys.argv[1:]:
        old = FILE.read_text(encoding="utf-8")
        sys.stderr.writelines(
            difflib.unified_diff(old.splitlines(True), written.splitlines(True), FILE.name, "written")
        )
        return int(old != written)
    FILE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
