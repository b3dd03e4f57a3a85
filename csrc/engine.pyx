# cython: language_level=3
# cython: auto_pickle=False
# cython: freethreading_compatible=False
"""The engine in Cython: the same names as npg/engine/_python, doing the same things in the same order.

Read that package first: the files in csrc/engine are named after its modules, and their comments explain only what
differs in C. They form one module, so that calls between them stay direct. It does not yet declare itself safe without
the GIL; nothing here is pickled, so no pickling code is generated. setup.py turns off the checks of indices and None.
"""

import contextvars
import functools
import gc
import os

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_REFCNT
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdlib cimport free, realloc

from npg.kernels._cython cimport LARGE_INPUT, Loops, loops_of, restore_memory, run_loop, same_shape, use_cached_memory

from npg import _errors, _floating, dtypes
from npg._contextlib import MISSING
from npg._naming import named
from npg.engine import _anomaly, _arguments, _checks, _saved
from npg.engine._arguments import bind, is_number, of_numbers, operand_error
from npg.engine._checks import refuse_broadcast, refuse_in_place, refuse_partial_overlap, refuse_shapes, refuse_view
from npg.engine._gradients import check_gradient, copy_in_layout, own_copy, recorded_copy
from npg.engine._guard import guard
from npg.engine._hooks import (
    RemovableHandle,
    retain,
    run_hooks,
    run_leaf_hooks,
    run_post_hooks,
    run_prehooks,
    run_tensor_hooks,
)
from npg.engine._node import call_node, next_functions, node_attribute
from npg.engine._out import DEFAULT, check_out, fit_out, rule_of
from npg.engine._saved import modified
from npg.engine._walks import reachable, remaining_edges, run_callbacks, running
from npg.kernels import blocks, meta
from npg.kernels.blocks import in_blocks, rule_in_blocks
from npg.kernels.programs import Probe
from npg.ops import _half, _meta
from npg.ops._broadcast import unbroadcast
from npg.ops._op import Like
from npg.ops.elementwise import cast
from npg.ops.strided import alias, as_strided, copy_slices, geometry

cnp.import_array()

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define NPG_THREAD_LOCAL __declspec(thread)
    #else
    #define NPG_THREAD_LOCAL __thread
    #endif
    static NPG_THREAD_LOCAL int npg_grad_mode = 1;
    static NPG_THREAD_LOCAL int npg_inference_mode = 0;
    static NPG_THREAD_LOCAL int npg_saved_hooks = 0;
    static int npg_anomaly_mode = 0;
    static int npg_anomaly_nan = 1;
    """
    int npg_grad_mode
    int npg_inference_mode
    int npg_saved_hooks
    int npg_anomaly_mode
    int npg_anomaly_nan

cdef extern from "Python.h":
    object PyMethod_New(object function, object instance)
    object PyObject_Call(object function, object args, PyObject *kwargs)
    unsigned long Py_TPFLAGS_METHOD_DESCRIPTOR

include "seal.pxi"

cdef extern from *:
    """
    /* Let the attribute `name` of a type be set to objects of type `kind` only. */
    static setter npg_setters[2];
    static PyTypeObject *npg_kinds[2];
    static int npg_set_checked(int which, PyObject *self, PyObject *value, void *closure) {
        if (value == NULL || !PyObject_TypeCheck(value, npg_kinds[which])) {
            PyErr_Format(PyExc_TypeError, "expected %s, got %s", npg_kinds[which]->tp_name,
                         value == NULL ? "nothing" : Py_TYPE(value)->tp_name);
            return -1;
        }
        return npg_setters[which](self, value, closure);
    }
    static int npg_set_first(PyObject *self, PyObject *value, void *closure) {
        return npg_set_checked(0, self, value, closure);
    }
    static int npg_set_second(PyObject *self, PyObject *value, void *closure) {
        return npg_set_checked(1, self, value, closure);
    }
    static void npg_check_attribute(int which, PyTypeObject *cls, const char *name, PyTypeObject *kind) {
        PyGetSetDef *d;
        for (d = cls->tp_getset; d && d->name; d++) {
            if (strcmp(d->name, name) == 0) {
                npg_setters[which] = d->set;
                npg_kinds[which] = kind;
                d->set = which ? npg_set_second : npg_set_first;
            }
        }
    }

    /* A type's original tp_new, while another one replaces it. */
    static newfunc npg_plain_new;
    static void npg_replace_new(PyTypeObject *cls, PyObject *(*function)(PyTypeObject *, PyObject *, PyObject *)) {
        npg_plain_new = cls->tp_new;
        cls->tp_new = function;
        cls->tp_vectorcall = NULL;
    }
    static inline PyObject *npg_new(PyTypeObject *cls, PyObject *args) {
        return npg_plain_new(cls, args, NULL);
    }
    """
    void npg_check_attribute(int which, PyTypeObject *cls, const char *name, PyTypeObject *kind)
    void npg_replace_new(PyTypeObject *cls, object (*function)(PyTypeObject *, PyObject *, PyObject *))
    object npg_new(PyTypeObject *cls, object args)

cdef extern from "numpy/ndarraytypes.h":
    int NPY_HALF

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(PyObject *object)
    void PyObject_GC_Track(PyObject *object)
    bint PyObject_GC_IsTracked(object object)
    object PyContextVar_Set(object variable, object value)
    int PyContextVar_Reset(object variable, object token) except -1

# A context variable, set in C; or, where NumPy keeps the state elsewhere, an object with the same two methods.
cdef object _floating_errors = _floating.floating_errors, _SILENT = _floating.SILENT
cdef bint _in_context = isinstance(_floating_errors, contextvars.ContextVar)


cdef inline object _silence():
    """Turn NumPy's warnings off; return the state for _unsilence. In C no signal handler runs in between."""
    if _in_context:
        return PyContextVar_Set(_floating_errors, _SILENT)
    before = _floating_errors.get()
    _floating_errors.set(_SILENT)
    return before


cdef inline int _unsilence(object before) except -1:
    if _in_context:
        return PyContextVar_Reset(_floating_errors, before)
    _floating_errors.set(before)
    return 0


name = "cython"

cdef int NOTHING = 0, LIKE = 1, VALUE = 2
cdef int VIEW_ = _checks.VIEW, MULTI_VIEW_ = _checks.MULTI_VIEW, NO_GRAD_VIEW_ = _checks.NO_GRAD_VIEW
cdef int CUSTOM_VIEW_ = _checks.CUSTOM_VIEW

cdef long long _sequence = 0
cdef object _add = np.add
cdef object _asarray = np.asarray
cdef dict _NO_PARAMS = {}

include "engine/modes.pxi"
include "engine/tensor.pxi"
include "engine/rules.pxi"
include "engine/plan.pxi"
include "engine/node.pxi"
include "engine/recording.pxi"
include "engine/applying.pxi"
include "engine/in_place.pxi"
include "engine/function.pxi"
include "engine/vjp.pxi"
include "engine/backward.pxi"

_seal_types(globals(), VersionCounter)
