"""Run a program on PyTorch where torchvision's extension does not load: it is built for one build of PyTorch.

The operators are declared that torchvision's Python registers more for; nothing in our programs calls them.
"""

import runpy
import sys

import torch

for name in ("nms", "qnms"):
    torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")
runpy.run_path(sys.argv[1], run_name="__main__")
