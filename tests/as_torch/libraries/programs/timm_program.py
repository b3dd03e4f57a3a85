"""timm: models of its list, transformers and convolutions: logits, gradients, features, its data, losses, schedule.

Without timm.optim, which needs Adamax, and the fused form of the averaged model, which needs torch._foreach_mul_.
"""

import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3, accuracy

torch.manual_seed(0)
x, labels = torch.randn(2, 3, 64, 64), torch.tensor([0, 1])
for name, settings in {
    "vit_tiny_patch16_224": {"img_size": 64, "depth": 2},
    "resnet10t": {},
    "efficientnet_b0": {},
    "convnext_atto": {},
    "mobilenetv3_small_050": {},
    "mixer_s32_224": {"img_size": 64},
}.items():
    torch.manual_seed(1)
    # Norms over two images enlarge what float32 rounds; float64 has digits to show.
    model = timm.create_model(name, num_classes=10, **settings).double()
    logits = model(x.double())
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
    count = sum(p.numel() for p in model.parameters())
    print(name, tuple(logits.shape), count, f"{loss.item():.6f} {norm.item():.6f}")
torch.manual_seed(1)
model = timm.create_model("resnet10t", features_only=True).eval()
with torch.no_grad():
    print([(tuple(y.shape), f"{y.mean().item():.4f}") for y in model(x)], model.feature_info.channels())

layer = torch.nn.Linear(3, 2)
torch.nn.init.constant_(layer.weight, 0.5)
optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
scheduler = CosineLRScheduler(optimizer, t_initial=10, warmup_t=2, warmup_lr_init=0.01)
rates = []
for epoch in range(5):
    scheduler.step(epoch)
    rates.append(f"{optimizer.param_groups[0]['lr']:.5f}")
print(rates)
model = timm.create_model("resnet10t", num_classes=4)
config = resolve_data_config({}, model=model)
print(config)
print(create_transform(**config)(Image.new("RGB", (200, 180), (200, 30, 90))).mean((1, 2)))
logits = torch.randn(4, 4)
print(f"{LabelSmoothingCrossEntropy()(logits, torch.arange(4)).item():.5f}")
print(f"{SoftTargetCrossEntropy()(logits, torch.full((4, 4), 0.25)).item():.5f}")
print([f"{a.item():.1f}" for a in accuracy(logits, torch.arange(4), topk=(1, 2))])
ema = ModelEmaV3(layer, decay=0.9, foreach=False)
with torch.no_grad():
    layer.weight.add_(1)
ema.update(layer)
print(f"{ema.module.weight.sum().item():.4f}")
