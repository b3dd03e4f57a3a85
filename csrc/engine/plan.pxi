# Plans: what the hot path needs to know of ops.

@cython.final
cdef class Plan:
    """The facts about an op that the hot path needs, read from it once."""

    cdef object op
    cdef object forward
    cdef object joint
    cdef object recorded
    cdef tuple vjps
    cdef tuple reads
    cdef Loops loops  # those of the forward where it is a ufunc, or None
    cdef list steps  # for each rule: its RuleSteps, or None
    cdef bint elementwise, blocks
    cdef bint is_fused, is_multi, is_view, is_ufunc, exact, broadcasts, takes_keep, differentiable
    cdef bint runs_without_gradient
    cdef int arity  # up to 3, with the saving modes in the tables below; 0: more; -1: not read yet
    cdef int y_modes[8]
    cdef int x_modes[8][3]

    cdef int read(self, op) except -1:
        self.op = op
        self.forward, self.joint, self.recorded = op.forward, op.joint, op.recorded
        self.vjps, self.reads = op.vjps, op.reads
        self.elementwise, self.blocks = op.elementwise, op.blocks
        self.is_fused, self.is_multi, self.is_view = op.is_fused, op.is_multi, op.is_view
        self.is_ufunc, self.broadcasts, self.takes_keep = op.is_ufunc, op.broadcasts, op.takes_keep
        self.exact = op.exact
        self.differentiable, self.runs_without_gradient = op.differentiable, op.runs_without_gradient
        self.loops = loops_of(op.forward) if op.is_ufunc else None
        self.arity = -1
        return 0

    cdef int read_modes(self) except -1:
        # Not in the constructor: hundreds of plans are made at import, and few ops are ever recorded.
        # The arity is set last, so that until then another thread reads the modes too.
        cdef int mask, i, arity = len(self.vjps) if len(self.vjps) <= 3 else 0
        self.steps = [_read_rule(rule, arity) if rule is not None and arity <= 2 else None for rule in self.vjps]
        if arity:
            for mask in range(1 << arity):
                y_mode, modes = self.op.saves(tuple([bool(mask >> i & 1) for i in range(arity)]))
                self.y_modes[mask] = y_mode
                for i in range(arity):
                    self.x_modes[mask][i] = modes[i]
        self.arity = arity
        return 0


cdef Plan _plan(op):
    cdef Plan plan = op.plan
    if plan is None:
        plan = Plan.__new__(Plan)
        plan.read(op)
        op.plan = plan
    return plan
