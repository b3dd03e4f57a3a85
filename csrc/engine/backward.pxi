# The backward pass: nodes run from the highest number down, and the gradients that they send are summed.


@cython.final
@cython.freelist(64)
cdef class Slot:
    """The gradient accumulated for one output, and whether its buffer belongs to the engine."""

    cdef object target  # the node or leaf
    cdef object g
    cdef bint own
    cdef list others  # the slots of the node's outputs after the first


cdef inline int _add_to(Slot slot, object g, bint create_graph) except -1:
    # The first gradient is kept by reference, the second allocates a buffer, later ones are added to it in place.
    if g is None:
        return 0
    if slot.g is None:
        slot.g = g
    elif slot.own and not create_graph:
        _add(slot.g, g, out=slot.g)
    else:
        total = slot.g + g
        slot.g = total if create_graph or isinstance(total, cnp.ndarray) else _asarray(total)
        slot.own = True
    return 0


cdef int _push(list heap, Node node) except -1:
    cdef Py_ssize_t i = len(heap), parent
    heap.append(node)
    while i > 0:
        parent = (i - 1) >> 1
        if (<Node>heap[parent]).seq >= node.seq:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = node
    return 0


cdef Node _pop(list heap):
    cdef Node last = <Node>heap.pop(), top
    cdef Py_ssize_t i = 0, child, n = len(heap)
    if n == 0:
        return last
    top = <Node>heap[0]
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and (<Node>heap[child + 1]).seq > (<Node>heap[child]).seq:
            child += 1
        if (<Node>heap[child]).seq <= last.seq:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = last
    return top


@cython.final
cdef class Reached:
    """The nodes and leaves that a backward pass has reached but not yet run.

    A heap of nodes by number, as in the twin; the node with the highest number may be kept beside it, in `held`, so
    that a chain of nodes uses neither the heap nor the dict.
    """

    cdef list heap
    cdef dict pending  # node: its Slot
    cdef dict leaves  # address of a leaf: its Slot
    cdef Node held
    cdef Slot held_slot
    cdef bint create_graph

    cdef int send(self, object target, int nr, object g) except -1:
        """Add g (or None) to the gradient of a node's output or a leaf; return 1 for a leaf with hooks."""
        cdef Slot slot
        cdef Node node
        cdef object entry
        if isinstance(target, TensorBase):
            key = <size_t><PyObject *>target
            entry = self.leaves.get(key)
            if entry is None:
                slot = Slot.__new__(Slot)
                slot.target = target
                self.leaves[key] = slot
            else:
                slot = <Slot>entry
            _add_to(slot, g, self.create_graph)
            return _has_hooks(<TensorBase>target)
        node = <Node>target
        if node is self.held:
            slot = self.held_slot
        else:
            entry = self.pending.get(node) if self.pending else None
            slot = self._reach(node) if entry is None else <Slot>entry
        return _add_to(slot if nr == 0 else <Slot>slot.others[nr - 1], g, self.create_graph)

    cdef Slot _reach(self, Node node):
        """Return a new slot for a node that is reached for the first time."""
        cdef Slot slot = Slot.__new__(Slot)
        if node.output_count > 1:
            slot.others = [Slot.__new__(Slot) for _ in range(node.output_count - 1)]
        if self.held is not None and self.held.seq > node.seq:
            self._keep(node, slot)
            return slot
        if self.held is not None:
            self._keep(self.held, self.held_slot)
        self.held, self.held_slot = node, slot
        return slot

    cdef int _keep(self, Node node, Slot slot) except -1:
        self.pending[node] = slot
        return _push(self.heap, node)

    cdef Slot take(self):
        """Return the slot of the node to run next, with the node as its target; None if there is none."""
        cdef Node node = self.held
        cdef Slot slot = self.held_slot
        if node is not None and (not self.heap or node.seq > (<Node>self.heap[0]).seq):
            self.held, self.held_slot = None, None
        elif self.heap:
            node = _pop(self.heap)
            slot = <Slot>self.pending.pop(node)
        else:
            return None
        slot.target = node
        return slot


cdef inline bint _are_all_none(list grads) noexcept:
    for g in grads:
        if g is not None:
            return False
    return True


cdef int _capture(Node node, list grads, dict targets, dict captured) except -1:
    """Store the gradients of a node's outputs that are among the targets."""
    cdef Py_ssize_t i
    cdef object key
    for i in range(len(grads)):
        key = (id(node), i)
        if grads[i] is not None and key in targets:
            captured[key] = grads[i]
    return 0


