# cython: language_level=3
# cython: auto_pickle=False
# cython: freethreading_compatible=False
"""The C of npg/kernels: NumPy's inner loops and its BLAS, called directly, and threads that need no interpreter.

The modules of that package document what is computed and how it is cut; the files in csrc/kernels are named after them,
do the same and give the same bits. npg/kernels/_cython.pxd declares what the engine calls. The directives are those of
engine.pyx.
"""

import ctypes

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from npg.kernels import limits, openblas, parallel
from npg.kernels.tiles import cut

cnp.import_array()

cdef extern from "numpy/ufuncobject.h":
    # Not Cython's own declaration, which depends on NumPy's version. So does a loop's type, hence void and a cast.
    ctypedef struct PyUFuncObject:
        int nin, nout, nargs, ntypes
        void **functions
        void **data
        const char *types

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(char *start, Py_ssize_t size)
    char *PyBytes_AS_STRING(object bytes)
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1

name = "cython"

include "seal.pxi"
include "kernels/memory.pxi"
include "kernels/parallel.pxi"
include "kernels/loops.pxi"
include "kernels/programs.pxi"
include "kernels/products.pxi"
include "kernels/attention.pxi"
include "kernels/attention_gradients.pxi"
include "kernels/moving.pxi"
include "kernels/convolution.pxi"
include "kernels/spreading.pxi"
include "kernels/winograd.pxi"
include "kernels/depthwise.pxi"
include "kernels/recurrent.pxi"
include "kernels/checksums.pxi"
include "kernels/words.pxi"
include "kernels/pooling.pxi"
include "kernels/ending.pxi"

_seal_types(globals(), None)
