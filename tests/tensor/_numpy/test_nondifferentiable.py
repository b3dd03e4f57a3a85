"""NumPy's and SciPy's functions: without history the same results as on `t.numpy()`; with history, recorded.

The functions are read from NumPy's namespaces. A function without a sample call here fails the test.
"""

import re
import warnings

import numpy as np
import pytest

import npg
from npg.tensor._numpy.nondifferentiable import CONVERSIONS

rng = np.random.default_rng(0)
ARRAYS = {
    "x": rng.uniform(0.1, 0.9, (2, 3)), "y": rng.uniform(0.1, 0.9, (2, 3)).astype(np.float32),
    "s": rng.uniform(-1, 1, (3, 3)), "p": np.eye(3) * 3 + rng.uniform(0, 0.5), "v": np.array([0.3, 0.9, 0.1, 0.5]),
    "h": np.array([0.5, 1.5, -2.0], np.float16), "c": rng.uniform(-1, 1, (2, 3, 4)),
    "i": np.array([[1, 0, 2], [3, 2, 1]]), "j": np.array([2, 0, 1]), "u": np.array([3, 200, 7], np.uint8),
    "b": np.array([[True, False, True], [False, True, True]]),
    "n": np.array([[0.3, np.nan, 0.7], [np.nan, 0.2, 0.9]]), "z": np.array(2.5), "k": np.array(2),
    "e": np.empty((0, 3)),
}  # fmt: skip

