"""torchvision: local datasets, transforms of both generations, utilities, boxes, models with random weights.

Without v2.MixUp and v2.CutMix, which draw from torch.distributions.
"""

import os
import struct

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, models, ops, transforms, tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.utils import draw_bounding_boxes, draw_segmentation_masks, make_grid, save_image

torch.manual_seed(0)
pixels = np.random.default_rng(0).integers(0, 256, (12, 20, 24, 3)).astype(np.uint8)


def show(name, result):
    if isinstance(result, torch.Tensor):
        x = result.detach().double()
        # The second sum tells where the values stand.
        places = torch.arange(x.numel(), dtype=x.dtype).remainder(7).reshape(x.shape)
        print(name, tuple(result.shape), str(result.dtype), f"{x.mean().item():.4f} {(x * places).mean().item():.4f}")
    else:
        print(name, result)


# ----- Datasets of local files -----

for i, image in enumerate(pixels):
    folder = f"images/{'cat' if i % 3 else 'dog'}"
    os.makedirs(folder, exist_ok=True)
    Image.fromarray(image).save(f"{folder}/{i:02}.png")
os.makedirs("MNIST/raw", exist_ok=True)
for name, n in (("train", 8), ("t10k", 4)):
    with open(f"MNIST/raw/{name}-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">4i", 0x803, n, 28, 28) + bytes(i % 251 for i in range(n * 28 * 28)))
    with open(f"MNIST/raw/{name}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">2i", 0x801, n) + bytes(range(n)))

loading = transforms.Compose([transforms.Resize(16), transforms.CenterCrop(14), transforms.ToTensor()])
folder = datasets.ImageFolder("images", transform=loading)
print(folder, folder.class_to_idx, folder.targets)
for images, labels in DataLoader(folder, batch_size=5, shuffle=True):
    show(f"folder {labels.tolist()}", images)
digits = datasets.MNIST(".", train=True, transform=transforms.ToTensor())
show("MNIST", digits.data)
print(len(digits), digits[3][1], digits.targets)
show("FakeData", datasets.FakeData(4, (3, 8, 8), 10, transforms.ToTensor())[2][0])

# ----- Transforms of the first generation -----

image, batch = Image.fromarray(pixels[0]), torch.rand(2, 3, 20, 24)
interpolation = {"interpolation": InterpolationMode.BILINEAR}
for transform in (
    transforms.Compose([transforms.RandomCrop(8), transforms.RandomHorizontalFlip(), transforms.Normalize(0.5, 0.5)]),
    transforms.Resize((10, 11), antialias=True),
    transforms.Resize((40, 30), InterpolationMode.BICUBIC, antialias=False),
    transforms.RandomResizedCrop(9),
    transforms.RandomRotation(30, **interpolation),
    transforms.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5, **interpolation),
    transforms.RandomPerspective(0.5, 1.0, **interpolation),
    transforms.ColorJitter(0.4, 0.3, 0.2, 0.1),
    transforms.RandomErasing(1.0),
    transforms.GaussianBlur(3, 1.5),
    transforms.Grayscale(3),
    transforms.Pad(2, padding_mode="reflect"),
    transforms.RandomAdjustSharpness(2, 1.0),
    transforms.RandomAutocontrast(1.0),
    transforms.ConvertImageDtype(torch.uint8),
):
    print(transform)
    show("tensor", transform(batch))
for kind in (transforms.RandAugment, transforms.TrivialAugmentWide, transforms.AutoAugment, transforms.RandomEqualize):
    transform = kind(1.0) if kind is transforms.RandomEqualize else kind()
    show(type(transform).__name__, transforms.functional.pil_to_tensor(transform(image)))
    show(type(transform).__name__, transform((batch * 255).to(torch.uint8)))
show("back", transforms.functional.pil_to_tensor(transforms.ToPILImage()(batch[0])))

# ----- Transforms of the second -----

training = v2.Compose(
    [
        v2.ToImage(),
        v2.RandomResizedCrop(12, antialias=True),
        v2.RandomHorizontalFlip(0.9),
        v2.ColorJitter(0.2, 0.2),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)
print(training)
show("v2", training(image))
boxes = tv_tensors.BoundingBoxes([[2.0, 3, 10, 12], [5, 5, 20, 15]], format="XYXY", canvas_size=(20, 24))
sample = {"image": tv_tensors.Image(batch[0]), "boxes": boxes, "mask": tv_tensors.Mask(batch[0, :1] > 0.5), "label": 3}
for transform in (
    v2.RandomHorizontalFlip(1.0),
    v2.Resize((10, 12)),
    v2.RandomAffine(15, (0.1, 0.1), (0.8, 1.2)),
    v2.RandomCrop((12, 16)),
    v2.ConvertBoundingBoxFormat("CXCYWH"),
    v2.GaussianNoise(),
    v2.RandomZoomOut(p=1.0),
):
    out = transform(sample)
    print(transform, {name: type(value).__name__ for name, value in out.items()})
    print(out["boxes"])
    show("image", out["image"])
    show("mask", out["mask"].to(torch.uint8))
# ----- Utilities -----

grid = make_grid(batch, nrow=1, padding=1, normalize=True, value_range=(0, 1), pad_value=0.5)
show("grid", grid)
save_image(batch, "grid.png", nrow=2)
show("saved", transforms.functional.pil_to_tensor(Image.open("grid.png")))
canvas = (batch[0] * 255).to(torch.uint8)
show("drawn boxes", draw_bounding_boxes(canvas, boxes, colors=["red", "blue"]))
show("drawn masks", draw_segmentation_masks(canvas, batch[1, :2] > 0.7, colors=["red", "blue"]))

# ----- Boxes -----

others = torch.tensor([[1.0, 1, 8, 9], [4, 6, 22, 16]])
for function in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou_loss):
    print(function.__name__, function(boxes.as_subclass(torch.Tensor), others))
print(ops.box_convert(others, "xyxy", "cxcywh"), ops.box_area(others))
print(f"{ops.sigmoid_focal_loss(batch[0], (batch[1] > 0.5).float(), reduction='mean').item():.5f}")

# ----- Models -----

x, labels = torch.randn(2, 3, 64, 64), torch.tensor([1, 3])
for make in (models.resnet18, models.mobilenet_v3_small, models.squeezenet1_1):
    torch.manual_seed(1)
    # The norms over a batch of two enlarge what float32 rounds; float64 has digits to show.
    model = make(weights=None, num_classes=10).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    torch.manual_seed(2)
    loss = torch.nn.functional.cross_entropy(model(x.double()), labels)
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
    optimizer.step()
    print(make.__name__, sum(p.numel() for p in model.parameters()), f"{loss.item():.6f} {norm.item():.6f}")
model = models.resnet18(num_classes=10).eval()
torch.save(model.state_dict(), "model.pt")
again = models.resnet18(num_classes=10).eval()
print(again.load_state_dict(torch.load("model.pt")), len(model.state_dict()))
with torch.no_grad():
    logits = model(x)
    print(torch.equal(logits, again(x)), [f"{value:.3f}" for value in logits.flatten().tolist()])
