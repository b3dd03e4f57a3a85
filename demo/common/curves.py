"""The picture of a training: the loss of each iteration, and what was measured now and then."""

import numpy as np

from common.storing import replacing

WINDOW = 50  # iterations of the moving average


def draw(path, title, ylabel, losses, measured, lines=None):
    """Draw curves as PNG when matplotlib is there.

    Args:
        path: the file.
        title, ylabel: text.
        losses: one number for each iteration.
        measured: by label, the iterations and the values, (N,) each.
        lines: values to compare with, by label.
    Returns: a line of text with the path, or with what to install.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return f'no {path.name} without matplotlib: pip install "npg-autograd[demo]"'
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="iteration", ylabel=ylabel, title=title)
    axes.grid(alpha=0.3)
    axes.plot(losses, color="tab:gray", alpha=0.3, linewidth=1, label="training, each iteration")
    mean = np.convolve(losses, np.ones(WINDOW) / WINDOW, "valid") if len(losses) >= WINDOW else np.asarray(losses)
    middle = (len(losses) - len(mean)) / 2
    axes.plot(np.arange(len(mean)) + middle, mean, color="tab:blue", label=f"training, mean of {WINDOW} around it")
    for label, (iterations, values) in measured.items():
        axes.plot(iterations, values, color="tab:orange", marker="o", label=label)
    for label, value in (lines or {}).items():
        axes.axhline(value, color="black", linestyle="--", linewidth=1, label=label)
    axes.legend()
    with replacing(path) as file:
        FigureCanvasAgg(figure).print_png(file)
    return f"curve: {path}"