# The sample calls of each function. The letters are those of ARRAYS.
SAMPLES = """
np.all: (b) (b,axis=1) (x) (e,axis=0) | np.any: (b,0) (x,keepdims=True) | np.allclose: (x,x) (x,y) | np.amax: (x,1) (u)
np.amin: (i,0) (h) | np.angle: (s) (x,True) | np.append: (x,y) (x,i,0) (x,k) | np.apply_along_axis: (np.sum,0,x)
np.apply_over_axes: (np.sum,x,[0,1]) | np.argmax: (x) (u) (x,1) | np.argmin: (i,1,keepdims=True) | np.argpartition: (v,1)
np.argsort: (x) (i,0) (x,axis=None) | np.argwhere: (b) (x) | np.around: (x,1) (i,-1) (h) | np.array2string: (x,precision=3)
np.array_equal: (x,x) (x,i) | np.array_equiv: (x,x[:1]) | np.array_repr: (x) (i) | np.array_split: (x,2,1) (v,3)
np.array_str: (x) (u) | np.astype: (x,np.float32) (x,np.complex64) | np.atleast_1d: (z) (x,z) | np.atleast_2d: (v) (z)
np.atleast_3d: (x) (v) (c) | np.average: (x) (x,1) (x,0,[1,2]) (x,1,j+1.0,True) (i) | np.bincount: (j) (j,v[:3]) (j,minlength=7)
np.block: ([[x,y],[y,x]]) ([x,i]) | np.broadcast_arrays: (v,None) (x,z) (x,'a') | np.broadcast_to: (v,(2,4)) (z,j+1) (z,k)
np.busday_count: ('2020-01','2020-02') | np.busday_offset: ('2020-01-01',j) | np.can_cast: (x.dtype,np.float32)
np.choose: (j,['a','b','c']) (j,[v[:3],h,u]) (i%2,[x,y]) | np.clip: (x,.3,.6) (i,None,2) (x,y,None) (u,min=5)
np.column_stack: ((j,u)) ((x,x)) | np.common_type: (x,y) | np.compress: ([True,False],x,0) (b[0],x,1)
np.concat: ((x,y)) ((x,i),1) ((x,b),None) ((h,u)) ((x,y),dtype=np.float16,casting='unsafe') | np.concatenate: ((x,y)) ((x,['a']*3),None)
np.convolve: (v,j) (v,v,'same') | np.copy: (x) (x.T,'F') | np.copyto: (x,y) (i,b) | np.corrcoef: (x) | np.correlate: (v,j) (v,v,'full')
np.count_nonzero: (b) (x,1) | np.cov: (x) (x,rowvar=False) (i) | np.cross: (x,y) (x,x.T,axisb=0) | np.cumprod: (x) (i,1) (u)
np.cumsum: (x) (b,0) (h) (x,1,np.float32) | np.cumulative_prod: (v) | np.cumulative_sum: (v,include_initial=True)
np.datetime_as_string: (np.datetime64('2020')) | np.delete: (x,1,1) (v,j) (v,slice(0,k)) | np.diag: (s) (v) (v,1) (s,k-1)
np.diag_indices_from: (s) | np.diagflat: (x) | np.diagonal: (c) (s,1) (c,0,1,2) | np.diff: (x) (i,1,0) (b) (v,append=z) (u)
np.digitize: (x,[.2,.5]) (v,np.sort(v)) | np.dot: (x,s) (v,v) (c,c[0].T) (z,x) | np.dsplit: (c,2) | np.dstack: ((x,y)) ((v,v))
np.ediff1d: (x) (v,z) | np.einsum: ('ij,kj',x,y) ('ii',s) ('ij->j',i) (x,[0,1],[1]) | np.einsum_path: ('ij,kj',x,y)
np.empty_like: (x).shape (x,int).dtype | np.expand_dims: (x,(0,3)) (z,0) (x,k-1) | np.extract: (b,x) | np.fill_diagonal: (s,3.) (s,j)
np.fix: (s) | np.flatnonzero: (b) | np.flip: (x) (x,1) (v) | np.fliplr: (x) | np.flipud: (x) | np.full_like: (x,2) (i,z)
np.geomspace: (x,2.,4) (1,k,5) | np.gradient: (x) (v,z) (x,axis=1) (i) | np.histogram: (x) (i,4) (v,np.sort(v)) (h,weights=h)
np.histogram2d: (v,v) | np.histogram_bin_edges: (x,5) | np.histogramdd: (x.T,3) | np.hsplit: (x,3) (v,2) | np.hstack: ((x,i)) ((v,z))
np.i0: (x) | np.imag: (x) | np.inner: (x,y) (v,v) (z,x) (i,i) | np.insert: (x,1,5.) (v,j,7) (x,[0,2],y[:,:2],1) | np.interp: (x,[0,1],[2,3]) (v,np.sort(v),v) (.3,[0,1],j[:2],period=2)
np.intersect1d: (x,y) (i,j) | np.isclose: (x,y) (x,.5,atol=.2) (n,n,equal_nan=True) | np.iscomplex: (x) | np.iscomplexobj: (x)
np.isin: (x,v) (i,j,invert=True) | np.isneginf: (x) | np.isposinf: (x) | np.isreal: (x) | np.isrealobj: (x) | np.is_busday: ('2020-01-01')
np.ix_: (j,b[0]) | np.kron: (x,y) (v,j) (i,i) | np.lexsort: ((j,u)) (x) | np.linspace: (0,z,5) (x,y,3,axis=-1) (0,1,k+3) (j,v[:3],4,retstep=True)
np.logspace: (0,x,3) (0,k,4) | np.matrix_transpose: (c) | np.max: (x) (i,1) (u) (x,initial=z) (x,0,where=b,initial=0) | np.mean: (x) (i) (b,1) (h) (x,0,np.float32) (x,where=b) (u)
np.median: (x) (i,1) (u) (x,(0,1)) (h) | np.meshgrid: (v,j) (v,j,sparse=True) (v,v,indexing='ij',copy=False) | np.min: (x,0) (h) | np.min_scalar_type: (u)
np.moveaxis: (c,0,-1) (c,[0,1],j[:2]) | np.nan_to_num: (n) (n,nan=2.) (i) (n,False) | np.nanargmax: (n) (n,1) | np.nanargmin: (n)
np.nancumprod: (n) | np.nancumsum: (n,1) | np.nanmax: (n) (n,0) (i) | np.nanmean: (n) (i) (n,1) (j) (h) | np.nanmedian: (n) (i) | np.nanmin: (n,1) | np.nanpercentile: (n,30) (i,j)
np.nanprod: (n) (i) | np.nanquantile: (n,.3,1) | np.nanstd: (n) (i,0) | np.nansum: (n) (i) (b) (u) | np.nanvar: (n,1) (i)
np.ndim: (x) (z) | np.nonzero: (b) (x) (i) | np.ones_like: (x) (i,float) (x,shape=(k,2)) | np.outer: (v,j) (x,x) | np.packbits: (b) | np.pad: (x,1) (x,((1,0),(0,2)),'edge') (v,j[:2],'linear_ramp') (i,1,'mean') (x,k,constant_values=z) (x,1,'median')
np.partition: (v,1) (x,1,0) (v,j) | np.percentile: (x,30) (i,[10,90],axis=1) (v,j) (h,50) (x,40,method='hazen') | np.permute_dims: (c,(2,0,1)) | np.piecewise: (x,[x<.3,x>=.3],[-1,1]) (v,v<.5,[np.sin,np.cos])
np.place: (x,b,[1.,2.]) | np.poly: (v) (s) | np.polyadd: (v,j) | np.polyder: (v) (v,k) | np.polydiv: (v,v[:2]) | np.polyfit: (v,v,1) (v,v,1,full=True) | np.polyint: (v) | np.polymul: (v,j) | np.polysub: (v,j) | np.polyval: (v,x) (j,z)
np.prod: (x) (i,1) (b) (u) (h) | np.ptp: (x) (i,1) (u) | np.put: (x,j,v) (v,[0],z) | np.put_along_axis: (x,i[:,:1]%3,9.,1) | np.putmask: (x,b,7.) (x,b,y)
np.quantile: (x,.3) (i,[.1,.9],1) (v,j/2) (x,.4,method='weibull') (x,z/5) | np.ravel: (x) (x,'F') (x.T,'K') | np.ravel_multi_index: ((j,j),(3,3)) | np.real: (x) | np.real_if_close: (x)
np.repeat: (x,2) (x,j,1) (v,k) | np.reshape: (x,(3,2)) (x,-1) (x,(3,2),'F') (x,j[:1]+4) (v,(k,k)) | np.resize: (x,(4,4)) (v,j+1) | np.result_type: (x,y) (i,1.5)
np.roll: (x,1) (x,k,1) (x,(1,2),(0,1)) (x,j[:2],(0,1)) | np.rollaxis: (c,2) | np.roots: (v) (j+1) | np.rot90: (x) (x,k) (c,1,(1,2)) | np.round: (x,2) (i,-1) (z)
np.save: (FILE,x) | np.savetxt: (FILE,x) | np.savez: (FILE,x) | np.savez_compressed: (FILE,x) | np.searchsorted: (np.sort(v),x) (np.sort(v),v,'right') (j,2,sorter=np.argsort(j)) (v,z)
np.select: ([x>.5],[x]) ([x>.5,x>.3],['a','b'],'c') ([b],[i],k) | np.setdiff1d: (x,y) | np.setxor1d: (i,j) | np.shape: (x) | np.shares_memory: (x,x) (x,y) | np.may_share_memory: (x,x[0]) | np.sinc: (s) (i)
np.size: (x) (x,1) (x,k-1) | np.sort: (x) (i,0) (x,None) (h) | np.sort_complex: (v) | np.split: (x,3,1) (v,j[1:]) (v,k) (v,[1,3]) | np.squeeze: (x[None]) (x[:,:1],1) (x[None],k-2) | np.stack: ((x,y)) ([x,i],1) (c) (list(v))
np.std: (x) (i,1) (x,ddof=1) (h) (u) (x,where=b) | np.sum: (x) (i,1) (b) (u) (h) (x,(0,1)) (x,keepdims=True) (x,where=b) (e,0) (x,dtype=np.float32) (x,axis=k-1) | np.swapaxes: (c,0,2)
np.take: (x,j) (x,j,1) (x,i,1,mode='clip') (v,k) ('abc'.split(),[0]) | np.take_along_axis: (x,i%3,1) | np.tensordot: (x,s,1) (x,y,([0,1],[0,1])) | np.tile: (x,2) (x,j[:2]+1) (v,k) (v,(k,2)) | np.trace: (s) (c,1) (i)
np.transpose: (x) (c,(2,0,1)) (c,j) | np.trapezoid: (x) (v,v) (i,dx=z) | np.tril: (s) (x,1) (v) (i) | np.tril_indices_from: (s) | np.trim_zeros: (np.append(0,v)) | np.triu: (s,k) (v) | np.triu_indices_from: (s)
np.union1d: (x,y) | np.unique: (i) (x) (i,True,True,True) (i,axis=0) | np.unique_all: (i) | np.unique_counts: (u) | np.unique_inverse: (j) | np.unique_values: (x) | np.unpackbits: (u) | np.unravel_index: (j,(3,3)) (k,(2,3)) | np.unstack: (x)
np.unwrap: (x*20) (i) | np.vander: (v) (j,3) | np.var: (x) (i) (x,1,ddof=1) (h) (b) | np.vdot: (x,y) (i,i) | np.vsplit: (x,2) | np.vstack: ((x,y)) ((v,v)) | np.where: (b) (b,x,y) (x>.5,'yes','no') (b,i,z) (i,x,0) (b,None,x) | np.zeros_like: (x) (h)
np.array: (x) (x,like=x) ([v,v]) ([z,z]) (x,dtype=int) (x,ndmin=3) | np.arange: (k) (0,z) (k,like=x) | np.asarray: (x) (i,dtype=float) (x,like=x) | np.asanyarray: (x) | np.ascontiguousarray: (x.T) (x,like=x) | np.asfortranarray: (x) | np.asarray_chkfinite: (x)
np.empty: (j[:2]).shape (k,like=x).shape | np.eye: (k) (k,like=x) | np.full: (k,z) (j,1.5,like=x) ((k,k),x[:,:2]) | np.identity: (k) (k,like=x) | np.ones: (j) (k,like=x) | np.zeros: ((k,3)) (j,like=x) | np.tri: (k) (3,like=x)
np.asmatrix: (x) | np.bmat: ([[x,x]]) | np.frombuffer: (b'12345678') | np.fromfunction: (lambda a,b:a+b,(k,k)) | np.fromiter: (v,float) | np.frompyfunc: (lambda a:a*2,1,1)(v) | np.from_dlpack: (x)
np.bartlett: (k+3) | np.blackman: (k+3) | np.hamming: (k+3) | np.hanning: (k+3) | np.kaiser: (5,z) | np.indices: ((k,k)) (j) | np.iscomplexobj: (x) | np.isfortran: (np.asarray(x)) | np.isscalar: (2.5) | np.iterable: (x) (z) | np.isdtype: (np.float32,'numeric')
np.mask_indices: (3,np.triu) | np.require: (x,float,['C']) | np.tril_indices: (k) | np.triu_indices: (3,k-1) | np.diag_indices: (k) | np.broadcast_shapes: (x.shape,v.shape[:0]) | np.issubdtype: (x.dtype,np.floating) | np.promote_types: (x.dtype,y.dtype) | np.nested_iters: (np.asarray(x),[[0],[1]])[0].itersize
np.format_float_positional: (z) | np.format_float_scientific: (z) | np.binary_repr: (k) | np.base_repr: (k)
np.linalg.cholesky: (p) (p.astype(np.float32)) | np.linalg.cond: (p) (p,1) | np.linalg.cross: (x,y) | np.linalg.det: (p) (i[:,:2]) | np.linalg.diagonal: (c) | np.linalg.eig: (p) (s) (i[:,:2]) | np.linalg.eigh: (p) | np.linalg.eigvals: (s)
np.linalg.eigvalsh: (p) | np.linalg.inv: (p) (i[:,:2]) | np.linalg.lstsq: (x.T,v[:3]) | np.linalg.matmul: (x,s) (i,i.T) | np.linalg.matrix_norm: (c) (x,ord='nuc') | np.linalg.matrix_power: (p,3) (p,-1) (i[:,:2],k) | np.linalg.matrix_rank: (p) (x) | np.linalg.matrix_transpose: (x)
np.linalg.multi_dot: ([x,s,p]) | np.linalg.norm: (x) (i) (j) (x,1) (x,axis=1,keepdims=True) (x,'nuc') (h) (c,axis=(0,1)) (v,np.inf) | np.linalg.outer: (v,j) | np.linalg.pinv: (x) | np.linalg.qr: (x) (x,'raw') (p,'complete') (x,'r') | np.linalg.slogdet: (p) | np.linalg.solve: (p,v[:3]) (p,x.T)
np.linalg.svd: (x) (x,False) (x,compute_uv=False) | np.linalg.svdvals: (x) | np.linalg.tensordot: (x,s,axes=1) | np.linalg.tensorinv: (np.reshape(p,(3,3)),1) | np.linalg.tensorsolve: (p,v[:3]) | np.linalg.trace: (c[:,:2]) | np.linalg.vecdot: (x,y) | np.linalg.vector_norm: (x) (i,ord=1)
np.fft.fft: (v) (y) (i,axis=0) | np.fft.fft2: (x) | np.fft.fftn: (c) | np.fft.fftshift: (v) (x,1) | np.fft.hfft: (v) | np.fft.ifft: (v) | np.fft.ifft2: (x) | np.fft.ifftn: (x) | np.fft.ifftshift: (v) | np.fft.ihfft: (v) | np.fft.irfft: (v) (y) | np.fft.irfft2: (x)
np.fft.irfftn: (x) | np.fft.rfft: (v) (h) | np.fft.rfft2: (x) | np.fft.rfftn: (x) | np.fft.fftfreq: (5,z) | np.fft.rfftfreq: (5,z)
np.lib.stride_tricks.sliding_window_view: (v,2) (x,(2,2)) (v,k) | np.lib.stride_tricks.as_strided: (x,(2,),(8,))
np.emath.arccos: (v) (s) | np.emath.arcsin: (s*3) | np.emath.arctanh: (v) | np.emath.log: (s) (v) | np.emath.log10: (v) | np.emath.log2: (v) | np.emath.logn: (k,v) | np.emath.power: (s,k) | np.emath.sqrt: (s) (v)
np.polynomial.polynomial.polyadd: (v,j) | np.polynomial.polynomial.polycompanion: (v) | np.polynomial.polynomial.polyder: (v) | np.polynomial.polynomial.polydiv: (v,j+1) | np.polynomial.polynomial.polyfit: (v,v,1) | np.polynomial.polynomial.polyfromroots: (v)
np.polynomial.polynomial.polyint: (v) | np.polynomial.polynomial.polyline: (z,z) | np.polynomial.polynomial.polymul: (v,j) | np.polynomial.polynomial.polymulx: (v) | np.polynomial.polynomial.polypow: (v,2)
np.polynomial.polynomial.polyroots: (v) | np.polynomial.polynomial.polysub: (v,j) | np.polynomial.polynomial.polytrim: (v) | np.polynomial.polynomial.polyval: (x,v) (v,[1,2]) | np.polynomial.polynomial.polyval2d: (v,v,x) | np.polynomial.polynomial.polyval3d: (v,v,v,c)
np.polynomial.polynomial.polyvander: (v,2) | np.polynomial.polynomial.polyvander2d: (v,v,[1,2]) | np.polynomial.polynomial.polyvander3d: (v,v,v,[1,1,1])
"""  # noqa: E501
SPACES = {
    "np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.lib.stride_tricks": np.lib.stride_tricks,
    "np.emath": np.emath, "np.polynomial.polynomial": np.polynomial.polynomial,
}  # fmt: skip
# Functions that take no array, or access the library's settings and files.
NO_ARRAYS = set(
    "datetime_data fromfile fromregex fromstring genfromtxt get_include get_printoptions getbufsize geterr geterrcall "
    "info load loadtxt mintypecode printoptions set_printoptions setbufsize seterr seterrcall show_config show_runtime "
    "test typename "
    "normalize_axis_index polygrid2d polygrid3d polyvalfromroots".split()  # the last three require an ndarray
)


