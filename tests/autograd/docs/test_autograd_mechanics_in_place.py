"""PyTorch's page "Autograd mechanics", section "In-place operations with autograd"; against torch."""

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- In-place correctness checks -----


@program
def in_place_correctness_checks(lib):
    r = []
    x = lib.ones(2, 2, requires_grad=True)

    def run(f):
        r.append(outcome(f)[:75])

    def a():
        y = x * 1
        z = y * y
        y.add_(1)
        z.sum().backward()

    def b():
        y = x * 1
        z = y + y
        y.add_(1)
        z.sum().backward()

    def c():
        y = x.exp()
        y.add_(1)
        y.sum().backward()

    def d():
        x.add_(1)

    def e():
        x[0].add_(1)

    def f():
        y = x * 1
        z = y[0] * y[0]
        y[1].add_(1)
        z.sum().backward()

    def g():
        y = x * 1
        y.mul_(y)
        y.sum().backward()

    def h():
        y = x * 1
        y[0] = y[1] * 2
        y.sum().backward()

    def i():
        y = x * 1
        z = y.view(4)
        y.add_(1)
        (z * z).sum().backward()

    def j():
        y = x * 1
        a, b = y.unbind()
        a.add_(1)

    def k():
        y = x * 1
        a = y.split(1)[0]
        y.add_(1)
        a.sum()

    def later():
        with lib.no_grad():
            v = x[0]
        v.add_(1)

    def m():
        with lib.no_grad():
            x.add_(1)
            x[0].mul_(2)
        (x * x).sum().backward()

    def n():
        y = x * 1
        z = y.sigmoid()
        y.zero_()
        z.sum().backward()

    def o():
        y = x * 1
        z = y.relu_()
        z.mul_(2)
        z.sum().backward()

    def q():
        y = x * 1
        z = y.detach()
        z.add_(1)
        (y * y).sum().backward()

    def s():
        y = x * 1
        w = y * y
        y.detach().add_(1)
        w.sum().backward()

    def t():
        y = x * 1
        w = y * y
        y.data.add_(1)
        w.sum().backward()

    def u():
        y = x * 1
        y.expand(2, 2, 2).add_(1)

    def v():
        n = lib.ones(2, 2)
        n.mul_(x)
        n.sum().backward()

    def w():
        n = lib.ones(2, 2)
        m = n[0]
        m.mul_(x[0])
        n.sum().backward()
        assert n.requires_grad and not n.is_leaf

    def y():
        y = x * 1
        y.copy_(lib.ones(2, 2))
        y.sum().backward()

    for fn in (a, b, c, d, e, f, g, h, i, j, k, later, m, n, o, q, s, t, u, v, w, y):
        run(fn)
    r.append(values(x.grad))
    return r


@program
def data_is_replaced(lib):
    r = []
    x = lib.ones(2, requires_grad=True)
    y = x * x
    x.data = lib.tensor([3.0, 4.0])
    y.sum().backward()
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    x.data = lib.ones(3)
    r.append(values(x.grad))
    r.append(outcome(lambda: (x * 2).sum().backward()))
    x = lib.ones(2, requires_grad=True)
    z = x * 1
    y = z * z
    z.data.mul_(5)
    y.sum().backward()
    r.append(values(x.grad))
    z = x * 1
    y = z * z
    z.data = lib.full((2,), 9.0)
    y.sum().backward()
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    y = x * x
    x.data = lib.full((2,), 9.0)
    x.data.add_(1)
    r.append(x._version)
    y.sum().backward()
    r.append(values(x.grad))
    return r


# ----- Views -----


@program
def chain_of_views_is_changed(lib):
    x = lib.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    a = y[0]
    b = a[1:]
    c = y.t()
    b.mul_(3)
    c[0].add_(1)
    y[1] = x[0]
    (y * y).sum().backward()
    return values(x.grad), a.grad_fn is not None, values(b), values(c)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