cdef int _settle(
    Slot slot, bint restricted, dict targets, dict captured, bint accumulate, bint create_graph
) except -1:
    """Finish a leaf, whose gradient is complete: run its hooks, store the gradient."""
    cdef TensorBase leaf = <TensorBase>slot.target
    if leaf._hooks:
        slot.g = run_leaf_hooks(leaf, slot.g, create_graph, wrap)
    if restricted:
        key = (id(leaf), 0)
        if key not in targets:
            return 0
        if not accumulate:
            captured[key] = slot.g
            slot.g = None  # so that `captured` holds the only reference
            return 0
    if not leaf._requires_grad:
        slot.g = None  # frozen since
    if not _has_hooks(leaf):
        return 0 if slot.g is None else _accumulate(leaf, slot, create_graph)
    node = leaf._accumulator
    if node is not None and node.prehooks:
        slot.g = run_prehooks(node, [slot.g], create_graph, wrap)[0]
    g = slot.g if node is not None and node.hooks else None  # a second reference, so that .grad gets a copy
    if slot.g is not None:
        _accumulate(leaf, slot, create_graph)
    if leaf._post_hooks:
        run_post_hooks(leaf)
    if node is not None and node.hooks:
        run_hooks(node, (), [g], create_graph, wrap)
    return 0


cdef object _run_observed(Node node, object g, bint create_graph):
    if npg_observer is None:
        return _run_node(node, g, create_graph)
    run = functools.partial(_run_node_unobserved, node, g, create_graph)
    return npg_observer("backward", node.plan.op, (node, g), run)


cdef inline bint _leads(object target, int nr, dict targets, set needed) except -1:
    """Tell whether an edge leads to a gradient that is asked for."""
    return (id(target), nr) in targets or target in needed


cdef object _run_needed(Node node, object g, bint create_graph, dict targets, set needed):
    """Run a node for the edges that lead to gradients that are asked for; the rules of the others do not run.

    Not for one whose inputs hooks have packed: they get their histories back from the edges.
    """
    cdef tuple full = node.targets
    cdef Py_ssize_t i
    cdef list some = list(full)
    for i in range(len(some)):
        if some[i] is not None and not _leads(some[i], 0 if node.numbers is None else node.numbers[i], targets, needed):
            some[i] = None
    node.targets = tuple(some)
    try:
        return _run_observed(node, g, create_graph)
    finally:
        node.targets = full


def run_backward(tensors, gradients, bint retain_graph, bint create_graph, inputs=None, bint accumulate=True):
    """Propagate gradients from the roots, `tensors`, through the graph; see the Python twin."""
    global npg_grad_mode
    cdef Reached reached = Reached.__new__(Reached)
    cdef list grads
    cdef dict captured = {}, targets = {}
    cdef set needed = None
    cdef Node node, fn
    cdef Slot slot
    cdef Py_ssize_t i
    cdef int previous = npg_grad_mode, nr
    cdef bint ends, idle, hooked = False
    cdef dict remaining = None
    cdef object target, g, gx, results, key
    reached.heap, reached.pending, reached.leaves, reached.create_graph = [], {}, {}, create_graph
    for i, root in enumerate(tensors):
        if not root.requires_grad:
            raise RuntimeError(_errors.NO_GRAPH.format(index=i))
    starts = [
        check_gradient(i, root, g, create_graph, wrap)
        for i, (root, g) in enumerate(zip(tensors, gradients, strict=True))
    ]
    if inputs is not None:
        numbers = []
        for i, x in enumerate(inputs):
            fn = _history(x)
            numbers.append(0 if fn is None else fn.seq)
            targets[(id(x), 0) if fn is None else (id(fn), (<TensorBase>x)._nr)] = i
        needed = reachable([r.grad_fn for r in tensors], set(targets), TensorBase, min(numbers))
    cdef list current = [tensors, targets, needed, None, None]
    outer, running.current = running.current, current
    npg_grad_mode = create_graph
    memory = use_cached_memory()
    before = _silence()
    try:
        for root, g in zip(tensors, starts, strict=True):
            fn = _history(root)
            if fn is None:
                hooked = reached.send(root, 0, g) or hooked
            else:
                reached.send(fn, (<TensorBase>root)._nr, g)
        starts = g = root = None
        while True:
            slot = reached.take()
            if slot is None:
                break
            node = <Node>slot.target
            g = slot.g
            grads = None
            ends = needed is not None and node not in needed
            # A list only where the single gradients are needed.
            if (
                node.plan.is_multi or targets or node.tensor_hooks is not None or node.retained is not None
                or node.prehooks is not None or node.hooks is not None
            ):
                grads = [g]
                if slot.others is not None:
                    for other in slot.others:
                        grads.append((<Slot>other).g)
                slot = None
                if targets and not ends:
                    _capture(node, grads, targets, captured)
                if node.tensor_hooks is not None or node.retained is not None:
                    run_tensor_hooks(node, grads, create_graph, wrap)
                if ends:  # after the hooks: see the comment in the twin
                    _capture(node, grads, targets, captured)
                    continue
                if node.prehooks:
                    grads = run_prehooks(node, grads, create_graph, wrap)
                idle = _are_all_none(grads)
                g = tuple(grads) if node.plan.is_multi else grads[0]
                if not node.hooks:
                    grads = None
            else:
                idle = g is None
            slot = None
            if idle and not node.plan.runs_without_gradient:
                _check_versions(node)
                results = (None,) * len(node.targets)
            elif needed is not None and len(node.targets) > 1 and not node.packed:
                results = _run_needed(node, g, create_graph, targets, needed)
            else:
                results = _run_observed(node, g, create_graph)
            g = None
            if not retain_graph:
                _free(node)
            if node.hooks:
                results = run_hooks(node, results, grads, create_graph, wrap)
                grads = None
            i = 0
            for gx in results:
                target = node.targets[i]
                nr = 0 if node.numbers is None else node.numbers[i]
                i += 1
                if target is None:
                    continue
                if needed is not None and not _leads(target, nr, targets, needed):
                    continue
                if gx is not None and not create_graph and not isinstance(gx, cnp.ndarray):
                    gx = _asarray(gx)
                if reached.send(target, nr, gx):
                    hooked = True
            gx = results = target = None
            if not hooked:
                continue
            if remaining is None:
                remaining = remaining_edges([r.grad_fn for r in tensors], needed, node.seq)
            for nr in node.plan.op.edge_order or range(len(node.targets)):
                target = node.targets[nr]
                if isinstance(target, TensorBase):
                    key = <size_t><PyObject *>target
                    remaining[key] -= 1
                    if not remaining[key] and _has_hooks(<TensorBase>target) and key in reached.leaves:
                        slot = <Slot>reached.leaves.pop(key)
                        _settle(slot, inputs is not None, targets, captured, accumulate, create_graph)
            target = slot = None
        for key in list(reached.leaves):
            slot = <Slot>reached.leaves.pop(key)
            _settle(slot, inputs is not None, targets, captured, accumulate, create_graph)
        if current[4] is not None:
            run_callbacks(current[4])
    finally:
        _unsilence(before)
        restore_memory(memory)
        npg_grad_mode = previous
        running.current = outer
    if accumulate:
        return None
    grads = []
    for x in inputs:
        fn = _history(x)
        g = captured.get((id(x), 0) if fn is None else (id(fn), (<TensorBase>x)._nr))
        # No copy where `captured` and `g` have the only references to its memory. The twin always copies.
        if g is not None and not create_graph:
            if Py_REFCNT(g) > 2 or not _is_sole(<cnp.ndarray>g):
                g = own_copy(g)
            g = wrap(g)
        grads.append(g)
    return grads