def _read_samples():
    samples = {}
    for entry in re.split(r"\s\|\s|\n", SAMPLES.strip()):
        name, calls = entry.strip().split(": ", 1)
        samples.setdefault(name, []).extend(_calls(calls))
    return samples


def _calls(text):
    """Yield the calls in "(x) (x,1).shape (y)"."""
    depth, start = 0, 0
    for at, char in enumerate(text + " "):
        depth += (char in "([{") - (char in ")]}")
        if char == " " and not depth:
            if text[start:at].strip():
                yield text[start:at].strip()
            start = at + 1


CALLS = _read_samples()
FUNCTIONS = {
    f"{space}.{name}": getattr(module, name)
    for space, module in SPACES.items()
    for name in dir(module)
    if name[0] != "_" and callable(getattr(module, name)) and name not in NO_ARRAYS
    and not isinstance(getattr(module, name), (type, np.ufunc))
}  # fmt: skip
SAMPLED = [(name, call) for name, calls in CALLS.items() for call in calls if name in FUNCTIONS]


def test_every_function_of_numpys_namespaces_has_a_sample():
    deprecated = {"np.in1d", "np.row_stack", "np.trapz", "np.cumproduct", "np.disp", "np.issctype", "np.sctype2char"}
    for name in sorted(FUNCTIONS.keys() - CALLS.keys() - deprecated):
        alias = [n for n in CALLS if FUNCTIONS.get(n) is FUNCTIONS[name]]
        assert alias, f"NumPy {np.__version__} has {name}, of which no sample call stands in {__file__}"


