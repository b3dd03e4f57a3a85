"""`python -m npg` prints what a bug report needs."""

import sys

from npg.utils.collect_env import main

if __name__ == "__main__":
    sys.exit(main())
