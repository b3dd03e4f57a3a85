"""`python -m npg` prints the environment for a bug report; `python -m npg run script.py` runs a program."""

import sys


def main() -> int:
    """Do what the command line asks for; the command `npg` calls this too."""
    if sys.argv[1:]:
        from npg._run import command

        return command(sys.argv[1:])
    from npg.utils.collect_env import main as report

    return report()


if __name__ == "__main__":
    sys.exit(main())