class Elsewhere:
    """A file that discards what is written."""

    def write(self, _data):
        return None

    def read(self, *_):
        return b""

    def seek(self, *_):
        return 0

    def tell(self):
        return 0

    def flush(self):
        return None


def evaluate(name, call, convert):
    """Return the result of a call on the converted arrays, and these arrays afterwards."""
    arguments = {letter: convert(array.copy()) for letter, array in ARRAYS.items() if re.search(rf"\b{letter}\b", call)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = eval(f"{name}{call}", {"np": np, "FILE": Elsewhere(), **arguments})
    return result, arguments


def numpys(name, call):
    try:
        return evaluate(name, call, lambda a: a)
    except Exception as error:
        if np.lib.NumpyVersion(np.__version__) < "2.4.0":
            pytest.skip(f"NumPy {np.__version__}: {error!r}")
        pytest.fail(f"NumPy {np.__version__} refuses the sample {name}{call}: {error!r}")


def assert_same(actual, expected, own, label, exact=True):
    """Compare with NumPy's result: equal to the bit, and a Tensor where npg has its dtype.

    Args:
        exact: equal to the bit, with dtype; False: close, with dtype; "values": close.
        own: NumPy's protocol was used; otherwise NumPy converted the tensors to arrays.
    """
    if isinstance(expected, (tuple, list)):
        kinds = (tuple, list) if exact is not True else (type(expected), npg.Size)
        assert isinstance(actual, kinds), f"{label}: {type(actual)}"
        assert len(actual) == len(expected), label
        for f, e in zip(actual, expected, strict=True):
            assert_same(f, e, own, label, exact)
        return
    if type(expected) is np.ndarray or isinstance(expected, np.generic):
        is_tensor = isinstance(actual, npg.Tensor)
        if exact is not True and isinstance(actual, int):
            assert actual == expected, label
            return
        assert is_tensor or not own or expected.dtype.char not in npg.dtypes._BY_CHAR, f"{label}: {type(actual)}"
        array = actual.numpy(force=True) if is_tensor else actual
        if exact != "values":
            assert array.dtype == expected.dtype, f"{label}: {array.dtype}, NumPy has {expected.dtype}"
        assert np.shape(array) == np.shape(expected), f"{label}: {np.shape(array)}, NumPy has {np.shape(expected)}"
        if exact is True or expected.dtype.kind not in "fc":
            np.testing.assert_array_equal(array, expected, label)
        else:
            tolerance = {2: 4e-3, 4: 1e-5}.get(expected.dtype.itemsize, 1e-11)
            np.testing.assert_allclose(array, expected, tolerance, tolerance, err_msg=label)
        return
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(np.asarray(actual), expected, label)
    elif callable(expected):
        assert callable(actual), label
    else:
        assert actual == expected or actual != actual, f"{label}: {actual!r}, NumPy has {expected!r}"


def asks(name):
    """Tell whether NumPy's protocol covers a function."""
    return hasattr(FUNCTIONS[name], "_implementation")


@pytest.mark.parametrize(("name", "call"), SAMPLED, ids=str)
def test_function_of_tensors_without_history_is_numpys(name, call):
    expected, arrays = numpys(name, call)
    actual, tensors = evaluate(name, call, npg.from_numpy)
    own = (asks(name) and FUNCTIONS[name] not in CONVERSIONS) or "like=" in call
    if not asked_for(call):
        own = False
    assert_same(actual, expected, own, f"{name}{call}")
    for letter, array in arrays.items():  # a function may write to its argument
        np.testing.assert_array_equal(tensors[letter].numpy(), array, f"{name}{call} has changed {letter}")


def asked_for(call):
    """Tell whether an array is an argument itself, not only inside one that NumPy does not inspect."""
    return re.search(r"\b[xyspvhcijubnze]\b", call) or re.search(r"\bk\b(?!\+)", call)


def floats_in(x):
    if isinstance(x, (tuple, list)):
        for v in x:
            yield from floats_in(v)
    elif isinstance(x, (npg.Tensor, np.ndarray, np.generic)) and x.dtype.kind in "fc":
        yield x


# Results whose floats do not depend on a tensor's values, or where the tensor is an index, a shape or text.
CONSTANT = {
    "np.zeros_like", "np.ones_like", "np.empty_like", "np.full_like", "np.average(x,1,j+1.0,True)",
    "np.piecewise(x,[x<.3,x>=.3],[-1,1])",
}  # fmt: skip


@pytest.mark.parametrize(("name", "call"), [s for s in SAMPLED if asks(s[0])], ids=str)
def test_function_of_tensors_with_history_is_recorded_or_refused_by_name(name, call):
    floating = [n for n, a in ARRAYS.items() if a.dtype.kind == "f" and re.search(rf"\b{n}\b", call)]
    if not floating or name in CONSTANT or name + call in CONSTANT or "like=" in call:
        return
    expected, arrays = numpys(name, call)
    written = {n for n in floating if not np.array_equal(arrays[n], ARRAYS[n], equal_nan=True)}

    def with_history(array):
        t = npg.tensor(array)
        return t.requires_grad_() * 1 if array.dtype.kind == "f" else t

    try:
        actual, tensors = evaluate(name, call, with_history)
    except (TypeError, RuntimeError) as error:
        assert "detach()" in str(error), f"{name}{call}: {error}"
        words = [name, "cannot write a Tensor", "Can't call numpy()", *re.findall(r"np\.[a-z0-9_.]+", call)]
        assert any(w in str(error) for w in words), f"{name}{call}: {error}"
        return
    # For integers beside a tensor with history, the dtype is PyTorch's.
    mixed = any(a.dtype.kind != "f" for n, a in ARRAYS.items() if re.search(rf"\b{n}\b", call))
    assert_same(actual, expected, True, f"{name}{call}", exact="values" if mixed else False)
    for f in floats_in(actual):
        assert isinstance(f, npg.Tensor) and f.requires_grad, f"{name}{call} has lost its history"
    for n in written:
        np.testing.assert_allclose(tensors[n].detach().numpy(), arrays[n], 1e-6)
        assert tensors[n].requires_grad


def test_recorded_functions_are_many():
    """The test above allows refusals, but these are recorded."""
    for (
        name
    ) in "sum mean prod max sort cumsum where clip concatenate stack reshape tile split linalg.inv einsum".split():
        assert any(_is_recorded(f"np.{name}", call) for call in CALLS[f"np.{name}"]), name


def _is_recorded(name, call):
    try:
        actual, _ = evaluate(name, call, lambda a: npg.tensor(a, requires_grad=a.dtype.kind == "f"))
    except TypeError:
        return False
    return all(f.requires_grad for f in floats_in(actual))


# ----- Ufuncs -----

UFUNCS = {f"np.{n}": f for n, f in vars(np).items() if isinstance(f, np.ufunc)}
OPERANDS = {
    "float64": ARRAYS["x"] + 1, "float32": ARRAYS["y"], "float16": ARRAYS["y"].astype(np.float16),
    "int64": ARRAYS["i"] + 1, "uint8": np.array([[3, 200, 7]], np.uint8), "int8": np.array([[1], [100]], np.int8),
    "bool": ARRAYS["b"],
}  # fmt: skip


def scipys():
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    return {f"scipy.special.{n}": f for n, f in vars(special).items() if isinstance(f, np.ufunc)}


def operators():
    from npg.tensor._numpy.ufuncs import _OPERATORS

    return _OPERATORS


def inputs_of(f):
    """Yield operands of a ufunc: of one dtype, and of two dtypes if it takes two operands."""
    if f.signature is not None:
        yield (ARRAYS["p"], ARRAYS["s"]) if f.__name__ == "matmul" else (ARRAYS["p"], ARRAYS["p"])[: f.nin]
        return
    for name, a in OPERANDS.items():
        if f.nin < 3 or "float" in name:  # SciPy's spheroidal functions do not return for large integers
            yield (a,) * f.nin
    if f.nin == 2:
        for a in OPERANDS.values():
            for b in (OPERANDS["float32"], OPERANDS["int8"], np.float64(2.5), 2, np.array(3, np.int16)):
                yield a, b
                yield b, a


def quiet(f, *args):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return f(*args)


def to_tensors(args, requires_grad=False):
    return [
        npg.tensor(a, requires_grad=requires_grad and a.dtype.kind == "f") if type(a) is np.ndarray else a for a in args
    ]


def check_ufunc(name, f):
    for args in inputs_of(f):
        try:
            expected = quiet(f, *args)
        except (TypeError, ValueError):
            continue
        label = f"{name}({', '.join(str(getattr(a, 'dtype', a)) for a in args)})"
        actual = None
        if not (f in operators() and any(np.ndim(a) for a in args)):
            actual = quiet(f, *to_tensors(args))
            assert_same(actual, expected, True, label)
        if not any(type(a) is np.ndarray and a.dtype.kind == "f" for a in args):
            continue
        try:
            recorded = quiet(f, *to_tensors(args, True))
        except (TypeError, RuntimeError, NotImplementedError) as error:
            assert f.__name__ in str(error) and "detach()" in str(error) or f in operators(), f"{label}: {error}"
            continue
        for r in floats_in(recorded if isinstance(recorded, tuple) else (recorded,)):
            assert isinstance(r, npg.Tensor) and r.requires_grad, f"{label} has lost its history"
        if actual is not None:
            assert_same(recorded, expected, True, label, exact=False)


@pytest.mark.parametrize("name", UFUNCS)
def test_ufunc_of_tensors_is_numpys(name):
    check_ufunc(name, UFUNCS[name])


def test_every_ufunc_of_scipy_is_scipys():
    for name, f in scipys().items():
        check_ufunc(name, f)


@pytest.mark.parametrize("name", ["expit", "erf", "erfc", "erfinv", "log1p", "expm1", "exp2", "logit", "log_expit"])
def test_ufunc_of_scipy_is_recorded(name):
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    f, a = getattr(special, name), np.array([0.2, 0.5, 0.7])
    x = npg.tensor(a, requires_grad=True)
    actual = f(x)
    np.testing.assert_allclose(actual.detach().numpy(), f(a), 1e-12)
    actual.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), (f(a + 1e-6) - f(a - 1e-6)) / 2e-6, 1e-6)


