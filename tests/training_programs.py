"""Random training programs: a description that hypothesis draws, and its run in npg or in torch.

A description is plain data: a model, its loss, data, an optimizer with groups, schedules, and what happens in each step
besides (frozen parameters, hooks, clipping, state dicts, other dtypes, ...). Its run gives one record for each thing
that is observed, in order: losses, warnings, rates, and at the end parameters, gradients, states. An error ends it.
A run can be shaken: rounding is added to it, to see what the program makes of that.
"""

from __future__ import annotations

import copy
import importlib
import warnings
from typing import Any

import numpy as np
from hypothesis import strategies as st

__all__ = ["Record", "programs", "run"]

WIDTH, CLASSES, BATCH, VOCABULARY = 4, 3, 5, 7
STEPS = (15, 30)

# What is seen, its value, and the roughest dtype that has been in use until then.
Record = tuple[str, Any, str]

# ----- Models -----

IN_PLACE = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardtanh", "Hardswish", "Hardsigmoid")
PLAIN = ("GELU", "Tanh", "Sigmoid", "Softplus", "Softsign", "LogSigmoid", "Tanhshrink", "Softshrink", "Hardshrink")
some = st.sampled_from
flags = st.booleans()


def _layers(depth: int) -> st.SearchStrategy[Any]:
    simple = st.one_of(
        st.tuples(st.just("linear"), flags),
        st.tuples(st.just("act"), some(IN_PLACE), flags),
        st.tuples(st.just("act"), some(PLAIN), st.none()),
        st.tuples(st.just("threshold"), some([0.0, 0.1]), flags),
        st.tuples(st.just("prelu"), some([1, WIDTH])),
        st.tuples(st.just("layernorm"), flags, flags, some([1e-5, 1e-3])),
        st.tuples(st.just("rmsnorm"), flags),
        st.tuples(
            st.just("dropout"), some(["Dropout", "AlphaDropout", "FeatureAlphaDropout"]), some([0.0, 0.3, 0.9]), flags
        ),
        st.tuples(st.just("softmax"), some(["Softmax", "LogSoftmax", "Softmin"])),
        st.tuples(st.just("tied")),
        st.tuples(st.just("weightnorm")),
        st.tuples(st.just("identity")),
    )
    if not depth:
        return simple
    nested = st.lists(_layers(depth - 1), min_size=1, max_size=3)
    return st.one_of(
        simple,
        simple,
        st.tuples(st.just("sequence"), nested),
        st.tuples(st.just("residual"), nested),
        st.tuples(st.just("checkpoint"), nested, flags),
        st.tuples(st.just("several"), some(["ModuleList", "ModuleDict"]), nested),
    )


