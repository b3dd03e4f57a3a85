"""SciPy's functions on tensors: whatever works on PyTorch's CPU tensors works on npg's, with the same numbers.

SciPy converts to arrays in many ways (np.asarray, np.atleast_1d, np.ravel, ...) and uses the results as ndarrays.
"""

import warnings

import numpy as np
import pytest
import torch

import npg

pytest.importorskip("scipy", reason="SciPy is not installed")
import scipy.cluster.vq
from scipy import integrate, interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special, stats

rng = np.random.default_rng(0)
MATRIX = rng.standard_normal((8, 3))


class Problem:
    """A loss of three numbers in one library, its gradient by backward, and arguments of other functions."""

    def __init__(self, lib, plain=False):
        self.lib = lib
        self.plain = plain  # pass ndarrays to SciPy
        self.c = self.t([1.0, -2.0, 0.5])
        self.x0 = self.out(self.t([0.1, 0.2, 0.3]))

    def t(self, x):
        return self.lib.tensor(x, dtype=self.lib.float64)

    def of(self, x):
        return self.lib.as_tensor(np.array(x, np.float64))

    def out(self, x):
        return x.numpy() if self.plain else x

    def loss(self, x):
        return ((x - self.c) ** 2 * self.t([1.0, 2.0, 3.0])).sum() + (x[0] * x[1]) ** 2

    def fun(self, x):
        return self.out(self.loss(self.of(x)))

    def jac(self, x):
        return self.both(x)[1]

    def both(self, x):
        x = self.of(x).requires_grad_()
        loss = self.loss(x)
        loss.backward()
        return self.out(loss.detach()), self.out(x.grad)

    def residuals(self, x):
        x = self.of(x)
        return self.out(self.lib.stack([x[0] - 1, x[1] + 2 + x[0] ** 2, x[2] - 0.5, x.sum()]))

    def residuals_jac(self, x):
        return self.out(self.t([[1.0, 0, 0], [2 * float(x[0]), 1, 0], [0, 0, 1], [1, 1, 1]]))

    def total(self, x):
        return self.out(self.of(x).sum() - 0.1)

    def ones(self, *shape):
        return self.out(self.lib.ones(*shape, dtype=self.lib.float64))

    def hessian(self, _x):
        return self.out(2 * self.lib.eye(3, dtype=self.lib.float64))


# ----- Programs that optimise -----

WITH_JAC = ["L-BFGS-B", "SLSQP", "trust-constr", "BFGS", "CG", "Newton-CG", "TNC"]


def minimised(p, method, **settings):
    if "jac" not in settings and method in WITH_JAC:
        settings["jac"] = p.jac
    fun = settings.pop("fun", p.fun)
    return optimize.minimize(fun, p.x0, method=method, options={"maxiter": 15}, **settings).x


def constrained(p, method, kind):
    constraints = {
        "fun": {"type": "ineq", "fun": p.total},
        "jac": {"type": "ineq", "fun": p.total, "jac": lambda _x: p.ones(3)},
        "nonlinear": optimize.NonlinearConstraint(p.total, 0.0, 3.0),
        "linear": optimize.LinearConstraint(p.ones(1, 3), p.out(p.t([0.1])), p.out(p.t([3.0]))),
    }
    return minimised(p, method, constraints=constraints[kind])


def bounds(p):
    return p.out(p.t([-3.0, -3, -3])), p.out(p.t([3.0, 3, 3]))


def squares(p, method, **settings):
    return optimize.least_squares(p.residuals, p.x0, method=method, **settings).x