def test_ufunc_of_scipy_that_npg_lacks_is_refused_by_its_own_name():
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    with pytest.raises(TypeError, match=r"^scipy\.special\.gammaln of a Tensor that requires grad .*detach\(\)"):
        special.gammaln(npg.ones(2, requires_grad=True))


def test_ufunc_behind_an_operator_has_pytorchs_dtype():
    """NumPy calls np.multiply for `array * t`, which should equal `t * array`."""
    x, i = npg.ones(2), npg.tensor([1, 2])
    assert (np.ones(2, np.int64) * x).dtype is (x * np.ones(2, np.int64)).dtype is npg.float32
    assert (np.float64(2) * x).dtype is (np.longdouble(2) * x).dtype is (np.array(2.0) * x).dtype is npg.float32
    assert (np.array([2]) / i).dtype is npg.float32


# ----- Views, writes -----


@pytest.mark.parametrize(
    "call",
    [
        "np.reshape(x, -1)", "np.transpose(x)", "np.squeeze(x)", "np.expand_dims(x, 0)", "np.split(x, 2)[0]",
        "np.broadcast_to(x, (2, 2, 3))", "np.diagonal(x)", "np.swapaxes(x, 0, 1)",
        "np.lib.stride_tricks.sliding_window_view(x, 2, 1)", "np.meshgrid(x[0], x[1], copy=False)[0]",
    ],
)  # fmt: skip
def test_result_that_shows_the_memory_is_a_view(call):
    x = npg.rand(2, 3)
    view = eval(call, {"np": np, "x": x})
    assert np.shares_memory(view.numpy(), x.numpy()) and view._is_view() and view.numpy().flags.writeable
    version = view._version
    x.add_(1)
    assert view._version > version, "a write to the tensor is not noticed"
    w = npg.ones(2, 3, requires_grad=True)
    x.mul_(w)  # the view joins the graph with its base
    assert view.requires_grad
    view.sum().backward()
    assert w.grad.abs().sum() > 0


