"""`python -m npg` prints the environment for a bug report."""

import sys

from npg.utils.collect_env import main

if __name__ == "__main__":
    sys.exit(main())
