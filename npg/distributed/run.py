"""`python -m torch.distributed.run` under `npg run`, and torchrun's main function: the launcher of `npg run`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from npg._launch import main as launch


def main(args: Sequence[str] | None = None) -> None:
    """Start a script in several processes.

    Args: args: torchrun's options, the script and its arguments; None: those of the command line.
    Raises: SystemExit: with the status of the processes, unless it is 0.
    """
    status = launch(sys.argv[1:] if args is None else list(args))
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    main()