@pytest.mark.parametrize("function", sorted(CONVERSIONS, key=lambda f: f.__name__), ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)], ids=str)
def test_conversion_gives_an_ndarray_that_can_be_written_and_with_history_a_tensor(function, shape):
    x = npg.rand(shape)
    actual, expected = function(x), function(x.numpy())
    assert type(actual) is np.ndarray and actual.flags.writeable
    assert np.shares_memory(actual, x.numpy()) == np.shares_memory(expected, x.numpy())
    np.testing.assert_array_equal(actual, expected, strict=True)
    assert type(function(npg.tensor(3))) is np.ndarray
    w = npg.rand(shape).requires_grad_()
    recorded = function(w)
    assert isinstance(recorded, npg.Tensor) and recorded.requires_grad
    with npg.no_grad():
        assert type(function(w)) is np.ndarray
    if function is not np.copy and function is not np.ravel:
        assert [type(y) for y in function(x, x)] == [np.ndarray] * 2
        assert all(isinstance(y, npg.Tensor) for y in function(x, w))


@pytest.mark.parametrize("call", ["np.flip(x)", "np.rot90(x)", "np.fliplr(x)", "np.flipud(x)"])
def test_result_of_negative_steps_is_a_copy_as_in_pytorch(call):
    x = npg.rand(2, 3)
    actual = eval(call, {"np": np, "x": x})
    assert not np.shares_memory(actual.numpy(), x.numpy()) and min(actual.stride()) > 0


