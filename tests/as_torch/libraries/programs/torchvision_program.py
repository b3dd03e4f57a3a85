"""torchvision: transforms of both generations, utilities, boxes; no network, whose layers npg has not yet."""

import torch
import torchvision
from torchvision import transforms
from torchvision.transforms import v2
from torchvision.utils import make_grid

torch.manual_seed(0)
x = torch.rand(3, 8, 8)
for transform in (
    transforms.Compose([transforms.RandomCrop(4), transforms.RandomHorizontalFlip(), transforms.Normalize(0.5, 0.5)]),
    v2.Compose([v2.RandomCrop(4), v2.RandomHorizontalFlip(), v2.Normalize([0.5], [0.5])]),
):
    print(transform, f"{transform(x).sum().item():.5f}")
print(make_grid([x, x]).shape, torchvision.ops.box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 1, 3, 3]])))
