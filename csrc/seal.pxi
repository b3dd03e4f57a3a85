# Types that Python code cannot instantiate, because their methods do not check their fields.

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_BASETYPE
    void PyType_Modified(PyTypeObject *cls)

cdef extern from *:
    """
    static void npg_seal(PyTypeObject *cls) {
        cls->tp_new = NULL;
        cls->tp_vectorcall = NULL;  /* Cython's path around tp_new */
        cls->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
        if (PyDict_DelItemString(cls->tp_dict, "__new__") < 0) PyErr_Clear();
        PyType_Modified(cls);
    }
    """
    void npg_seal(PyTypeObject *cls)


cdef int _seal_types(dict names, object exception) except -1:
    """Seal the types that a module defines, except `exception` and those that may be subclassed."""
    for kind in list(names.values()):
        if isinstance(kind, type) and kind.__module__ == names["__name__"] and kind is not exception:
            if not kind.__flags__ & Py_TPFLAGS_BASETYPE:
                npg_seal(<PyTypeObject *>kind)
    return 0
