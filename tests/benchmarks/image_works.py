"""The works on images: training steps and inference of convolutional models. See works.py.

Weights are the modules' own, of one seed: contenders draw the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.given import Step, draw, library


def _training(
    contender: str, build: Callable[[Any], Any], x: tuple[int, ...], y: tuple[int, ...], classes: int
) -> Step:
    """Return one step of SGD on inputs and labels of these shapes: forward, backward, momentum."""
    lib, numbers = library(contender), draw()
    lib.manual_seed(1337)
    model = build(lib)
    inputs = lib.from_numpy(numbers.standard_normal(x, np.float32))
    labels = lib.from_numpy(numbers.integers(classes, size=y))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> float:
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


# ----- Of digits -----


def mnist_cnn(contender: str, batch: int = 64) -> Step:
    """One step on MNIST: convolutions of 5x5 to 16 and 32 channels, each with a pool, and a linear layer."""

    def build(lib: Any) -> Any:
        nn = lib.nn
        return nn.Sequential(
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    return _training(contender, build, (batch, 1, 28, 28), (batch,), 10)


# ----- ResNets -----


def _residual(lib: Any, inner: Any, shortcut: Any) -> Any:
    """Return relu(inner(x) + shortcut(x)) as a module."""

    class Residual(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.shortcut = inner, shortcut

        def forward(self, x: Any) -> Any:
            return lib.relu(self.inner(x) + self.shortcut(x))

    return Residual()


def _resnet(lib: Any, stem: list[Any], widths: tuple[int, ...], blocks: int, classes: int) -> Any:
    """Return a ResNet of two 3x3 convolutions a block (He et al. 2016); a wider stage starts at half the size."""
    nn = lib.nn

    def conv(channels: int, out: int, kernel: int, stride: int = 1) -> list[Any]:
        return [nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)]

    layers, channels = list(stem), widths[0]
    for width in widths:
        for _ in range(blocks):
            stride = 1 if width == channels else 2
            inner = nn.Sequential(*conv(channels, width, 3, stride), nn.ReLU(), *conv(width, width, 3))
            shortcut = nn.Identity() if width == channels else nn.Sequential(*conv(channels, width, 1, stride))
            layers.append(_residual(lib, inner, shortcut))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def resnet20(contender: str, batch: int = 32, width: int = 16, side: int = 32) -> Step:
    """One step of ResNet-20 on images as CIFAR's."""

    def build(lib: Any) -> Any:
        nn = lib.nn
        stem = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        return _resnet(lib, stem, (width, 2 * width, 4 * width), 3, 10)

    return _training(contender, build, (batch, 3, side, side), (batch,), 10)


def resnet18(contender: str) -> Step:
    """Inference of ResNet-18, one image of 224x224."""
    lib = library(contender)
    nn = lib.nn
    lib.manual_seed(1337)
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    model = _resnet(lib, stem, (64, 128, 256, 512), 2, 1000).eval()
    x = lib.from_numpy(draw().standard_normal((1, 3, 224, 224), np.float32))

    def step() -> float:
        with lib.no_grad():
            return float(model(x).square().mean().item())

    return step


# ----- Others -----


def unet(contender: str) -> Step:
    """One step of a U-Net of 4 levels from 16 channels on 64x64, batch 4 (Ronneberger et al. 2015)."""

    def build(lib: Any) -> Any:
        nn = lib.nn

        def twice(channels: int, out: int) -> Any:
            layers = [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            return nn.Sequential(*layers, nn.Conv2d(out, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU())

        class UNet(nn.Module):
            def __init__(self, width: int, levels: int) -> None:
                super().__init__()
                widths = [width << i for i in range(levels)]
                self.down = nn.ModuleList(map(twice, [3, *widths], widths))
                self.grow = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[:-1])
                self.up = nn.ModuleList(twice(2 * w, w) for w in widths[:-1])
                self.pool, self.head = nn.MaxPool2d(2), nn.Conv2d(width, 2, 1)

            def forward(self, x: Any) -> Any:
                kept = []
                for level in self.down:
                    kept.append(level(x))
                    x = self.pool(kept[-1])
                x = kept.pop()
                for grow, up in zip(reversed(self.grow), reversed(self.up), strict=True):
                    x = up(lib.cat([kept.pop(), grow(x)], 1))
                return self.head(x)

        return UNet(16, 4)

    return _training(contender, build, (4, 3, 64, 64), (4, 64, 64), 2)


def mobile_block(contender: str, batch: int = 16) -> Step:
    """One step of a block of MobileNetV2: 1x1, depthwise 3x3, 1x1, on 32x32 (Sandler et al. 2018)."""

    def build(lib: Any) -> Any:
        nn = lib.nn
        return nn.Sequential(
            nn.Conv2d(24, 144, 1, bias=False), nn.BatchNorm2d(144), nn.ReLU6(),
            nn.Conv2d(144, 144, 3, padding=1, groups=144, bias=False), nn.BatchNorm2d(144), nn.ReLU6(),
            nn.Conv2d(144, 24, 1, bias=False), nn.BatchNorm2d(24),
        )  # fmt: skip

    return _training(contender, build, (batch, 24, 32, 32), (batch, 32, 32), 24)


def dcgan(contender: str) -> Step:
    """One step of DCGAN's discriminator and generator, on 32x32, batch 32 (Radford et al. 2016)."""
    lib, numbers = library(contender), draw()
    nn = lib.nn
    lib.manual_seed(1337)
    generator = nn.Sequential(
        nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
        nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 1, 4, 1, 0, bias=False), nn.Flatten(),
    )  # fmt: skip
    real = lib.from_numpy(numbers.standard_normal((32, 3, 32, 32), np.float32))
    noise = lib.from_numpy(numbers.standard_normal((32, 100, 1, 1), np.float32))
    ones, zeros = lib.ones(32, 1), lib.zeros(32, 1)
    judge = nn.BCEWithLogitsLoss()
    optimizers = [lib.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (discriminator, generator)]

    def step() -> float:
        optimizers[0].zero_grad()
        fake = generator(noise)
        of_discriminator = judge(discriminator(real), ones) + judge(discriminator(fake.detach()), zeros)
        of_discriminator.backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        of_generator = judge(discriminator(fake), ones)
        of_generator.backward()
        optimizers[1].step()
        return float((of_discriminator + of_generator).item())

    return step


def convolution(contender: str, batch: int = 8, channels: int = 32, side: int = 32, kernel: int = 3) -> Step:
    """One convolution that keeps the size, forward and backward."""
    lib, numbers = library(contender), draw()
    x = lib.from_numpy(numbers.standard_normal((batch, channels, side, side), np.float32)).requires_grad_()
    w = lib.from_numpy(numbers.standard_normal((channels, channels, kernel, kernel), np.float32)).requires_grad_()

    def step() -> float:
        x.grad = w.grad = None
        y = lib.nn.functional.conv2d(x, w, padding=kernel // 2).square().mean()
        y.backward()
        return float(y.item())

    return step


ALL = (mnist_cnn, resnet20, resnet18, unet, mobile_block, dcgan, convolution)
