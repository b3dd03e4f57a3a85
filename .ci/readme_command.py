"""Print a command of README.md exactly as it stands there, so that .ci/run runs what a reader would.

    python .ci/readme_command.py README.md test

The command `test` is the fenced block that follows the line <!-- ci: test -->.
"""

import re
import sys
from pathlib import Path


def command(text, name):
    """Return the lines of the fenced block after the marker of `name`.

    Raises: ValueError: when there is not just one.
    """
    marker = rf"^<!-- ci: {re.escape(name)} -->\n+```(?:sh|bash)?\n(.*?\n)```$"
    found = re.findall(marker, text, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"expected one fenced block after the line <!-- ci: {name} -->, got {len(found)}")
    return found[0].rstrip("\n")


if __name__ == "__main__":
    _, readme, wanted = sys.argv
    try:
        print(command(Path(readme).read_text(encoding="utf-8"), wanted))
    except (OSError, ValueError) as error:
        sys.exit(f"{readme}: {error}")