class _Builder:
    """Makes the layers of a model in a library."""

    def __init__(self, lib: Any) -> None:
        self.lib, self.linear = lib, None
        nn = lib.nn

        class Residual(nn.Module):
            def __init__(self, inner: Any) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, x: Any) -> Any:
                return x + self.inner(x)

        class Checkpointed(Residual):
            use_reentrant = False

            def forward(self, x: Any) -> Any:
                check = importlib.import_module(lib.__name__ + ".utils.checkpoint").checkpoint
                return check(self.inner, x, use_reentrant=self.use_reentrant)

        class Several(nn.Module):
            def __init__(self, parts: Any) -> None:
                super().__init__()
                self.parts = parts

            def forward(self, x: Any) -> Any:
                parts = self.parts.values() if hasattr(self.parts, "values") else self.parts
                return sum(part(x) for part in parts)

        class Tokens(nn.Module):
            def __init__(self, options: dict[str, Any]) -> None:
                super().__init__()
                self.table = nn.Embedding(VOCABULARY, WIDTH, **options)

            def forward(self, x: Any) -> Any:
                return self.table(x).mean(1)

        self.residual, self.checkpointed, self.several, self.tokens = Residual, Checkpointed, Several, Tokens

    def layer(self, described: Any) -> Any:
        nn, (kind, *rest) = self.lib.nn, described
        if kind == "linear" or (kind == "tied" and self.linear is None):
            self.linear = nn.Linear(WIDTH, WIDTH, bias=bool(rest and rest[0]))
            return self.linear
        if kind == "tied":
            other = nn.Linear(WIDTH, WIDTH)
            other.weight = self.linear.weight
            return other
        if kind == "weightnorm":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return nn.utils.weight_norm(nn.Linear(WIDTH, WIDTH))
        if kind == "act":
            return getattr(nn, rest[0])(**({} if rest[1] is None else {"inplace": rest[1]}))
        if kind == "threshold":
            return nn.Threshold(rest[0], 0.2, inplace=rest[1])
        if kind == "prelu":
            return nn.PReLU(rest[0])
        if kind == "layernorm":
            return nn.LayerNorm(WIDTH, eps=rest[2], elementwise_affine=rest[0], bias=rest[1])
        if kind == "rmsnorm":
            return nn.RMSNorm(WIDTH, elementwise_affine=rest[0])
        if kind == "dropout":
            return getattr(nn, rest[0])(rest[1], inplace=rest[2])
        if kind == "softmax":
            return getattr(nn, rest[0])(dim=-1)
        if kind == "identity":
            return nn.Identity()
        if kind == "several":
            parts = [self.layer(part) for part in rest[1]]
            if rest[0] == "ModuleDict":
                return self.several(nn.ModuleDict({f"p{i}": part for i, part in enumerate(parts)}))
            return self.several(nn.ModuleList(parts))
        inner = nn.Sequential(*[self.layer(part) for part in rest[0]])
        if kind == "residual":
            return self.residual(inner)
        if kind == "checkpoint":
            made = self.checkpointed(inner)
            made.use_reentrant = rest[1]
            return made
        return inner

    def model(self, program: dict[str, Any]) -> Any:
        nn = self.lib.nn
        first = nn.Linear(WIDTH, WIDTH) if program["tokens"] is None else self.tokens(program["tokens"])
        if program["tokens"] is None:
            self.linear = first
        body = [self.layer(described) for described in program["layers"]]
        return nn.Sequential(first, *body, nn.Linear(WIDTH, CLASSES))


# ----- Losses: (name, options, what the target is) -----

_reduction = st.fixed_dictionaries({"reduction": some(["mean", "sum", "none"])})


def _options(**choices: Any) -> st.SearchStrategy[Any]:
    return st.builds(lambda a, b: a | b, _reduction, st.fixed_dictionaries({}, optional=choices))


LOSSES = {
    "MSELoss": (_options(), "values"),
    "L1Loss": (_options(), "values"),
    "SmoothL1Loss": (_options(beta=some([0.0, 0.3, 1.0])), "values"),
    "HuberLoss": (_options(delta=some([0.3, 1.0, 2.0])), "values"),
    "SoftMarginLoss": (_options(), "signs"),
    "HingeEmbeddingLoss": (_options(margin=some([0.5, 1.0])), "signs"),
    "BCEWithLogitsLoss": (_options(), "shares"),
    "MultiLabelSoftMarginLoss": (_options(), "bits"),
    "PoissonNLLLoss": (_options(log_input=st.just(True), full=flags), "shares"),
    "KLDivLoss": (_options(log_target=flags), "shares"),
    "CrossEntropyLoss": (_options(label_smoothing=some([0.0, 0.1]), ignore_index=some([0, 1, -100])), "classes"),
    "MultiMarginLoss": (_options(p=some([1, 2]), margin=some([0.5, 1.0])), "classes"),
}


def _loss() -> st.SearchStrategy[Any]:
    return st.one_of([st.tuples(st.just(name), options, st.just(target)) for name, (options, target) in LOSSES.items()])


def _target(lib: Any, kind: str, dtype: Any) -> Any:
    if kind == "classes":
        return lib.randint(0, CLASSES, (BATCH,))
    x = lib.randn(BATCH, CLASSES).double()  # a sigmoid of float32 may differ in the last place
    if kind == "values":
        return x.to(dtype)
    if kind == "shares":
        return x.sigmoid().to(dtype)
    return ((x > 0).to(dtype) * 2 - 1) if kind == "signs" else (x > 0).to(dtype)


# ----- Optimizers -----