PROGRAMS = {
    **{f"minimize {m}": lambda p, m=m: minimised(p, m) for m in [*WITH_JAC, "Nelder-Mead", "Powell", "COBYLA"]},
    **{f"minimize {m}, jac=True": lambda p, m=m: minimised(p, m, fun=p.both, jac=True) for m in WITH_JAC},
    **{f"minimize {m}, jac=None": lambda p, m=m: minimised(p, m, jac=None) for m in WITH_JAC if m != "Newton-CG"},
    **{
        f"minimize {m} {k}": lambda p, m=m, k=k: constrained(p, m, k)
        for m in ("SLSQP", "trust-constr", "COBYLA")
        for k in ("fun", "jac", "nonlinear", "linear")
    },
    **{f"least_squares {m}": lambda p, m=m: squares(p, m) for m in ("trf", "dogbox", "lm")},
    **{f"least_squares {m}, jac": lambda p, m=m: squares(p, m, jac=p.residuals_jac) for m in ("trf", "dogbox", "lm")},
    **{f"least_squares {m}, bounds": lambda p, m=m: squares(p, m, bounds=bounds(p)) for m in ("trf", "dogbox")},
    "least_squares huber": lambda p: squares(p, "trf", jac=p.residuals_jac, loss="huber"),
    "bounds": lambda p: minimised(p, "L-BFGS-B", bounds=optimize.Bounds(*bounds(p))),
    "bounds of tensors": lambda p: minimised(p, "L-BFGS-B", bounds=[tuple(b[0] for b in bounds(p))] * 3),
    "hess": lambda p: minimised(p, "trust-ncg", jac=p.jac, hess=p.hessian),
    "hess, trust-constr": lambda p: minimised(p, "trust-constr", hess=p.hessian),
    "hessp": lambda p: minimised(p, "trust-krylov", jac=p.jac, hessp=lambda _x, v: p.out(2 * p.of(v))),
    "approx_fprime": lambda p: optimize.approx_fprime(p.x0, p.fun, 1e-6),
    "approx_fprime of several": lambda p: optimize.approx_fprime(p.x0, p.residuals, 1e-6),
    "fmin_l_bfgs_b": lambda p: optimize.fmin_l_bfgs_b(p.fun, p.x0, fprime=p.jac, maxiter=15)[0],
    "fmin_bfgs": lambda p: optimize.fmin_bfgs(p.fun, p.x0, fprime=p.jac, disp=0),
    **{
        f"root {m}": lambda p, m=m: optimize.root(lambda x: p.residuals(x)[:3], p.x0, method=m).x
        for m in ("hybr", "lm", "krylov", "df-sane")
    },
    "root, jac": lambda p: optimize.root(lambda x: p.residuals(x)[:3], p.x0, jac=lambda x: p.residuals_jac(x)[:3]).x,
    "basinhopping": lambda p: (
        optimize.basinhopping(p.fun, p.x0, niter=2, rng=0, minimizer_kwargs={"jac": p.jac, "method": "L-BFGS-B"}).x
    ),
    "differential_evolution": lambda p: optimize.differential_evolution(p.fun, [(-3, 3)] * 3, rng=0, maxiter=2).x,
    **{
        f"solve_ivp {m}": lambda p, m=m: (
            integrate.solve_ivp(lambda _s, y: p.out(-p.of(y) * p.c), (0, 1), p.x0, method=m).y
        )
        for m in ("RK45", "DOP853", "BDF", "Radau", "LSODA")
    },
    "solve_ivp, jac": lambda p: (
        integrate.solve_ivp(
            lambda _s, y: p.out(-p.of(y) * p.c), (0, 1), p.x0, method="BDF", jac=lambda _s, _y: p.out(-p.lib.diag(p.c))
        ).y
    ),
    "odeint": lambda p: integrate.odeint(lambda y, _s: p.out(-p.of(y) * p.c), p.x0, p.out(p.lib.linspace(0, 1, 5))),
    "quad": lambda p: integrate.quad(lambda x: p.out(p.t(x).sin()), 0, 1)[0],
    "quad of bounds": lambda p: integrate.quad(lambda x: p.out(p.t(x).sin()), p.out(p.t(0.0)), p.out(p.t(1.0)))[0],
    "quad_vec": lambda p: integrate.quad_vec(lambda x: p.out((float(x) * p.c).sin()), 0, 1)[0],
    "brentq": lambda p: optimize.brentq(lambda x: p.out(p.t(x) ** 2 - 2), 0, 2),
    "minimize_scalar": lambda p: optimize.minimize_scalar(lambda x: p.out((p.t(float(x)) - 2) ** 2)).x,
}


