"""Write the table of names in docs/torch_names.md: what torch's names do here that compute nothing.

python tools/as_torch_table.py            write it
python tools/as_torch_table.py --check    exit with 1 where it is not what would be written
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from npg.as_torch import table, uninstall  # noqa: E402

PAGE = ROOT / "docs" / "torch_names.md"
BEGIN, END = "<!-- names: written by tools/as_torch_table.py -->", "<!-- end of names -->"


def with_table(page: str) -> str:
    """Return a page in which what stands between the marks is the table."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN!r} and {END!r} in {PAGE.name}")
    return f"{before}{BEGIN}\n\n{table.markdown()}\n{END}{after}"


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    uninstall()  # npg.as_torch installs itself when it is imported
    old = PAGE.read_text(encoding="utf-8")
    new = with_table(old)
    if old == new:
        return 0
    if check:
        print(f"{PAGE.relative_to(ROOT)} is not what tools/as_torch_table.py writes; run it", file=sys.stderr)
        return 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