@pytest.mark.parametrize(
    "call",
    [
        "np.copyto(x, 2)", "np.put(x, [0], 1)", "np.place(x, x > 0, [1.0])", "np.putmask(x, x > 0, 1)",
        "np.fill_diagonal(x, 1)", "np.put_along_axis(x, np.array([[0]]), 1, 1)", "np.add.at(x, [0], 1)",
        "np.nan_to_num(x, copy=False)", "np.exp(y, out=x)", "np.sum(np.ones((2, 2, 3)), axis=0, out=x)",
        "np.add(y, 1, out=x, where=y > 2)", "np.clip(y, 0, 1, out=x)", "np.negative.at(x, (0, 1))",
    ],
)  # fmt: skip
def test_what_numpy_writes_is_noticed(call):
    x = npg.zeros(2, 3, dtype=npg.float64)
    w = npg.ones(2, 3, dtype=npg.float64, requires_grad=True)
    out = w * x
    version = x._version
    eval(call, {"np": np, "x": x, "y": np.full((2, 3), 3.0)})
    assert x._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    with pytest.raises((RuntimeError, TypeError), match="leaf|expected"):
        eval(call, {"np": np, "x": w, "y": np.full((2, 3), 3.0)})


def test_function_that_would_write_behind_the_engine_is_refused():
    x = npg.tensor([3.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="read-only|WRITEABLE"):
        np.median(x, overwrite_input=True)
    assert x.tolist() == [3, 1, 2]


def test_failing_call_changes_nothing():
    x = npg.zeros(2, 3)
    for call in (
        lambda: np.add(x, 1, out=npg.zeros(2, 2)),
        lambda: np.copyto(x, np.ones(5)),
        lambda: np.put(x, [9], 1),
    ):
        with pytest.raises((ValueError, IndexError)):
            call()
    assert not x.any() and x._version in (0, 1)


def test_containers_of_tensors_are_seen():
    from collections import deque, namedtuple

    x = npg.ones(2)
    pair = namedtuple("pair", "a b")(x, x)
    for arrays in ([x, x], (x, x), pair, deque([x, x]), [x, np.ones(2)], x.reshape(1, 2)):
        actual = np.concatenate(arrays) if not isinstance(arrays, npg.Tensor) else np.concatenate(arrays)
        assert isinstance(actual, npg.Tensor)
    objects = np.empty(2, object)
    objects[:] = [x, x]
    assert np.concatenate(objects).tolist() == [1, 1, 1, 1]


def test_masked_arrays_and_matrices_stay_what_they_are():
    x = npg.tensor([1.0, 2.0])
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    assert isinstance(np.exp(masked), np.ma.MaskedArray)
    assert isinstance(np.ma.add(masked, x), np.ma.MaskedArray) and np.ma.add(masked, x).sum() == 4.0


class Asked:
    """A class that implements NumPy's ufuncs itself."""

    def __array_ufunc__(self, *args, **kwargs):
        return "mine"


def test_another_class_is_asked_by_a_ufunc():
    assert np.exp2(npg.ones(2), out=(None,)).tolist() == [2, 2]
    assert np.hypot(npg.ones(2), Asked()) == "mine" and np.hypot(Asked(), npg.ones(2)) == "mine"


def test_vmap_sees_through_numpys_functions():
    x = npg.arange(6.0).reshape(2, 3)
    for f in (
        np.exp,
        lambda t: np.sum(t) * 2,
        lambda t: np.sort(-t),
        np.unique,
        lambda t: np.fft.fftshift(t),
        np.spacing,
    ):
        actual = npg.func.vmap(f)(x)
        assert actual.tolist() == [f(row).tolist() for row in x], f