# ----- Functions of arrays -----
# t, u: 20 numbers; a: (2, 2); s: (2, 2), positive definite; b: (2,); m: (8, 3); p: positive
NAMES = {
    "t": np.linspace(0, 1, 20), "u": np.sin(np.linspace(0, 6, 20)) + np.linspace(0, 1, 20),
    "p": np.abs(np.sin(np.linspace(0, 6, 20))) + 0.1, "a": np.array([[4.0, 1.0], [2.0, 3.0]]),
    "s": np.array([[17.0, 11.0], [11.0, 13.0]]), "b": np.array([1.0, 2.0]), "m": MATRIX,
}  # fmt: skip
CALLS = """
optimize: lsq_linear(m, m[:, 0]).x | lsq_linear(m, m[:, 0], bounds=(b[0] * 0, b[1])).x | nnls(m, m[:, 0])[0] | linear_sum_assignment(a)
    | linprog(b, A_ub=-a, b_ub=-b).x | milp(b, constraints=optimize.LinearConstraint(a, b, b * 9)).x | curve_fit(lambda x, k, c: k * x + c, t, u)[0]
integrate: simpson(u, x=t) | trapezoid(u, x=t) | cumulative_trapezoid(u, t, initial=0) | cumulative_simpson(u, x=t) | romb(u[:17])
interpolate: CubicSpline(t, u)(t * .9) | PchipInterpolator(t, u)(t * .9) | Akima1DInterpolator(t, u)(t * .9) | make_interp_spline(t, u)(t * .9)
    | UnivariateSpline(t, u)(t) | interp1d(t, u)(t * .9) | splev(t, interpolate.splrep(t, u)) | griddata(m[:, :2], m[:, 2], m[:3, :2] * .5)
    | RBFInterpolator(m[:, :2], m[:, 2])(m[:, :2] * .5) | NearestNDInterpolator(m[:, :2], m[:, 2])(m[:, :2] * .5) | KroghInterpolator(t, u)(t[:3])
    | RectBivariateSpline(t, t, u[:, None] * u[None])(t, t) | make_smoothing_spline(t, u)(t) | BarycentricInterpolator(t, u)(t * .9)
stats: skew(p) | kurtosis(p) | sem(p) | zscore(p) | rankdata(p) | gmean(p) | iqr(p) | describe(p)[1:] | entropy(p) | moment(p) | variation(p) | shapiro(p)[:]
    | normaltest(p)[:] | trim_mean(p, .1) | median_abs_deviation(p) | boxcox(p)[1] | yeojohnson(p)[1] | gaussian_kde(p)(t) | bayes_mvs(u)[0][0] | bayes_mvs(u)[1][0]
    | pearsonr(t, u)[:] | spearmanr(t, u)[:] | kendalltau(t, u)[:] | linregress(t, u)[:] | ttest_ind(t, u)[:] | ttest_rel(t, u)[:] | ttest_1samp(u, b[0])[:]
    | ks_2samp(t, u)[:] | mannwhitneyu(t, u)[:] | wilcoxon(t, u)[:] | f_oneway(t, u)[:] | levene(t, u)[:] | kruskal(t, u)[:] | wasserstein_distance(t, u)
    | theilslopes(t, u)[:] | kstest(u, 'norm')[:] | chi2_contingency(a)[:2] | norm.logpdf(t, loc=b[0], scale=b[1]) | gamma.cdf(t, b[1]) | norm.fit(u)
    | multivariate_normal(b, s).pdf(m[:, :2]) | norm.rvs(loc=b, scale=b, size=2, random_state=0) | binned_statistic(t, u, bins=4)[0] | zmap(t, u) | probplot(u)
    | circmean(t) | mode(u)[:] | cumfreq(u)[0] | kstat(u) | tmean(u) | sigmaclip(u)[0] | theilslopes(t, u)[:] | siegelslopes(t, u)[:]
signal: convolve(t, u) | fftconvolve(t, u) | correlate(t, u) | convolve2d(a, a) | lfilter(b, a[0], u) | filtfilt(b, a[0], u, padlen=3) | detrend(u) | hilbert(u)
    | welch(u, nperseg=8) | periodogram(u) | spectrogram(u, nperseg=8) | stft(u, nperseg=8) | find_peaks(u)[0] | savgol_filter(u, 5, 2) | medfilt(u, 3)
    | wiener(u, 3) | resample(u, 10) | resample_poly(u, 1, 2) | freqz(b, a[0], worN=8) | lombscargle(t, u, t + 1) | csd(t, u, nperseg=8) | chirp(t, 1, 1, 5)
    | step((b, a[0]), T=t)[1] | tf2zpk(b, a[0]) | residue(b, a[0]) | deconvolve(u, b) | upfirdn(b, u) | lfilter_zi(b, a[0]) | medfilt2d(a) | czt(u, 4)
linalg: inv(a) | solve(a, b) | det(a) | lu(a) | lu_factor(a) | qr(a) | cholesky(s) | cho_factor(s) | eig(a) | eigh(s) | eigvals(a) | svd(a) | expm(a) | logm(s)
    | sqrtm(s) | schur(a) | lstsq(m, m[:, 0])[0] | pinv(m) | null_space(a) | orth(m) | norm(a) | toeplitz(b) | hankel(b) | circulant(b) | block_diag(a, b)
    | solve_triangular(a, b, lower=True) | solve_toeplitz(b * a[0], b) | solve_sylvester(a, a, s) | solve_continuous_are(a, a, s, s) | polar(a) | hessenberg(a)
    | subspace_angles(m[:, :1], m[:, 1:]) | companion(b) | ldl(s) | cosm(a) | khatri_rao(a, a) | fractional_matrix_power(s, .5) | blas.dgemm(1., a, a)
ndimage: gaussian_filter(a, 1) | median_filter(a, 2) | label(a > 2) | zoom(a, 2) | convolve(a, a) | distance_transform_edt(a > 2) | center_of_mass(a) | shift(a, b)
    | map_coordinates(a, s / 20)
spatial: distance.cdist(m, m) | distance.pdist(m) | distance.euclidean(b, b * 2) | cKDTree(m).query(m * .5) | ConvexHull(m).volume | procrustes(m, m * m)[2]
    | transform.Rotation.from_rotvec(m[0]).apply(m)
sparse: csr_matrix(a).toarray() | csr_matrix(a) @ b | linalg.spsolve(sparse.csc_matrix(a), b) | csgraph.dijkstra(a)
special: logsumexp(u) | softmax(u) | expit(u) | gammaln(p)
scipy: fft.fft(u) | fft.rfft(u) | fft.dct(u) | fft.fft2(a) | cluster.vq.whiten(m) | cluster.vq.kmeans2(m, 2, rng=0)[0]
"""  # noqa: E501
MODULES = {
    "optimize": optimize, "integrate": integrate, "interpolate": interpolate, "stats": stats, "signal": signal,
    "linalg": linalg, "ndimage": ndimage, "spatial": spatial, "sparse": sparse, "special": special, "scipy": scipy,
}  # fmt: skip


