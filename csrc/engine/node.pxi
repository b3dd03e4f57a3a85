# Nodes: each is one recorded call of an op, with what it has saved for backward.

# A chain of nodes is freed from a stack, not by recursion: each node puts its references on the stack, the outermost
# one empties it. (A list would allocate memory for each node.)
cdef PyObject **_to_free = NULL
cdef Py_ssize_t _to_free_count = 0, _room = 0
cdef bint _freeing = False

cdef enum: MOST_TO_FREE = 16384  # entries; a larger stack is freed once it is empty


cdef inline bint _free_later(tuple references) noexcept:
    """Put the references of a node on the stack; return whether there was memory for that."""
    global _to_free, _to_free_count, _room
    cdef PyObject **larger
    if _to_free_count == _room:
        larger = <PyObject **>realloc(_to_free, (2 * _room + 64) * sizeof(PyObject *))
        if larger == NULL:
            return False
        _to_free, _room = larger, 2 * _room + 64
    Py_INCREF(references)
    _to_free[_to_free_count] = <PyObject *>references
    _to_free_count += 1
    return True


cdef inline void _free_all() noexcept:
    """Empty the stack, including what is put there meanwhile."""
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
    """Reset the flag: in a forked process the thread that was emptying the stack is gone."""
    global _freeing
    _freeing = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@cython.final
@cython.freelist(512)
@cython.binding(False)  # makes the methods descriptors, which check the type of self
cdef class Node:
    """One recorded call of an op; see the Python twin for the attributes.

    Python code cannot set them, so the code here reads them unchecked.
    """

    cdef Plan plan
    cdef readonly dict params
    cdef readonly long long seq
    cdef tuple targets  # for each input: the node or leaf that gets its gradient, or None
    cdef tuple numbers  # for each input: which output of that node it is; None when all are 0
    cdef readonly tuple inputs  # None: freed
    cdef readonly object versions
    cdef readonly object output
    cdef VersionCounter output_counter  # that of a saved output, and its version when saved
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
    cdef bint hidden  # from the garbage collector; then it is in a linked list of such nodes, see _hide
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
        """Return the op that was called."""
        return self.plan.op

    def name(self):
        """Return PyTorch's name of this node, such as MulBackward0."""
        return self.plan.op.node_name

    def __call__(self, *gradients):
        """Return the gradients of the inputs, given those of the outputs."""
        return call_node(self, gradients, _run_node_unobserved, bool(npg_grad_mode), wrap, TensorBase)

    def __getattr__(self, name):
        return node_attribute(self, name, wrap, TensorBase)

    def __repr__(self):
        return f"<{self.plan.op.node_name.rpartition('::')[2]} object at {id(self):#x}>"

    @property
    def edges(self):
        """Return for each input (node or leaf, output_nr), or None."""
        cdef int i
        return tuple([
            None if t is None else (t, 0 if self.numbers is None else self.numbers[i])
            for i, t in enumerate(self.targets)
        ])

    @property
    def needs(self):
        """Return for each input whether it has an edge."""
        return tuple([t is not None for t in self.targets])

    @property
    def next_functions(self):
        """Return for each input (the node that receives its gradient, its output number there), or (None, 0)."""
        return next_functions(self, TensorBase)

    @property
    def sequence_nr(self):
        """Return the node's number; nodes created later have higher ones."""
        return self.seq

    @property
    def metadata(self):
        """Return a dict for the user's own notes on this node."""
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
        """Call hook(grad_outputs) before this node runs; a tuple that it returns replaces grad_outputs."""
        _show(self)
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)


# A graph of a million nodes must neither slow down the collections of young objects nor trigger any. A node refers to
# older nodes, tensors and arrays; only a hook, an attribute of a tensor or a gradient with a history refers back. So
# nodes and the tuples that they hold are hidden from the garbage collector, except during full collections, which find
# every cycle. Nodes with hooks, and those that lead to them, are never hidden.

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
    """Stop hiding a node, because hooks, which may refer to anything, are about to be added."""
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
    """Show the hidden nodes to the garbage collector, which calls this, for the length of a full collection."""
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
    """Remember the version of output nr, the tensor t, if the node has saved it."""
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
        version, expected = node.output_counter.value, node.output_version
        raise RuntimeError(modified(node.output, (node, 0), "output 0", node, version, expected))
    if node.output_versions is not None:
        for nr, counter, expected in node.output_versions:
            version = (<VersionCounter>counter).value
            if version != expected:
                raise RuntimeError(modified(node.output[nr], (node, nr), f"output {nr}", node, version, expected))
    return 0


cdef int _free(Node node) except -1:
    """Release what was saved. A node that had saved nothing can still run again, as in PyTorch."""
    cdef bint has_saved = node.output is not None or node.packed or bool(node.saved)
    if not has_saved and node.inputs is not None:
        for x in node.inputs:
            if isinstance(x, TensorBase) or isinstance(x, cnp.ndarray):
                has_saved = True
                break
    if has_saved:
        node.inputs = None
        node.output = None
        node.output_counter = None
        node.output_versions = None
        node.saved = None
    return 0