cdef inline bint _is_sole(cnp.ndarray array) noexcept:
    """Tell whether an array with one reference has memory that no other object uses, such as a reshaped result."""
    cdef PyObject *base = <PyObject *>cnp.PyArray_BASE(array)
    cdef cnp.ndarray owner
    if base == NULL:
        return True
    if not isinstance(<object>base, cnp.ndarray) or base.ob_refcnt != 1:
        return False
    owner = <cnp.ndarray>base
    return cnp.PyArray_BASE(owner) == NULL and cnp.PyArray_SIZE(owner) == cnp.PyArray_SIZE(array)


cdef int _accumulate(TensorBase leaf, Slot slot, bint create_graph) except -1:
    """Add the slot's gradient to leaf.grad. A buffer that may be in use elsewhere is copied before it becomes .grad."""
    cdef object g = slot.g
    cdef cnp.ndarray array
    slot.g = None
    with guard:  # makes reading, adding and storing one step, because threads may share a leaf
        if create_graph:
            if leaf._grad is None:
                leaf._grad = recorded_copy(g, leaf._array, wrap, apply_in_place)
            else:
                leaf._grad = leaf._grad + g
        elif leaf._grad is None:
            array = <cnp.ndarray>g
            g = None
            if not cnp.PyArray_IS_C_CONTIGUOUS(leaf._array):
                array = copy_in_layout(array, leaf._array)
            elif _is_meta(array):
                pass
            elif not (Py_REFCNT(array) == 1 and cnp.PyArray_IS_C_CONTIGUOUS(array) and _is_sole(array)):
                array = np.array(array, order="C")
            leaf._grad = _make(array)
        else:
            array = (<TensorBase?>leaf._grad)._array
            if (<TensorBase?>leaf._grad)._inference and not npg_inference_mode:
                raise RuntimeError(_errors.INFERENCE_IN_PLACE)
            if _is_expanded(array):
                raise RuntimeError(_errors.OVERLAP_IN_PLACE)
            try:
                _add(array, g, out=array)
            except ValueError:
                refuse_shapes((array, g))
                raise
            (<TensorBase?>leaf._grad)._counter.value += 1
    return 0