def read_calls() -> list[tuple[str, str]]:
    lines = [line.split(": ", 1) for line in CALLS.replace("\n    |", " |").strip().splitlines()]
    return [(module, call.strip()) for module, calls in lines for call in dict.fromkeys(calls.split(" | "))]


def arrays_of(result):
    if isinstance(result, (tuple, list)):
        return [a for x in result for a in arrays_of(x)]
    return [result.numpy() if hasattr(result, "detach") else np.asarray(result)]


def assert_same(actual, expected):
    actual, expected = arrays_of(actual), arrays_of(expected)
    assert len(actual) == len(expected)
    for f, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(f, e, 1e-6, 1e-8)


@pytest.fixture(autouse=True)
def _silent():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's warnings of iteration limits, degenerate statistics and deprecations
        yield


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_with_npgs_gradients_is_as_with_arrays_and_as_with_pytorchs(name):
    run = PROGRAMS[name]
    actual = run(Problem(npg))
    assert_same(actual, run(Problem(npg, plain=True)))
    assert_same(actual, run(Problem(torch)))


@pytest.mark.parametrize(("module", "call"), read_calls(), ids=str)
def test_function_of_tensors_gives_what_it_gives_on_pytorchs(module, call):
    text = call if call.startswith("csr_matrix(a) @") else f"{module}.{call}"
    text = text.replace("csr_matrix(a) @", "sparse.csr_matrix(a) @")
    actual, expected = (
        eval(text, {**MODULES, **{k: convert(v.copy()) for k, v in NAMES.items()}})
        for convert in (npg.from_numpy, torch.from_numpy)
    )
    assert_same(actual, expected)
