"""Layers, activations, losses, initialisation: one expression each, in npg and in torch."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

import npg
from npg import nn
from tests.helpers import same_result_or_error
from tests.twins import agree, attempt, warned

torch = pytest.importorskip("torch", reason="compares with torch")

LAYERS = [
    "nn.Linear(0,2).weight",
    "nn.Linear(2,0).state_dict()",
    "nn.Linear(-1,2)",
    "nn.Linear(2.5,2)",
    "nn.Linear(2,2,bias=False).bias",
    "nn.Linear(2,2,dtype=lib.float64).weight",
    'nn.Linear(2,2,device="cpu", dtype=lib.float16).weight.dtype',
    "repr(nn.Linear(2,3)), repr(nn.Linear(2,3,False))",
    "nn.Linear(2,3)(lib.ones(4))",
    "repr(nn.Embedding(4,3)), repr(nn.Embedding(4,3,padding_idx=-1,max_norm=1,norm_type=3,scale_grad_by_freq=True))",
    "nn.Embedding(4,3,padding_idx=4)",
    "nn.Embedding(4,3,padding_idx=-5)",
    "nn.Embedding(4,3,padding_idx=-1).weight",
    "nn.Embedding(4,3,padding_idx=0).weight",
    "nn.Embedding(4,3,max_norm=0.5)(lib.tensor([1,2]))",
    "nn.Embedding.from_pretrained(lib.ones(3,2)).weight.requires_grad",
    "nn.Embedding.from_pretrained(lib.ones(3,2), False).weight.requires_grad",
    "nn.Embedding.from_pretrained(lib.ones(3,2), True, 1, 0.5, 1.0, True)(lib.tensor([1]))",
    "repr(nn.Embedding.from_pretrained(lib.ones(3,2), True, 1, 0.5, 1.0, True))",
    "nn.Embedding.from_pretrained(lib.ones(3))",
    "nn.Embedding(2,2,_weight=lib.ones(3,3))",
    "nn.Embedding(3,2)(lib.tensor([3]))",
    "nn.Embedding(3,2)(lib.tensor([1.0]))",
    "nn.Embedding(3,2,dtype=lib.float64).weight",
    "repr(nn.LayerNorm(3)), repr(nn.LayerNorm((3,2),eps=1e-3,elementwise_affine=False))",
    "repr(nn.LayerNorm([3],bias=False))",
    "nn.LayerNorm(3)(lib.ones(2,4))",
    "nn.LayerNorm(3.5)",
    "nn.LayerNorm(3, dtype=lib.float64).weight",
    "dict(nn.LayerNorm((2,3),bias=False).state_dict())",
    "nn.Dropout(1.5)",
    "nn.Dropout(-0.1)",
    "repr(nn.Dropout(0.3,True))",
    "nn.Dropout(0.3)(lib.ones(20))",
    "nn.Dropout(0.3)(lib.ones(2,20)), nn.Dropout(1.0)(lib.ones(3)), nn.Dropout(0)(lib.ones(3))",
    "repr(nn.Identity(3,x=4)), repr(nn.Flatten()), repr(nn.Flatten(0,1)), repr(nn.Unflatten(1,(2,3)))",
    "repr(nn.Unflatten(1,[2,3]))",
    "nn.Unflatten(1,3)",
    "nn.Unflatten(1,(2,'a'))",
    "nn.Unflatten(1,(2,3))(lib.ones(2,6)).shape",
    "nn.Unflatten(1,(2,4))(lib.ones(2,6)).shape",
    "nn.Flatten()(lib.ones(2,3,4)).shape, nn.Flatten(0)(lib.ones(2,3,4)).shape",
    "nn.Flatten(2,1)(lib.ones(2,3,4)).shape",
    "nn.Hardtanh(2,1)",
    'nn.GELU("x")(lib.ones(2))',
    "nn.Softmax()(lib.ones(2,3))",
    "nn.Softmax(5)(lib.ones(2,3))",
    "nn.PReLU(2)(lib.ones(3,4))",
    "nn.PReLU(2,0.1).weight",
    "nn.PReLU(dtype=lib.float64).weight",
    "nn.MSELoss(size_average=False).reduction",
    "nn.MSELoss(reduce=False).reduction",
    "nn.MSELoss(False, True).reduction",
    "nn.MSELoss(True).reduction",
    "nn.CrossEntropyLoss(lib.ones(3), None, -1, None, 'sum', 0.1)(lib.ones(2,3), lib.tensor([1,-1]))",
    "dict(nn.CrossEntropyLoss(lib.ones(3)).state_dict())",
    "nn.MSELoss(reduction='x')(lib.ones(2),lib.ones(2))",
    "nn.MSELoss()(lib.ones(2),lib.ones(3))",
    "nn.BCELoss()(lib.ones(2)*2,lib.ones(2))",
    "nn.BCEWithLogitsLoss(pos_weight=lib.tensor([2.]))(lib.zeros(3,1),lib.ones(3,1))",
    "nn.HuberLoss(delta=-1)(lib.ones(2),lib.zeros(2))",
    "nn.HuberLoss('sum', 0.5)(lib.ones(2),lib.zeros(2))",
    "nn.SmoothL1Loss(beta=-1.)(lib.ones(2),lib.zeros(2))",
    "nn.SmoothL1Loss(None,None,'mean',0.5)(lib.ones(2),lib.zeros(2))",
    "nn.KLDivLoss(None,None,'batchmean',True)(lib.zeros(2,2),lib.zeros(2,2))",
    "nn.NLLLoss(lib.ones(3), None, 1)(lib.zeros(2,3), lib.tensor([1,2]))",
    "nn.CrossEntropyLoss(weight=3)",
    "nn.CrossEntropyLoss(label_smoothing=2.)(lib.zeros(2,3), lib.tensor([1,2]))",
    "repr(nn.Hardtanh(min_value=1, max_value=2))",
    "repr(nn.Hardtanh(max_value=2))",
    "nn.Softmax2d()(lib.ones(2, 3))",
    "nn.Softmax2d()(lib.ones(1, 2, 3))",
    "repr(nn.RMSNorm(3)), repr(nn.RMSNorm((2, 3), 0.1, False))",
    "nn.RMSNorm(3)(lib.arange(6.0).view(2, 3)).detach()",
    "nn.RMSNorm(3)(lib.ones(2))",
    "repr(nn.ConstantPad1d(1, 2)), repr(nn.ZeroPad2d((1, 2, 3, 4)))",
    "repr(nn.ReflectionPad3d(2)), repr(nn.CircularPad1d((1, 0)))",
    "nn.ConstantPad2d(1, 2.5)(lib.ones(1, 1, 1))",
    "nn.ReflectionPad1d(3)(lib.ones(1, 1, 2))",
    "nn.CircularPad2d((1, 0, 2, 1))(lib.arange(6.0).view(1, 2, 3))",
    "nn.ReplicationPad2d(1)(lib.arange(4.0).view(1, 1, 2, 2))",
    "nn.ZeroPad1d((-1, 1))(lib.ones(2, 3))",
    'nn.HuberLoss(delta="a")',
    "nn.MultiMarginLoss(p=3)",
    "nn.MultiMarginLoss(weight=lib.ones(2, 2))",
    "nn.TripletMarginLoss(margin=0)",
    "nn.TripletMarginWithDistanceLoss(margin=-1)",
    "nn.GaussianNLLLoss(eps=-1)(lib.ones(2), lib.ones(2), lib.ones(2))",
    '[getattr(nn, n)(reduction="sum").reduction for n in ("CosineEmbeddingLoss", "HingeEmbeddingLoss")]',
    "nn.CosineEmbeddingLoss(0.5)(lib.ones(2, 3), lib.ones(2, 3), lib.tensor([1, -1]))",
    "nn.MarginRankingLoss(0.5)(lib.ones(2), lib.zeros(2), lib.tensor([1, -1]))",
    "nn.HingeEmbeddingLoss(2.0)(lib.ones(2), lib.tensor([1, -1]))",
    "nn.PairwiseDistance(1.0, keepdim=True)(lib.ones(2, 3), lib.zeros(2, 3))",
    "nn.CosineSimilarity(0)(lib.ones(2, 3), lib.ones(2, 3))",
    "repr(nn.PairwiseDistance()), repr(nn.CosineSimilarity()), repr(nn.TripletMarginWithDistanceLoss())",
    "[repr(d(0.3)) for d in (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)]",
    "nn.Dropout2d(0.5)(lib.ones(2, 8, 1, 1))",
    "nn.AlphaDropout(0.5)(lib.ones(20))",
    'nn.GELU("tanh")(lib.ones(2)), repr(nn.GELU())',
]
FUNCTIONS = [
    "nn.init.kaiming_uniform_(lib.empty(0,2))",
    "nn.init.kaiming_normal_(lib.empty(2,0))",
    "nn.init.kaiming_uniform_(lib.empty(2,2), mode='x')",
    "nn.init.kaiming_uniform_(lib.empty(2,2), mode='FAN_OUT')",
    "nn.init.kaiming_uniform_(lib.empty(2,2), nonlinearity='gelu')",
    "nn.init.kaiming_uniform_(lib.empty(2,2), a='x')",
    "nn.init.kaiming_uniform_(lib.empty(2,2), a=True)",
    "nn.init.kaiming_uniform_(lib.empty(2))",
    "nn.init.xavier_uniform_(lib.empty(0,0))",
    "nn.init.xavier_uniform_(lib.empty(2))",
    "nn.init.xavier_normal_(lib.empty(2,2,3))",
    "nn.init.xavier_normal_(lib.empty(2,2), gain=-1)",
    "nn.init.uniform_(lib.empty(2), 3, 1)",
    "nn.init.normal_(lib.empty(2), 3, -1)",
    "nn.init.normal_(lib.empty(2,2,requires_grad=True), 3, 1)",
    "nn.init.uniform_(lib.empty(2,dtype=lib.int64))",
    "nn.init.normal_(lib.empty(2,dtype=lib.int64))",
    "nn.init.constant_(lib.empty(2,dtype=lib.int64), 2.5)",
    "nn.init.ones_(lib.empty(2,requires_grad=True))",
    "nn.init.zeros_(lib.empty(2,dtype=lib.int64))",
    "nn.init.eye_(lib.empty(2,3,dtype=lib.float64))",
    "nn.init.eye_(lib.empty(2))",
    "nn.init.dirac_(lib.empty(2,2))",
    "nn.init.dirac_(lib.empty(3,2,2), 2)",
    "nn.init.dirac_(lib.empty(4,2,3), 2)",
    "nn.init.dirac_(lib.empty(4,2,3,3,2,requires_grad=True))",
    "nn.init.orthogonal_(lib.empty(2))",
    "nn.init.orthogonal_(lib.empty(0,2))",
    "nn.init.orthogonal_(lib.empty(3,2,dtype=lib.int64))",
    "nn.init.sparse_(lib.empty(3), 0.1)",
    "nn.init.sparse_(lib.empty(5,3), 0.5)",
    "nn.init.sparse_(lib.empty(5,3), 0.0)",
    "nn.init.sparse_(lib.empty(5,3), 1.0)",
    "nn.init.trunc_normal_(lib.empty(20), 5.0, 1.0)",
    "nn.init.trunc_normal_(lib.empty(20), 0.0, 1.0, 2.0, 1.0)",
    "nn.init.trunc_normal_(lib.empty(20), 0.0, 0.0)",
    "nn.init.trunc_normal_(lib.empty(20), 0.0, 0.02)",
    "nn.init.trunc_normal_(lib.empty(20,dtype=lib.float64), 1, 2, 0, 5)",
    "nn.init.trunc_normal_(lib.empty(20), 0.0, 1.0, 2.5, 3.0)",
    "nn.init.calculate_gain('x')",
    "nn.init.calculate_gain('leaky_relu', 'a')",
    "nn.init.calculate_gain('leaky_relu', True)",
    "nn.init.calculate_gain('leaky_relu', 2)",
    "nn.init.calculate_gain('tanh', 2)",
    "nn.init.constant(lib.empty(2), 2.)",
    "nn.init.normal(lib.empty(20), 2., 3)",
    "nn.init.uniform(lib.empty(20))",
    "nn.init.xavier_normal(lib.empty(20,3))",
    "nn.init.xavier_uniform(lib.empty(20,3))",
    "nn.init.kaiming_normal(lib.empty(20,3))",
    "nn.init.kaiming_uniform(lib.empty(20,3))",
    "nn.init.orthogonal(lib.empty(4,3))",
    "nn.init.sparse(lib.empty(4,3),0.1)",
    "nn.init.dirac(lib.empty(4,3,2))",
    "nn.init.eye(lib.empty(4,3))",
    "nn.init._calculate_fan_in_and_fan_out(lib.empty(4,3,2))",
    "nn.init._calculate_fan_in_and_fan_out(lib.empty(4))",
    "nn.init._calculate_correct_fan(lib.empty(4,3,2),'fan_out')",
    "nn.init.normal_(lib.empty(20), generator=lib.Generator().manual_seed(3))",
    "nn.init.xavier_uniform_(lib.empty(20,2), generator=lib.Generator().manual_seed(3))",
    "nn.init.trunc_normal_(lib.empty(20), generator=lib.Generator().manual_seed(3))",
    "nn.init.orthogonal_(lib.empty(5,2), generator=lib.Generator().manual_seed(3))",
    "nn.init.sparse_(lib.empty(5,2), 0.2, generator=lib.Generator().manual_seed(3))",
    "nn.init.kaiming_normal_(lib.empty(5,2), generator=lib.Generator().manual_seed(3))",
    "nn.utils.clip_grad_norm_([], 1.0)",
    "nn.utils.get_total_norm([])",
    "nn.utils.get_total_norm([lib.ones(3), lib.ones(2,2)])",
    "nn.utils.get_total_norm([lib.ones(3), lib.ones(2,2)], float('inf'))",
    "nn.utils.get_total_norm([lib.ones(3), lib.ones(2,2)], 0)",
    "nn.utils.get_total_norm([lib.ones(3), lib.ones(2,2)*float('nan')], 2.0, True)",
    "nn.utils.get_total_norm([lib.ones(3), lib.ones(2,2).double()])",
    "nn.utils.get_total_norm(lib.ones(3,2))",
    "nn.utils.get_total_norm([lib.tensor([1,2])])",
    "nn.utils.clip_grad_norm_(lib.ones(3), 'a')",
    "nn.utils.clip_grad_norm_(3, 1.0)",
    "nn.utils.clip_grad_value_(3, 1.0)",
    "nn.utils.parameters_to_vector([])",
    "nn.utils.parameters_to_vector([lib.ones(2,2), lib.zeros(3)])",
    "nn.utils.parameters_to_vector(3)",
    "nn.utils.vector_to_parameters(3, [lib.ones(2)])",
    "nn.utils.vector_to_parameters(lib.ones(5), [lib.ones(2)])",
    "nn.utils.vector_to_parameters(lib.ones(1), [lib.ones(2)])",
    "nn.utils.parameters_to_vector([lib.ones(2,3).t()])",
    "nn.utils.clip_grad_norm_((p for p in []), 1.0)",
    "nn.utils.clip_grad_norm([], 1.0)",
]
ACTIVATIONS = [
    *("CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid"),
    *("LogSoftmax", "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmax2d", "Softmin"),
    *("Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink"),
]


@pytest.mark.parametrize("expression", LAYERS + FUNCTIONS)
def test_expression_is_torchs(expression: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        yield warned(lambda: attempt(lambda: eval(expression, {"lib": lib, "nn": lib.nn})))

    agree(program)


@pytest.mark.parametrize("args", [(), (2.0,), (1, 3), (0.5, 2.0, True), (True,), ("tanh",)], ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_prints_and_keeps_what_torchs_does(name: str, args: Any) -> None:
    def program(lib: Any) -> Iterator[Any]:
        made = attempt(lambda: getattr(lib.nn, name)(*args))
        if isinstance(made, str):  # how many arguments there may be is told in Python's words, with the base's name
            yield made.split(":")[0]
            return
        yield repr(made)
        yield sorted((k, v) for k, v in made.__dict__.items() if not k.startswith("_"))

    agree(program)


def test_activation_signatures_are_torchs() -> None:
    import inspect

    for name in ACTIVATIONS:
        found, expected = (inspect.signature(getattr(lib.nn, name)).parameters for lib in (npg, torch))
        if "args" in expected:  # PyTorch's without settings have Module's constructor
            expected = {}
        assert list(found) == list(expected), name
        assert [p.default for p in found.values()] == [p.default for p in expected.values()], name


def test_numpygrads_gelu_is_the_tanh_form() -> None:
    x = npg.linspace(-3, 3, 7)
    assert npg.equal(nn.GeLU()(x), nn.GELU("tanh")(x))
    assert repr(nn.GeLU()) == "GeLU(approximate='tanh')"


def test_refusals_of_npgs_own() -> None:
    with pytest.raises(TypeError, match="expected dim to be an int, but found type str"):
        nn.Unflatten("a", (2, 3))
    with pytest.raises(ValueError, match="expected sparse=False, got True"):
        nn.Embedding(2, 2, sparse=True)
    with pytest.raises(TypeError):
        nn.Dropout("a")
    p = [npg.ones(2, requires_grad=True), npg.ones(2, requires_grad=True)]
    with pytest.raises(RuntimeError, match="shape"):
        nn.utils.vector_to_parameters(npg.zeros(3), p)
    assert p[0].tolist() == [1.0, 1.0]


def test_weight_norm_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for dim in (0, 1, -1, None):
            m, seen = warned(lambda: lib.nn.utils.weight_norm(lib.nn.Linear(3, 2), dim=dim))  # noqa: B023
            yield [w for w in seen if "FutureWarning" in w]
            yield dict(m.state_dict()), m.weight.requires_grad
            y = m(lib.ones(1, 3))
            y.sum().backward()
            yield y.detach(), m.weight_g.grad, m.weight_v.grad
            m.weight_g.data.mul_(2)
            yield m(lib.ones(1, 3)).detach()
            yield warned(lambda: attempt(lambda: lib.nn.utils.weight_norm(m)))[0]  # noqa: B023
            lib.nn.utils.remove_weight_norm(m)
            yield dict(m.state_dict()), m(lib.ones(1, 3)).detach()
            yield attempt(lambda: lib.nn.utils.remove_weight_norm(m))  # noqa: B023
        yield warned(lambda: attempt(lambda: lib.nn.utils.weight_norm(lib.nn.Linear(3, 2), "wait")))[0]

    agree(program)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("ndim", range(7))
def test_circular_padding_refuses_ranks_in_torchs_words(dims, ndim):
    same_result_or_error(
        getattr(nn, f"CircularPad{dims}d")(1), getattr(torch.nn, f"CircularPad{dims}d")(1), torch.ones((2,) * ndim)
    )


OLD = {  # what pickles of former versions of PyTorch do not hold
    "AvgPool3d": ((2,), ("padding", "ceil_mode", "count_include_pad")), "Conv2d": ((2, 2, 3), ("padding_mode",)),
    "Upsample": ((3,), ("recompute_scale_factor",)), "Softmax": ((), ("dim",)), "LogSoftmax": ((), ("dim",)),
    "Softmin": ((), ("dim",)),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_state_of_former_versions_is_completed_as_in_torch(name):
    arguments, missing = OLD[name]
    texts = []
    for lib in (nn, torch.nn):
        module = getattr(lib, name)(*arguments)
        state = {key: value for key, value in vars(module).items() if key not in missing}
        old = type(module).__new__(type(module))
        old.__setstate__(state)
        texts.append((repr(old), [getattr(old, key) for key in missing]))
    assert texts[0] == texts[1]


def test_modules_have_the_private_base_classes_that_libraries_ask_for():
    for name in dir(torch.nn):
        theirs, ours = getattr(torch.nn, name), getattr(nn, name, None)
        if not isinstance(theirs, type) or ours is None or not issubclass(theirs, torch.nn.Module):
            continue
        for base in theirs.__mro__:
            if base.__name__[0] == "_" and base.__module__.startswith("torch.nn.modules."):
                room = importlib.import_module(base.__module__.replace("torch", "npg"))
                assert issubclass(ours, getattr(room, base.__name__)), (name, base)
