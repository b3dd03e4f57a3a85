"""For type checkers: at run time this is npg.functional itself."""

from npg.functional import *  # noqa: F403
