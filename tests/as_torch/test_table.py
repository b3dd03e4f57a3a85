"""The table of names that compute nothing, or something else: complete, true to the docstrings, and in the docs."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# npg.as_torch installs itself in the process that imports it, so the table is looked at in another one.
CHECK = """
import sys
from npg.as_torch import table, uninstall
uninstall()
rows = table.rows()
print(len(rows), sum(len(row.names) for row in rows))
for row in rows:
    assert row.does and len(row.does) < 175, row
    first = row.does.split()[0]
    assert first[0].isupper() or first == "npg", row
listed = {f"{row.module}.{name}" if row.module else name for row in rows for name in row.names}
assert {"cuda.is_available", "compile", "jit.script", "Tensor.cuda", "backends.cudnn.flags"} <= listed
sys.path.insert(0, "tools")
import as_torch_table as t
page = t.PAGE.read_text(encoding="utf-8")
assert t.with_table(page) == page, "run tools/as_torch_table.py"
for change in ("is_available", "manual_seed"):
    changed = page.replace(change, "another")
    assert t.with_table(changed) != changed and t.with_table(changed) == page
"""


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_every_name_has_one_sentence_that_says_what_it_does_and_the_page_has_it():
    rows, names = map(int, run("-c", CHECK).split())
    assert rows > 100 and names > 300


def test_npg_run_lists_the_table():
    text = run("-m", "npg", "run", "--list")
    assert "torch.compile" in text and "torch.cuda.is_available" in text and "npg.cuda" not in text


def test_modules_of_the_table_are_there():
    for name in ("cuda", "backends", "jit", "compiler", "fx", "amp"):
        assert import_module(f"npg.{name}").__doc__