_common = {"weight_decay": some([0.0, 0.1]), "maximize": flags, "foreach": some([None, True, False])}
_betas = st.tuples(some([0.0, 0.5, 0.9]), some([0.5, 0.99]))
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": _common | {"momentum": some([0.0, 0.9]), "dampening": some([0, 0.1]), "nesterov": flags},
    "Adam": _common | {"betas": _betas, "amsgrad": flags, "decoupled_weight_decay": flags, "eps": some([1e-8, 1e-3])},
    "AdamW": _common | {"betas": _betas, "amsgrad": flags},
    "RAdam": _common | {"betas": _betas, "decoupled_weight_decay": flags},
    "RMSprop": _common | {"momentum": some([0.0, 0.5]), "centered": flags, "alpha": some([0.5, 0.99])},
    "Adagrad": _common | {"lr_decay": some([0, 0.1]), "initial_accumulator_value": some([0, 0.5])},
    "Adadelta": _common | {"rho": some([0.5, 0.9])},
    "LBFGS": {"history_size": some([2, 10]), "line_search_fn": some([None, "strong_wolfe"])},
}
NEEDED = {"LBFGS": {"max_iter": some([1, 2, 4])}}  # 20 by default, each with 1.25 evaluations
# Of a group of its own: settings that every optimizer has.
_group = st.fixed_dictionaries({}, optional={"lr": some([0.001, 0.02]), "weight_decay": some([0.0, 0.05])})


def _optimizer() -> st.SearchStrategy[Any]:
    return st.one_of(
        [
            st.tuples(
                st.just(name), st.fixed_dictionaries({"lr": some([0.01, 0.1])} | NEEDED.get(name, {}), optional=options)
            )
            for name, options in OPTIMIZERS.items()
        ]
    )


# ----- Schedules -----

SCHEDULES: dict[str, Any] = {
    "StepLR": {"step_size": some([2, 3]), "gamma": some([0.5])},
    "MultiStepLR": {"milestones": some([[1, 3], [2, 2]]), "gamma": some([0.1])},
    "ExponentialLR": {"gamma": some([0.9])},
    "CosineAnnealingLR": {"T_max": some([5]), "eta_min": some([0.0, 0.001])},
    "CosineAnnealingWarmRestarts": {"T_0": some([3]), "T_mult": some([1, 2])},
    "LinearLR": {"start_factor": some([0.25]), "total_iters": some([4])},
    "ConstantLR": {"factor": some([0.5]), "total_iters": some([3])},
    "PolynomialLR": {"total_iters": some([5]), "power": some([1.0, 2.0])},
    "OneCycleLR": {"max_lr": some([0.1]), "total_steps": some([12, 40]), "cycle_momentum": flags},
    "CyclicLR": {"base_lr": some([0.01]), "max_lr": some([0.1]), "step_size_up": some([3]), "cycle_momentum": flags},
    "ReduceLROnPlateau": {"patience": some([0, 1]), "factor": some([0.5]), "mode": some(["min", "max"])},
}


def _schedule() -> st.SearchStrategy[Any]:
    one = st.one_of([st.tuples(st.just(name), st.fixed_dictionaries(options)) for name, options in SCHEDULES.items()])
    return st.tuples(st.lists(one, max_size=2), some([0, 0, 1]), some(["after", "after", "before"]), flags)


# ----- What happens besides, at a step -----

_events = st.one_of(
    st.tuples(st.just("freeze"), st.integers(0, 5)),
    st.tuples(st.just("thaw")),
    st.tuples(st.just("eval")),
    st.tuples(st.just("train")),
    st.tuples(st.just("model state")),
    st.tuples(st.just("optimizer state")),
    st.tuples(st.just("schedule state")),
    st.tuples(st.just("shrink"), st.integers(0, 5)),
    st.tuples(st.just("data"), st.integers(0, 5)),
    st.tuples(st.just("lr"), some([0.005, 0.05])),
    st.tuples(st.just("tensor lr"), some([0.005, 0.05])),
    st.tuples(st.just("drop grad"), st.integers(0, 5)),
    st.tuples(st.just("nan"), st.integers(0, 5)),
    st.tuples(st.just("hook"), some(["tensor", "accumulated", "forward", "forward pre", "backward", "step"])),
    st.tuples(st.just("dtype"), some(["float64", "float32", "float16"])),
    st.tuples(st.just("group"), st.none()),
)

