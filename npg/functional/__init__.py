"""Every public function on tensors; also `npg.nn.functional`."""

from npg.functional.pointwise import *  # noqa: F403
