"""Matplotlib draws tensors as it draws ndarrays: 40 kinds of plot, compared pixel by pixel."""

import numpy as np
import pytest

import npg

matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
plt = pytest.importorskip("matplotlib.pyplot")

rng = np.random.default_rng(0)
DATA = {
    "x": np.linspace(0.5, 3, 8), "y": rng.uniform(1, 2, 8), "e": rng.uniform(0.1, 0.2, 8), "n": np.arange(1, 9),
    "m": rng.uniform(0, 1, (8, 8)), "g": np.meshgrid(np.arange(8.0), np.arange(8.0))[0], "f": rng.uniform(0, 1, 8),
    "t": np.meshgrid(np.arange(8.0), np.arange(8.0))[1], "rgb": rng.uniform(0, 1, (4, 4, 3)), "k": np.array(4),
    "bytes": rng.integers(0, 255, (4, 4, 3)).astype(np.uint8), "b": np.arange(8) % 2 == 0, "l": np.array(2.5),
}  # fmt: skip
KINDS = """
ax.plot(x, y)|ax.plot(y)|ax.plot(m)|ax.plot(x, y, x, e, ls='--')|ax.scatter(x, y)|ax.scatter(x, y, s=n * 9, c=y)
ax.bar(x, y)|ax.bar(n, y, yerr=e)|ax.barh(n, y)|ax.hist(y)|ax.hist(m)|ax.hist(y, bins=k)|ax.hist(x, weights=y)
ax.hist2d(x, y, bins=4)|ax.boxplot(m)|ax.boxplot(y)|ax.violinplot(m)|ax.errorbar(x, y, e, e)|ax.fill_between(x, y, y + e)
ax.fill_between(x, y, where=b)|ax.fill_betweenx(x, y)|ax.fill(x, y)|ax.stackplot(x, y, e)|ax.step(x, y)|ax.stairs(y)
ax.stem(x, y)|ax.imshow(m)|ax.imshow(rgb)|ax.imshow(bytes)|ax.imshow(m, vmin=f[0], vmax=l)|ax.matshow(m)|ax.spy(m > 0.5)
ax.pcolormesh(m)|ax.pcolormesh(x, x, m)|ax.pcolor(m)|ax.contour(m)|ax.contour(x, x, m)|ax.contourf(g, t, m)|ax.quiver(x, y, e, e)
ax.quiver(g, t, m, m)|ax.streamplot(g, t, m + 1, m)|ax.barbs(x, y, n, n)|ax.hexbin(x, y, gridsize=5)|ax.pie(y)
ax.semilogy(x, y)|ax.loglog(x, y)|ax.semilogx(x, y)|ax.eventplot(y)|ax.hlines(y, 0, x)|ax.vlines(x, 0, y)|ax.broken_barh([(1, l)], (0, 1))
ax.axhline(l)|ax.axvspan(1, l)|ax.axline((0, 0), slope=l)|ax.psd(m.reshape(-1), NFFT=16)|ax.specgram(m.reshape(-1), NFFT=16, noverlap=4)
ax.acorr(y, maxlags=3)|ax.xcorr(x, y, maxlags=3)|ax.cohere(m.reshape(-1), m.reshape(-1), NFFT=8)|ax.magnitude_spectrum(y)|ax.angle_spectrum(y)
ax.tricontour(x, y * y, e)|ax.tripcolor(x, y * y, e)|ax.triplot(x, y * y)|ax.ecdf(y)|ax.text(l, l, f'{l:.2f}')|ax.set_xlim(0, l)
ax.set_xticks(x)|ax.set(xlim=(0, l), ylim=(l - 3, l))|ax.annotate('a', (l, l), (0, 0))|fig.colorbar(ax.imshow(m), ticks=f)
solid.plot(x, y, e)|solid.scatter(x, y, e)|solid.plot_surface(g, t, m)|solid.plot_wireframe(g, t, m)|solid.bar3d(x, y, e, e, e, y)
solid.contour(g, t, m)|solid.plot_trisurf(x, y * y, e)|solid.quiver(x, y, e, e, e, e)|polar.plot(x, y)|polar.bar(x, y)
"""  # noqa: E501
CALLS = KINDS.strip().replace("\n", "|").split("|")


@pytest.fixture(autouse=True)
def _pixels_are_drawn():
    plt.switch_backend("Agg")  # whatever another test has chosen in this process


def pixels(call, convert):
    fig = plt.figure(figsize=(1.5, 1.5), dpi=50)
    try:
        kind = {"solid": "3d", "polar": "polar"}.get(call.split(".")[0])
        ax = fig.add_subplot(projection=kind)
        eval(call, {"ax": ax, "solid": ax, "polar": ax, "fig": fig, **{k: convert(a) for k, a in DATA.items()}})
        fig.canvas.draw()
        return np.asarray(fig.canvas.buffer_rgba()).copy()
    finally:
        plt.close(fig)


@pytest.mark.filterwarnings("ignore")  # NumPy's and Matplotlib's own
@pytest.mark.parametrize("call", CALLS)
def test_plot_of_tensors_is_that_of_arrays(call):
    expected = pixels(call, np.array)
    np.testing.assert_array_equal(pixels(call, npg.tensor), expected)


@pytest.mark.filterwarnings("ignore")
def test_plot_of_what_requires_grad_is_refused_as_in_pytorch():
    x = npg.ones(3, requires_grad=True)
    fig, ax = plt.subplots()
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        ax.plot(x)
    plt.close(fig)
    with npg.no_grad():
        fig, ax = plt.subplots()
        ax.plot(x)
        plt.close(fig)
