"""Quantization, which npg does not do: the marks in networks that may be quantized. Source: torch.ao."""

from npg.ao import quantization as quantization
