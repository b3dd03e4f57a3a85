"""What the works are held to: ratios of npg to another contender."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One row of the table.

    Attributes:
        title: what is done.
        works: what each contender does, by its name in WORKS.
        must, aim: the ratio npg/other that it must reach, and should.
        contenders: npg's process and the other.
        memory: the ratio is that of peak resident memory, not of time.
        inverse: the ratio is other/npg, how many times npg is faster, and shall be at least this.
        held, held_aim: must and aim with everything held to AVX2; None: the same.
    """

    title: str
    works: tuple[str, str]
    must: float
    aim: float
    contenders: tuple[str, str] = ("cython", "torch")
    memory: bool = False
    inverse: bool = False
    held: float | None = None
    held_aim: float | None = None

    def without_avx512(self) -> Wanted:
        """Return the same with the bounds for AVX2."""
        must, aim = self.held, self.held_aim
        return dataclasses.replace(self, must=self.must if must is None else must, aim=self.aim if aim is None else aim)

    def holds(self, ratio: float, bound: float) -> bool:
        """Tell whether a measured ratio is as good as a bound."""
        return ratio >= bound if self.inverse else ratio <= bound


def _both(work: str) -> tuple[str, str]:
    return work, work


WANTED = (
    Wanted("nanoGPT iteration", _both("nanogpt"), 1.00, 0.85, held=0.9, held_aim=0.8),
    Wanted("peak resident memory of the same process", _both("nanogpt"), 0.50, 0.35, memory=True),
    Wanted(
        "nanoGPT, 256 wide, 6 layers, block 128, batch 8",
        _both("wide_nanogpt"),
        1.05,
        0.90,
        held=0.95,
        held_aim=0.85,
    ),
    Wanted("nanoGPT, block 512, 2 layers, batch 4", _both("long_nanogpt"), 1.0, 0.8, held=0.95),
    Wanted("nanoGPT, dropout 0.2", _both("dropout_nanogpt"), 0.95, 0.78, held=0.88),
    Wanted("nanoGPT, 16 wide, block 8, batch 4", _both("tiny_nanogpt"), 0.5, 0.35),
    Wanted("chain of 1,000 on (4, 4), forward and backward", _both("chain"), 0.30, 0.20, held=0.13, held_aim=0.1),
    Wanted("the same against bare NumPy, forward only", ("chain", "numpy_chain"), 2.2, 1.7, ("cython", "numpy")),
    Wanted("digits MLP 64-128-10, batch 32, AdamW, one step", _both("digits"), 0.60, 0.40, held=0.45, held_aim=0.35),
    Wanted("char LSTM, hidden 128, 64 steps, batch 16, one step", _both("lstm"), 0.80, 0.60, held_aim=0.65),
    Wanted("generate 200 characters, nanoGPT, batch 1", _both("generate"), 0.80, 0.50, held=0.75, held_aim=0.55),
    Wanted("Python engine / Cython engine: the chain", _both("chain"), 3, 6, ("cython", "python"), inverse=True),
    Wanted(
        "Python engine / Cython engine: nanoGPT, 16 wide, block 8, batch 4",
        _both("tiny_nanogpt"),
        1.5,
        2,
        ("cython", "python"),
        inverse=True,
    ),
)

OF_IMAGES = (
    Wanted("MNIST CNN, convolutions of 5x5 to 16 and 32 channels, batch 64, one step", _both("mnist_cnn"), 1.2, 0.9),
    Wanted("ResNet-20 on 32x32, batch 32, one step", _both("resnet20"), 1.3, 1.0),
    Wanted("peak resident memory of the same process", _both("resnet20"), 0.7, 0.5, memory=True),
    Wanted("U-Net, 4 levels from 16 channels, 64x64, batch 4, one step", _both("unet"), 1.3, 1.0),
    Wanted("MobileNet-like block, 32x32, batch 16, one step", _both("mobile_block"), 1.3, 1.0),
    Wanted("DCGAN, 32x32, batch 32, one step of both", _both("dcgan"), 1.2, 0.9),
    Wanted("ResNet-18, inference of one image of 224x224", _both("resnet18"), 1.4, 1.0),
)

OF_SEQUENCES = (
    Wanted("nn.LSTM 64 to 128, 64 steps, batch 16, with a head, Adam, one step", _both("nn_lstm"), 0.9, 0.7, held=1.0),
    Wanted("nn.GRU of the same sizes, one step", _both("nn_gru"), 0.95, 0.75, held=1.05),
    Wanted("nn.LSTM, bidirectional, 2 layers, packed batch, one step", _both("packed_lstm"), 0.95, 0.75, held=1.05),
    Wanted("tiny RNN, hidden 5, 6 steps, batch 1, one step", _both("tiny_rnn"), 0.4, 0.25),
    Wanted("translator by LSTMCells with attention, 12 steps, one step", _both("seq2seq"), 0.7, 0.5, held=0.8),
    Wanted(
        "TransformerEncoder, 4 layers, 128 wide, 64 tokens, batch 16, one step", _both("transformer_encoder"),
        0.8, 0.65, held=1.0,
    ),
    Wanted("GPT with cached keys and values, batch 1, 64 tokens", _both("cached_gpt"), 0.6, 0.4, held=0.7),
    Wanted("nn.Linear on (1, 16), 200 calls", _both("small_modules"), 0.35, 0.25, held=0.4),
)  # fmt: skip
