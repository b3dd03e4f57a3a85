"""Constraints of distributions: what they say of values, their attributes, reprs and errors are PyTorch's."""

import pytest
import torch
from torch.distributions import constraints as theirs

import npg
from npg.distributions import constraints as ours

NUMBERS = [-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, float("inf"), float("nan")]
VECTORS = [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25], [1.0, 1.0, 0.0], [2.0, 1.0, 0.0], [-1.0, 1.0, 1.0]]
MATRICES = [
    [[1.0, 0.0], [0.6, 0.8]],
    [[2.0, 0.0], [1.0, 3.0]],
    [[2.0, 1.0], [1.0, 2.0]],
    [[1.0, 2.0], [2.0, 1.0]],
    [[1.0, 1.0], [1.0, 1.0]],
    [[-1.0, 0.0], [0.0, 1.0]],
    [[1.0, 0.5], [0.0, 1.0]],
]
# C is the module of either library.
OF_NUMBERS = """
C.boolean
C.nonnegative_integer
C.positive_integer
C.integer_interval(-1, 2)
C.real
C.positive
C.nonnegative
C.greater_than(0.5)
C.greater_than_eq(0.5)
C.less_than(1.0)
C.unit_interval
C.interval(-1.0, 2.0)
C.half_open_interval(-1.0, 2.0)
C._IntegerLessThan(1)
C.stack([C.positive] * 3 + [C.boolean] * 6)
C.cat([C.positive, C.boolean], lengths=[4, 5])
C.cat([C.real] * 9)
""".strip().splitlines()
OF_VECTORS = """
C.one_hot
C.simplex
C.multinomial(2)
C.real_vector
C.independent(C.positive, 1)
C.stack([C.positive, C.boolean, C.real], dim=-1)
C.MixtureSameFamilyConstraint(C.simplex)
""".strip().splitlines()
OF_MATRICES = """
C.lower_triangular
C.lower_cholesky
C.corr_cholesky
C.square
C.symmetric
C.positive_semidefinite
C.positive_definite
C.independent(C.simplex, 1)
""".strip().splitlines()


def outcomes(text, values):
    """Return what either library says of values: the check, the attributes and the repr, or the error."""
    found = []
    for lib, module in ((npg, ours), (torch, theirs)):
        constraint = eval(text, {"C": module})
        facts = []
        for what in ("c.check(x).tolist()", "(c.is_discrete, c.event_dim)", "repr(c)"):
            try:
                facts.append(eval(what, {"c": constraint, "x": lib.tensor(values)}))
            except (ValueError, RuntimeError, AssertionError, IndexError, NotImplementedError) as error:
                facts.append((type(error).__name__, str(error)))
        found.append(facts)
    return found


@pytest.mark.parametrize("text", OF_NUMBERS)
def test_numbers_are_where_pytorch_has_them(text):
    one, other = outcomes(text, NUMBERS)
    assert one == other


@pytest.mark.parametrize("text", OF_VECTORS)
def test_vectors_are_where_pytorch_has_them(text):
    for values in (VECTORS, VECTORS[1], [VECTORS, VECTORS]):
        one, other = outcomes(text, values)
        assert one == other


@pytest.mark.parametrize("text", OF_MATRICES)
def test_matrices_are_where_pytorch_has_them(text):
    # All together, each alone (a check that fails first may end it), and one that is not square.
    for values in (MATRICES, *MATRICES, [MATRICES[:2]], [[1.0, 2.0, 3.0], [0.0, 1.0, 2.0]]):
        one, other = outcomes(text, values)
        assert one == other


@pytest.mark.parametrize(
    "text",
    [
        "C.dependent.check(1)",
        "C.dependent.event_dim",
        "C.dependent(event_dim=1)(is_discrete=True).event_dim",
        "C.dependent(event_dim=1).is_discrete",
        "C.is_dependent(C.dependent), C.is_dependent(C.real)",
        "C.independent(3, 1)",
        "C.independent(C.real, 1.5)",
        "C.independent(C.real, -1)",
        "C.MixtureSameFamilyConstraint(3)",
        "C.stack([3])",
        "C.cat([C.real], lengths=[1, 2])",
        "C.Constraint().check(1)",
        "type('D', (), {'s': C.dependent_property(lambda self: C.real, event_dim=0)}).s.event_dim",
        "repr(type('D', (), {'s': C.dependent_property(is_discrete=True)(lambda self: C.real)})().s)",
    ],
)
def test_dependent_constraints_and_errors_are_pytorchs(text):
    found = []
    for module in (ours, theirs):
        try:
            found.append(eval(text, {"C": module}))
        except (ValueError, AssertionError, NotImplementedError) as error:
            found.append((type(error).__name__, str(error)))
    assert found[0] == found[1]


def test_all_names_are_there():
    assert sorted(ours.__all__) == sorted(theirs.__all__)
