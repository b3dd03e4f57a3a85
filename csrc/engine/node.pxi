# Nodes: one recorded call of an op each, and what it has saved.

# A chain of nodes is freed from a stack, not by recursion: each node hands over what it holds, the outermost one
# empties the stack. (A list would ask for other memory with each node.)
cdef PyObject **_to_free = NULL
cdef Py_ssize_t _to_free_count = 0, _room = 0
cdef bint _freeing = False

cdef enum: MOST_TO_FREE = 16384  # that are kept when all are empty


cdef inline bint _free_later(tuple held) noexcept:
    """Take over a node's reference to what it held; return whether there was room."""
    global _to_free, _to_free_count, _room
    cdef PyObject **larger
    if _to_free_count == _room:
        larger = <PyObject **>realloc(_to_free, (2 * _room + 64) * sizeof(PyObject *))
        if larger == NULL:
            return False
        _to_free, _room = larger, 2 * _room + 64
    Py_INCREF(held)
    _to_free[_to_free_count] = <PyObject *>held
    _to_free_count += 1
    return True


cdef inline void _free_all() noexcept:
    """Free what was buried, and what that buries."""
    global _freeing, _to_free_count, _to_free, _room
    if _freeing:
        return
    _freeing = True
    while _to_free_count:
        _to_free_count -= 1
        Py_DECREF(<object>_to_free[_to_free_count])
    if _room > MOST_TO_FREE:
        free(_to_free)
        _to_free, _room = NULL, 0
    _freeing = False


def _after_fork():
    """In a forked process: a thread that was emptying the stack is not there."""
    global _freeing
    _freeing = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@cython.final
@cython.freelist(512)
@cython.binding(False)  # method descriptors, which look at what they are called on
cdef class Node:
    """One recorded call of an op; see the Python twin for the attributes.

    Python cannot set them: what reads them here does not check them again.
    """

    cdef Plan plan
    cdef readonly dict params
    cdef readonly long long seq
    cdef tuple targets  # per input: the node or leaf that gets its gradient, or None
    cdef tuple numbers  # per input: which output of that node it is; None when all are 0
    cdef readonly tuple inputs  # None: freed
    cdef readonly object versions
    cdef readonly object output
    cdef VersionCounter output_counter  # of a saved output, and the version it had
    cdef long long output_version
    cdef list output_versions  # of a multi op: (nr, counter, version) of each saved output
    cdef readonly object saved
    cdef readonly tuple shapes
    cdef readonly int output_count
    cdef readonly bint packed
    cdef readonly object origin
    cdef readonly dict tensor_hooks
    cdef public dict retained
    cdef readonly dict hooks
    cdef readonly dict prehooks
    cdef dict notes
    cdef object __weakref__
    cdef bint hidden  # from the garbage collector; then it stands between two others that are, see _hide
    cdef PyObject *earlier
    cdef PyObject *later

    def __dealloc__(self):
        _unlink(self)
        if self.targets is not None and _free_later(self.targets):
            self.targets = None
        if self.inputs is not None and _free_later(self.inputs):
            self.inputs = None
        _free_all()

    @property
    def op(self):
        """The op that was called."""
        return self.plan.op

    def name(self):
        """Return what PyTorch calls this node, such as MulBackward0."""
        return self.plan.op.node_name

    def __call__(self, *gradients):
        """Return the gradients of the inputs, made of those of the outputs."""
        return call_node(self, gradients, _run_node_unobserved, bool(npg_grad_mode), wrap, TensorBase)

    def __getattr__(self, name):
        return node_attribute(self, name, wrap, TensorBase)

    def __repr__(self):
        return f"<{self.plan.op.node_name.rpartition('::')[2]} object at {id(self):#x}>"

    @property
    def edges(self):
        """Per input (node or leaf, output_nr), or None."""
        cdef int i
        return tuple([
            None if t is None else (t, 0 if self.numbers is None else self.numbers[i])
            for i, t in enumerate(self.targets)
        ])

    @property
    def needs(self):
        """Per input: whether it has an edge."""
        return tuple([t is not None for t in self.targets])

    @property
    def next_functions(self):
        """Per input the node that receives its gradient and which of that node's outputs it is; (None, 0) for none."""
        return next_functions(self, TensorBase)

    @property
    def sequence_nr(self):
        """The node's number; nodes made later have higher ones."""
        return self.seq

    @property
    def metadata(self):
        """A dict for the user's own notes on this node."""
        if self.notes is None:
            _show(self)
            self.notes = {}
        return self.notes

    def check_versions(self):
        """Raise when the graph was freed, or a saved tensor was changed in place since."""
        _check_versions(self)

    def register_hook(self, hook):
        """Call hook(grad_inputs, grad_outputs) after this node has run; a returned tuple replaces grad_inputs."""
        _show(self)
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook):
        """Call hook(grad_outputs) before this node runs; a returned tuple replaces grad_outputs."""
        _show(self)
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)


