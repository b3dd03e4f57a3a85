"""The picture of a test: the confusion matrix, and the digits that the model gets wrong."""

import numpy as np

from common.storing import replacing

ROWS, COLUMNS = 5, 6  # of digits shown


def confusion(labels, predicted, classes=10):
    """Return the confusion matrix: how many digits of class i (row) were taken for class j (column)."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def most_confused(matrix, count=3):
    """Return the `count` most frequent mistakes as text: "4 for 9 (3)" where three 4 were taken for a 9."""
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [divmod(int(at), len(matrix)) for at in order if wrong.flat[at]]
    return ", ".join(f"{i} for {j} ({wrong[i, j]})" for i, j in pairs) or "none"


def draw(path, title, images, labels, predicted, confidence):
    """Draw the confusion matrix and the mistakes of which the model was surest, when matplotlib is there.

    Args:
        path: the PNG file.
        title: above it.
        images: (N, H, W), the tested images.
        labels, predicted: (N,) int, what they are and what the model says.
        confidence: (N,), the probability that the model gives to what it says.
    Returns: a line of text with the path, or with what to install.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return f'no {path.name} without matplotlib: pip install "npg-autograd[demo]"'
    figure = Figure(figsize=(13, 6.5), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subfigures(1, 2)
    draw_matrix(left.subplots(), confusion(labels, predicted))
    wrong = np.flatnonzero(labels != predicted)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][: ROWS * COLUMNS]
    right.suptitle("the surest mistakes: what it is → what the model says" if len(wrong) else "no mistakes")
    for axes, at in zip(right.subplots(ROWS, COLUMNS).flat, [*wrong, *[None] * (ROWS * COLUMNS - len(wrong))]):
        axes.set_axis_off()
        if at is not None:
            axes.imshow(images[at], cmap="gray_r")
            axes.set_title(f"{labels[at]} → {predicted[at]}  {100 * confidence[at]:.0f} %", fontsize=9)
    with replacing(path) as file:
        FigureCanvasAgg(figure).print_png(file)
    return f"picture: {path}"


def draw_matrix(axes, matrix):
    """Draw a confusion matrix: mistakes in red, darker where there are more; the right answers without colour."""
    wrong = matrix - np.diag(np.diag(matrix))
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=max(4, 1.5 * wrong.max()))  # figures stay legible, one is pale
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            if count:
                weight = "bold" if i == j else "normal"
                axes.text(j, i, count, ha="center", va="center", fontsize=9, fontweight=weight)
    axes.set(xlabel="what the model says", ylabel="what it is", title="confusion matrix")
    axes.set_xticks(range(len(matrix)))
    axes.set_yticks(range(len(matrix)))
