"""What the notes on mechanics say of freed graphs, requires_grad, grad modes and shared graphs; against torch."""

import threading

from .programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Saved tensors -----


@program
def graph_runs_again_where_nothing_was_saved(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y, z = x.exp(), x + 2
    y.sum().backward()
    z.sum().backward()
    return outcome(lambda: y.sum().backward()), outcome(lambda: z.sum().backward())


# ----- requires_grad -----


@program
def frozen_parts_receive_nothing_and_record_nothing(lib):
    first, last = lib.nn.Linear(2, 2), lib.nn.Linear(2, 1)
    first.requires_grad_(False)
    x = lib.ones(3, 2)
    hidden = first(x)
    out = last(hidden)
    out.sum().backward()
    seen = [hidden.requires_grad, hidden.grad_fn, out.requires_grad, [p.grad is None for p in first.parameters()]]
    seen.append([p.grad is None for p in last.parameters()])
    first.requires_grad_(True)
    last.requires_grad_(False)
    last(first(x)).sum().backward()
    return seen, [p.grad is None for p in first.parameters()], [p.requires_grad for p in last.parameters()]


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


# ----- Grad modes -----


@program
def no_grad_makes_leaves_that_later_code_may_use(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        y = x * 2
        made = lib.ones(2, requires_grad=True)
        late = lib.ones(2).requires_grad_()
        copied = x.clone()
    (y * made * late * x).sum().backward()
    return [y.requires_grad, y.is_leaf, copied.requires_grad], [values(t.grad) for t in (x, made, late)], y.grad


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
def evaluation_mode_is_no_grad_mode(lib):
    model = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Dropout(0.5)).eval()
    out = model(lib.ones(1, 2))
    return out.requires_grad, lib.is_grad_enabled(), model.train().training, model[1].training


# ----- Shared graphs -----


@program
def graph_that_two_backwards_share_is_freed_by_the_first(lib):
    x = lib.ones(2, requires_grad=True)
    shared = x.exp()
    a, b = (shared * 2).sum(), (shared * 3).sum()
    seen = []
    for root in (a, b):
        thread = threading.Thread(target=lambda root=root: seen.append(outcome(lambda: root.backward())[:70]))
        thread.start()
        thread.join()
    return seen, [round(v, 4) for v in values(x.grad)]


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
