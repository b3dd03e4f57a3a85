"""L-BFGS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from npg.autograd import enable_grad, no_grad
from npg.creation import zeros
from npg.functional import cat
from npg.functional._public import public_function
from npg.optim._line_search import strong_wolfe
from npg.optim._state import plain_settings
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

# Entries of the last iteration, in PyTorch's order.
_REMEMBERED = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")


class LBFGS(Optimizer):
    """L-BFGS: Newton's method with the inverse Hessian estimated from the last steps. For full batches.

    Args:
        params: parameters; there can be only one group.
        lr: the step, or the line search's initial guess.
        max_iter: iterations in one call of step. max_eval: evaluations in it, max_iter * 5 // 4 by default.
        tolerance_grad: stop when no gradient is larger.
        tolerance_change: stop when no parameter, or the loss, changes by more.
        history_size: the number of steps to keep.
        line_search_fn: None or "strong_wolfe".
    Raises: ValueError: for a learning rate that is negative or not finite, several groups. RuntimeError: for another
        line search.
    Source: Liu and Nocedal 1989; torch.optim.LBFGS.
    """

    @public_function
    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        self._set_up(params, locals())
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        if settings["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")

    # ----- All parameters as one vector -----

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _gather(self) -> Tensor:
        """Return all gradients as one vector; zeros where there is none."""
        return cat([zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.reshape(-1) for p in self._params])

    def _move(self, step: Any, direction: Tensor) -> None:
        at = 0
        for p in self._params:
            p.add_(direction[at : at + p.numel()].view_as(p), alpha=float(step))
            at += p.numel()

    def _evaluate_at(self, closure: Callable[[], Any], direction: Tensor, step: Any) -> tuple[float, Tensor]:
        """Return the loss and the gradient after a step, and undo the step."""
        originals = [p.clone() for p in self._params]
        self._move(step, direction)
        loss = float(closure())
        gradient = self._gather()
        for p, old in zip(self._params, originals, strict=True):
            p.copy_(old)
        return loss, gradient

    # ----- A step -----

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Perform up to max_iter iterations.

        Args: closure: clears the gradients, computes the loss, calls backward and returns the loss.
        Returns: the loss at the start.
        Raises: AssertionError: when a group was added.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        with no_grad():
            return self._minimise(enable_grad()(closure), plain_settings(self.param_groups[0]))

    def _minimise(self, closure: Callable[[], Any], group: dict[str, Any]) -> Any:
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss = float(first)
        evaluations = 1
        state["func_evals"] += 1
        g = self._gather()
        if g.abs().max() <= group["tolerance_grad"]:
            return first
        # The entries of the last iteration; an error on the way leaves them unchanged.
        last = {name: state.get(name) for name in _REMEMBERED}
        for name in ("old_dirs", "old_stps", "ro"):
            last[name] = list(last[name] or ())
        lr, most = group["lr"], group["max_iter"]
        lr = lr.squeeze() if isinstance(lr, Tensor) else lr
        for iteration in range(1, most + 1):
            state["n_iter"] += 1
            d = last["d"] = self._direction(state, last, g, group["history_size"])
            before = last["prev_flat_grad"]  # it keeps its dtype, since PyTorch copies into it
            last["prev_flat_grad"] = g.clone() if before is None else g.to(before.dtype, copy=True)
            last["prev_loss"] = loss
            t = last["t"] = min(1.0, 1.0 / g.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = g.dot(d)
            if slope > -group["tolerance_change"]:
                break
            asked = 0
            if group["line_search_fn"] is not None:
                evaluate = functools.partial(self._evaluate_at, closure, d)
                loss, g, t, asked = strong_wolfe(evaluate, d, t, loss, g, slope, group["max_eval"] - evaluations)
                last["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                if iteration != most:  # the next call of step computes it then
                    loss, asked = float(closure()), 1
                    g = self._gather()
            evaluations += asked
            state["func_evals"] += asked
            if (
                evaluations >= group["max_eval"]
                or g.abs().max() <= group["tolerance_grad"]
                or d.mul(float(t)).abs().max() <= group["tolerance_change"]
                or abs(loss - last["prev_loss"]) < group["tolerance_change"]
            ):
                break
        state.update(last)
        return first

    def _direction(self, state: dict[str, Any], last: dict[str, Any], g: Tensor, size: int) -> Tensor:
        """Return -H g, with the inverse Hessian H estimated from the stored steps."""
        changes, steps, ro = last["old_dirs"], last["old_stps"], last["ro"]
        if state["n_iter"] == 1:
            last["H_diag"] = 1
            return g.neg()
        y, s = g.sub(last["prev_flat_grad"]), last["d"].mul(float(last["t"]))
        ys = y.dot(s)
        if ys > 1e-10:
            if len(changes) == size:
                del changes[0], steps[0], ro[0]
            changes.append(y)
            steps.append(s)
            ro.append(1.0 / ys)
            last["H_diag"] = ys / y.dot(y)
        al: list[Any] = state.setdefault("al", [None] * size)
        d = g.neg()
        for i in reversed(range(len(changes))):
            al[i] = steps[i].dot(d) * ro[i]
            d.add_(changes[i], alpha=-al[i].item())
        d = d.mul(last["H_diag"])
        for i in range(len(changes)):
            be = changes[i].dot(d) * ro[i]
            d.add_(steps[i], alpha=(al[i] - be).item())
        return d
