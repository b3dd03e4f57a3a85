"""For readers, editors and type checkers: `npg.nn.functional` is npg.functional itself, see npg/nn/__init__.py."""

from npg.functional import *  # noqa: F403