# A graph of a million nodes is no work for the collections of young objects, nor do they trigger any: a node of an op
# leads to older nodes, to tensors and to arrays, and only a hook or an attribute of a tensor, or a gradient with a
# history, leads back. So such nodes and the tuples that they hold are hidden from the garbage collector, but for its
# full collections, which find every cycle. Nodes with hooks, and those that lead to them, are never hidden.

cdef PyObject *_last_hidden = NULL


cdef inline void _hide(Node node) noexcept:
    """Hide a new node, unless it leads to hooks."""
    global _last_hidden
    for target in node.targets:
        if isinstance(target, TensorBase):
            if _has_hooks(<TensorBase>target):
                return
        elif target is not None and not (<Node>target).hidden:
            return
    _untrack(node)
    node.hidden = True
    node.earlier = _last_hidden
    if _last_hidden != NULL:
        (<Node>_last_hidden).later = <PyObject *>node
    _last_hidden = <PyObject *>node


cdef inline void _unlink(Node node) noexcept:
    global _last_hidden
    if not node.hidden:
        return
    if node.earlier != NULL:
        (<Node>node.earlier).later = node.later
    if node.later != NULL:
        (<Node>node.later).earlier = node.earlier
    else:
        _last_hidden = node.earlier
    node.hidden = False
    node.earlier = node.later = NULL


cdef inline void _show(Node node) noexcept:
    """Hide a node no longer: hooks, which may lead to anything, are about to be added."""
    if node.hidden:
        _unlink(node)
        _track(node)


cdef inline void _untrack(Node node) noexcept:
    PyObject_GC_UnTrack(<PyObject *>node)
    PyObject_GC_UnTrack(<PyObject *>node.targets)
    if node.inputs is not None:
        PyObject_GC_UnTrack(<PyObject *>node.inputs)


cdef inline void _track(Node node) noexcept:
    if not PyObject_GC_IsTracked(node):
        PyObject_GC_Track(<PyObject *>node)
    if node.targets is not None and not PyObject_GC_IsTracked(node.targets):
        PyObject_GC_Track(<PyObject *>node.targets)
    if node.inputs is not None and not PyObject_GC_IsTracked(node.inputs):
        PyObject_GC_Track(<PyObject *>node.inputs)


def _on_collection(str phase, dict info):
    """Show the garbage collector the hidden nodes for the length of a full collection. It calls this."""
    cdef PyObject *node
    if info["generation"] != 2:
        return
    node = _last_hidden
    while node != NULL:
        if phase == "start":
            _track(<Node>node)
        else:
            _untrack(<Node>node)
        node = (<Node>node).earlier


gc.callbacks.append(_on_collection)


cdef inline int _watch(Node node, TensorBase t, int nr) except -1:
    """Note the version of output nr, the tensor t, where the node has saved it."""
    if node.output is None or node.packed:
        return 0
    if not node.plan.is_multi:
        node.output_counter = t._counter
        node.output_version = t._counter.value
    elif node.plan.reads is None or nr in node.plan.reads:
        if node.output_versions is None:
            node.output_versions = []
        node.output_versions.append((nr, t._counter, t._counter.value))
    return 0


cdef int _check_versions(Node node) except -1:
    cdef Py_ssize_t i
    cdef long long expected
    cdef TensorBase x
    if node.inputs is None:
        raise RuntimeError(_errors.FREED_GRAPH)
    for i in range(len(node.inputs)):
        if isinstance(node.inputs[i], TensorBase):
            x = <TensorBase>node.inputs[i]
            expected = 0 if node.versions is None else node.versions[i]
            if x._counter.value != expected:
                source = (_history(x), x._nr)
                raise RuntimeError(modified(x._array, source, f"input {i}", node, x._counter.value, expected))
    if node.output_counter is not None and node.output_counter.value != node.output_version:
        found, expected = node.output_counter.value, node.output_version
        raise RuntimeError(modified(node.output, (node, 0), "output 0", node, found, expected))
    if node.output_versions is not None:
        for nr, counter, expected in node.output_versions:
            found = (<VersionCounter>counter).value
            if found != expected:
                raise RuntimeError(modified(node.output[nr], (node, nr), f"output {nr}", node, found, expected))
    return 0


cdef int _free(Node node) except -1:
    """Let go of what was saved. A node that had saved nothing can still run again, as in PyTorch."""
    cdef bint held = node.output is not None or node.packed or bool(node.saved)
    if not held and node.inputs is not None:
        for x in node.inputs:
            if isinstance(x, TensorBase) or isinstance(x, cnp.ndarray):
                held = True
                break
    if held:
        node.inputs = None
        node.output = None
        node.output_counter = None
        node.output_versions = None
        node.saved = None
    return 0