_clip = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.just("norm"), some([0.01, 1.0]), some([1.0, 2.0, float("inf")])),
    st.tuples(st.just("value"), some([0.01, 0.5])),
)

programs = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 999),
        "dtype": some(["float64", "float64", "float64", "float32", "float16"]),
        "tokens": st.one_of(
            st.none(),
            st.none(),
            st.fixed_dictionaries(
                {}, optional={"padding_idx": some([0, 3]), "max_norm": some([0.5]), "scale_grad_by_freq": flags}
            ),
        ),
        "layers": st.lists(_layers(1), min_size=1, max_size=5),
        "loss": _loss(),
        "mixed target": some([False, False, False, True]),
        "optimizer": _optimizer(),
        "groups": st.lists(_group, max_size=2),
        "schedule": _schedule(),
        "accumulate": some([1, 1, 2]),
        "zero": some(["optimizer", "model", "zeros", "never", "by hand"]),
        "clip": _clip,
        "closure": flags,
        "events": st.lists(st.tuples(st.integers(0, STEPS[1] - 1), _events), max_size=6),
        "steps": st.integers(*STEPS),
    }
)


# ----- A run -----


class _Run:
    """One run of a program; `records` is what was seen."""

    def __init__(self, lib: Any, program: dict[str, Any], shaking: int | None = None) -> None:
        self.lib, self.program = lib, program
        self.noise = None if shaking is None else np.random.default_rng(shaking)
        self.records: list[Record] = []
        self.calls = self.evaluations = 0
        self.shakes = False
        self.rough = "float64"

    def see(self, what: str, value: Any) -> None:
        self.records.append((what, _plain(value), self.rough))

    def uses(self, dtype: Any) -> None:
        name = str(dtype).rpartition(".")[2]
        self.rough = max(name, self.rough, key=lambda known: np.finfo(known).eps)

    def start(self) -> None:
        lib, program = self.lib, self.program
        lib.manual_seed(program["seed"])
        self.dtype = getattr(lib, program["dtype"])
        self.uses(self.dtype)
        self.model = _Builder(lib).model(program).to(self.dtype)
        self.params = list(self.model.parameters())
        if self.noise is not None:
            for layer in self.model.modules():
                if not list(layer.children()):
                    layer.register_forward_hook(self.shake_output)
            for p in self.params:
                p.register_hook(self.shake_gradient)
        if program["tokens"] is None:
            self.inputs = [lib.randn(BATCH, WIDTH).to(self.dtype) for _ in range(2)]
        else:
            self.inputs = [lib.randint(0, VOCABULARY, (BATCH, 3)) for _ in range(2)]
        name, options, kind = program["loss"]
        self.loss = getattr(lib.nn, name)(**options)
        other = lib.float32 if self.dtype == lib.float64 else lib.float64
        # PyTorch's huber_loss of two dtypes refuses its own backward, npg's does not.
        mixed = program["mixed target"] and name != "HuberLoss"
        self.targets = [_target(lib, kind, other if mixed else self.dtype) for _ in range(2)]
        if mixed:
            self.uses(other)
        self.see("model", str(self.model))
        if "Hardsigmoid" in str(self.model):
            self.uses(lib.float32)  # PyTorch multiplies its gradient by 1 / 6 in float32, npg in the input's dtype
        name, options = program["optimizer"]
        happening = [event for _, event in program["events"]]
        half = "float16" in (program["dtype"], *[event[-1] for event in happening])
        infinite = any(event[0] == "nan" for event in happening)
        if options.get("foreach") and (options.get("nesterov") or half or infinite):
            # PyTorch's foreach changes .grad, npg's does not; where its loops have inf, or 0 in float16, it has nan.
            options = options | {"foreach": False}
        self.spare = lib.ones(3, dtype=self.dtype, requires_grad=True)
        groups = [
            {"params": self.params[i :: len(program["groups"]) + 1], **own}
            for i, own in enumerate([{}, *program["groups"]])
        ]
        self.optimizer = getattr(lib.optim, name)(groups if len(groups) > 1 else self.params, **options)
        self.schedules: list[Any] = []

    def make_schedules(self) -> None:
        described, _, _, chained = self.program["schedule"]
        module = self.lib.optim.lr_scheduler
        for name, options in described:
            self.schedules.append(getattr(module, name)(self.optimizer, **options))
        plateau = [name == "ReduceLROnPlateau" for name, _ in described]
        if chained and len(self.schedules) == 2 and not any(plateau):
            self.schedules = [module.ChainedScheduler(self.schedules)]

    def evaluate(self, i: int) -> Any:
        self.shakes = self.noise is not None and self.evaluations > 0
        self.evaluations += 1
        if self.shakes:
            with self.lib.no_grad():
                for p in self.params:
                    p.mul_(self.rounding(p))
        value = self.loss(self.model(self.inputs[i % 2]), self.targets[i % 2])
        value = value if value.dim() == 0 else value.mean()
        return value * self.rounding(value) if self.shakes else value

    def shake_output(self, module: Any, args: Any, y: Any) -> None:
        if self.shakes:  # by .data, which is no change in place for the graph; x - tanh(x) cancels, and is rounded as x
            x = args[0].detach() if type(module).__name__ == "Tanhshrink" else y.detach()
            y.data.add_((self.rounding(y) - 1) * x)
        if y.requires_grad:
            y.register_hook(self.shake_gradient)

    def shake_gradient(self, g: Any) -> Any:
        """Round by what is usual beside the largest: sums that cancel are left with it. A gradient of 0 stays 0."""
        return g + (self.rounding(g) - 1) * g.abs().max() * (g != 0)

    def rounding(self, x: Any) -> Any:
        """Return factors for x: 1 and up to two units in the last place, of a loss in the roughest dtype."""
        name = str(x.dtype).rpartition(".")[2] if x.dim() else self.rough
        found = 1 + np.finfo(name).eps * self.noise.integers(-2, 3, tuple(x.shape))
        return self.lib.from_numpy(np.asarray(found)).to(x.dtype)

    def zero(self) -> None:
        how = self.program["zero"]
        if how == "optimizer":
            self.optimizer.zero_grad()
        elif how == "zeros":
            self.optimizer.zero_grad(set_to_none=False)
        elif how == "model":
            self.model.zero_grad()
        elif how == "by hand":
            for p in self.params:
                p.grad = None

    def gradients(self, i: int) -> Any:
        self.zero()
        total = 0.0
        for k in range(self.program["accumulate"]):
            loss = self.evaluate(i + k)
            loss.backward()
            total = total + loss.detach()
        return total

    def step(self, i: int) -> None:
        self.at = i
        for at, event in self.program["events"]:
            if at == i:
                self.happen(*event)
        if self.program["schedule"][1] == i:
            self.make_schedules()
        if self.program["schedule"][2] == "before" and i:
            self.schedule(self.last)
        if self.program["closure"] or self.program["optimizer"][0] == "LBFGS":
            self.last = self.optimizer.step(lambda: self.gradients(i))
        else:
            self.last = self.gradients(i)
            self.clip()
            self.optimizer.step()
        self.see(f"loss {i}", self.last)
        if self.program["schedule"][2] == "after":
            self.schedule(self.last)
        self.see(f"rates {i}", [float(group["lr"]) for group in self.optimizer.param_groups])

    def clip(self) -> None:
        how = self.program["clip"]
        utils = self.lib.nn.utils
        if how is not None and how[0] == "norm":
            self.see(f"norm {self.at}", utils.clip_grad_norm_(self.params, how[1], norm_type=how[2]))
        elif how is not None:
            utils.clip_grad_value_(self.params, how[1])

    def schedule(self, loss: Any) -> None:
        for schedule in self.schedules:
            if type(schedule).__name__ == "ReduceLROnPlateau":
                schedule.step(loss)
            else:
                schedule.step()

    # ----- Events -----

    def happen(self, kind: str, value: Any = None) -> None:
        lib, model = self.lib, self.model
        p = self.params[value % len(self.params)] if type(value) is int else None
        if kind == "freeze":
            p.requires_grad_(False)
        elif kind == "thaw":
            model.requires_grad_()
        elif kind in ("eval", "train"):
            getattr(model, kind)()
        elif kind == "model state":
            self.see("loaded", str(model.load_state_dict(copy.deepcopy(model.state_dict()))))
        elif kind == "optimizer state":
            self.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        elif kind == "schedule state":
            for schedule in self.schedules:
                schedule.load_state_dict(schedule.state_dict())
        elif kind == "shrink":
            with lib.no_grad():
                p.mul_(0.9).add_(0.01)
        elif kind == "data":
            p.data = p.data * 0.5
        elif kind == "lr":
            for group in self.optimizer.param_groups:
                group["lr"] = value
        elif kind == "tensor lr":
            for group in self.optimizer.param_groups:
                group["lr"] = lib.tensor(value, dtype=lib.float64)  # of float32, PyTorch's step is rounded to that
        elif kind == "drop grad":
            p.grad = None
        elif kind == "nan":
            if p.grad is not None:
                p.grad[..., 0] = float("inf")
        elif kind == "dtype":
            self.change_dtype(getattr(lib, value))
        elif kind == "group":
            self.optimizer.add_param_group({"params": [self.spare]})
            self.spare.grad = lib.ones_like(self.spare)
        elif kind == "hook":
            self.hook(value)

    def change_dtype(self, dtype: Any) -> None:
        if dtype == self.lib.float16 and self.program["loss"][0] == "MultiMarginLoss":
            return  # PyTorch has none
        self.uses(dtype)
        self.model.to(dtype)
        self.inputs = [x.to(dtype) if x.is_floating_point() else x for x in self.inputs]
        self.targets = [x.to(dtype) if x.is_floating_point() else x for x in self.targets]

    def hook(self, kind: str) -> None:
        def count(*_args: Any) -> None:
            self.calls += 1

        def double(p: Any) -> None:
            p.grad *= 2

        layer = self.model[-1]
        if kind == "tensor":
            self.params[-1].register_hook(lambda g: g * 0.5)
        elif kind == "accumulated":
            self.params[-1].register_post_accumulate_grad_hook(double)
        elif kind == "forward":
            layer.register_forward_hook(lambda module, args, y: y * 1.5)
        elif kind == "forward pre":
            layer.register_forward_pre_hook(lambda module, args: (args[0] * 0.5,))
        elif kind == "backward":
            layer.register_full_backward_hook(lambda module, gx, gy: (gx[0] * 0.5,))
        else:
            self.optimizer.register_step_post_hook(count)

    # ----- The end -----

    def finish(self) -> None:
        self.see("calls", self.calls)
        for name, p in self.model.state_dict().items():
            self.see(f"parameter {name}", p)
        for name, p in self.model.named_parameters():
            self.see(f"gradient {name}", p.grad)
        found = self.optimizer.state_dict()
        self.see("groups", found["param_groups"])
        self.see("state", found["state"])
        for schedule in self.schedules:
            kept = schedule.state_dict()
            self.see("schedule", {key: kept[key] for key in ("last_epoch", "_last_lr", "best") if key in kept})


def _plain(value: Any) -> Any:
    """Return a copy without the library: tensors as ("tensor", array), the library's name replaced in texts."""
    if hasattr(value, "detach"):
        return "tensor", np.array(value.detach().numpy())
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, str):
        return value.replace("torch", "npg")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return type(value).__name__


def run(lib: Any, program: dict[str, Any], shaking: int | None = None) -> list[Record]:
    """Return the records of a run. Warnings are among them, and the error that ended it.

    Args: shaking: None, or a seed: parameters, outputs of layers, their gradients and losses are rounded otherwise. In
        the first evaluation only gradients are, so that ties (a number at the kink of a function) are compared.
    """
    this = _Run(lib, program, shaking)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            this.start()
            for i in range(program["steps"]):
                before = len(seen)
                try:
                    this.step(i)
                finally:
                    for w in seen[before:]:
                        if "Converting a tensor with requires_grad" in str(w.message):
                            continue  # said once in a process
                        this.see(f"warning {i}", f"{w.category.__name__}: {w.message}")
            this.finish()
        except Exception as error:
            this.see("error", f"{type(error).__name__}: {error}")
    return this.records
