"""PyTorch's page "Autograd mechanics", section "Locally disabling gradient computation"; against torch."""

from ..programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Setting requires_grad -----


@program
def frozen_parts_receive_nothing_and_record_nothing(lib):
    first, last = lib.nn.Linear(2, 2), lib.nn.Linear(2, 1)
    first.requires_grad_(False)
    x = lib.ones(3, 2)
    hidden = first(x)
    out = last(hidden)
    out.sum().backward()
    states = [hidden.requires_grad, hidden.grad_fn, out.requires_grad, [p.grad is None for p in first.parameters()]]
    states.append([p.grad is None for p in last.parameters()])
    first.requires_grad_(True)
    last.requires_grad_(False)
    last(first(x)).sum().backward()
    return states, [p.grad is None for p in first.parameters()], [p.requires_grad for p in last.parameters()]


@program
def flag_belongs_to_leaves(lib):
    x, y = doubled(lib)

    def clear():
        y.requires_grad = False

    def set_on_integers():
        lib.tensor([1]).requires_grad = True

    return outcome(clear), outcome(lambda: y.requires_grad_(False)), outcome(set_on_integers), y.is_leaf


@program
def flag_set_late_begins_a_history(lib):
    x = lib.ones(2)
    before = x * 2
    x.requires_grad_()
    after = x * 3
    (before + after).sum().backward()
    return before.requires_grad, after.requires_grad, values(x.grad)


@program
def leaf_frozen_after_the_forward(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(values(g)))
    x.register_post_accumulate_grad_hook(lambda p: log.append("post"))
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward()
    return x.grad, log


# ----- No-grad mode -----


@program
def no_grad_makes_leaves_that_later_code_may_use(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        y = x * 2
        leaf = lib.ones(2, requires_grad=True)
        late = lib.ones(2).requires_grad_()
        copied = x.clone()
    (y * leaf * late * x).sum().backward()
    return [y.requires_grad, y.is_leaf, copied.requires_grad], [values(t.grad) for t in (x, leaf, late)], y.grad


@program
def no_grad_changes_leaves_in_place_and_they_stay_leaves(lib):
    w = lib.ones(2, requires_grad=True)
    (w * w).sum().backward()
    with lib.no_grad():
        w -= 0.5 * w.grad
        w[0] = 3
        w.grad.zero_()
    (w * w).sum().backward()
    return w.is_leaf, w.requires_grad, values(w), values(w.grad), w._version


@program
def no_grad_change_of_a_saved_tensor_is_found(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x * x).sum()
    with lib.no_grad():
        x.add_(1)
    return outcome(lambda: y.backward())[:100]


# ----- Inference mode -----


@program
def inference_tensors_are_used_but_not_recorded(lib):
    w = lib.ones(2, requires_grad=True)
    with lib.inference_mode():
        t = lib.tensor([2.0, 3.0])
        product = w * t
        t.add_(1)
    return [
        outcome(lambda: w * t)[:60],
        outcome(lambda: (w + t).sum().backward()),
        outcome(lambda: t.requires_grad_())[:60],
        outcome(lambda: w.detach().mul_(t)),
        outcome(lambda: (w * t.clone()).sum().backward()),
        [product.requires_grad, product.is_inference(), (t + 1).is_inference(), t[0].is_inference()],
        outcome(lambda: t._version),
        values(w.grad),
    ]


@program
def inference_mode_changes_normal_tensors_and_counts_it(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 1
    square = y * y
    with lib.inference_mode():
        y.mul_(2)
        view = y[0]
    return y._version, outcome(lambda: square.sum().backward())[:100], view.is_inference(), y.is_inference()


@program
def inference_nested(lib):
    r = []
    with lib.inference_mode():
        r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
        with lib.inference_mode(False):
            r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled(), lib.ones(1).is_inference()))
        r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
    with lib.no_grad():
        with lib.inference_mode(False):
            r.append(lib.is_grad_enabled())
        r.append(lib.is_grad_enabled())
    return r


@program
def inference_tensors(lib):
    x = lib.ones(3, requires_grad=True)
    n = lib.ones(3)
    short = lambda f: outcome(f)[:60]
    with lib.inference_mode():
        i = lib.ones(3)
        nv = n[:2]
        r = [t.is_inference() for t in (i, nv, i.clone(), x * 2, i[:2], i.data, lib.ones(2, requires_grad=True))]
        n.add_(1)
        i.add_(1)
        nv.add_(1)
        r.append(
            (
                n._version,
                values(i),
                short(lambda: (x * 2).backward(lib.ones(3))),
                short(lambda: i.requires_grad_()),
                i.requires_grad,
            )
        )
        i.requires_grad_(False)
        j = i[:2]
    r += [
        short(lambda: i.add_(1)),
        short(lambda: j.mul_(2)),
        short(lambda: i.zero_()),
        short(lambda: i.copy_(n)),
        short(lambda: i.__setitem__(0, 2.0)),
        short(lambda: nv.add_(1)),
        n._version,
    ]
    r += [
        short(lambda: x * i),
        short(lambda: i * x),
        short(lambda: x + i),
        short(lambda: (x * 1).add_(i)),
        short(lambda: (x * 1).mul_(i)),
        short(lambda: n.add_(i)),
        short(lambda: lib.nn.functional.linear(x, i[None])),
    ]
    r += [short(lambda: i.requires_grad_()), i.requires_grad, short(lambda: i.requires_grad_(False))]
    r += [t.is_inference() for t in (i.clone(), i * 2, i[:1], i.view(3))]
    with lib.no_grad():
        r.append(short(lambda: i.add_(1)))
    return r


@program
def inference_tensors_as_gradient_and_parameter(lib):
    w = lib.ones(4, requires_grad=True)
    with lib.inference_mode():
        w_grad, x = lib.ones(4), lib.ones(2)
        inside = lib.nn.Parameter(x)
    w.grad = w_grad
    return (
        outcome(lambda: (w * 2).sum().backward())[:80],
        outcome(lambda: lib.nn.Parameter(x)),
        lib.nn.Parameter(x, requires_grad=False).is_inference(),
        (inside.is_inference(), inside.requires_grad),
    )


# ----- Evaluation mode (nn.Module.eval()) -----


@program
def evaluation_mode_is_no_grad_mode(lib):
    model = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Dropout(0.5)).eval()
    out = model(lib.ones(1, 2))
    return out.requires_grad, lib.is_grad_enabled(), model.train().training, model[1].training


@program
def dropout_in_evaluation_mode_records(lib):
    m = lib.nn.Dropout(0.5).eval()
    x = lib.ones(4, requires_grad=True)
    y = m(x)
    return y.requires_grad, values(y), lib.is_grad_enabled()


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
