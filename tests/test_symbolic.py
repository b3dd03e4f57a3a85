"""Functions of sizes that are symbols under PyTorch's compiler."""

import pytest

import npg
from tests.transcripts import check_transcript


def test_functions_do_on_numbers_what_pytorchs_do():
    check_transcript("""
torch.sym_int(True), torch.sym_int(-3.7), torch.sym_int("3")
torch.sym_int("x")
torch.sym_float("x")
torch.sym_max("a", 1)
torch.sym_max(1, float("nan")), torch.sym_max(True, 2), torch.sym_min(1, 2.5), torch.sym_not(3)
torch.sym_ite(1, 2, 3)
torch.sym_ite(True, 2, 3.0)
torch.sym_ite(False, 2, 3)
torch.sym_sum((1, 2, 3)), torch.sym_sum([]), torch.sym_sqrt(2), torch.sym_fresh_size(2)
isinstance(3, torch.SymInt), torch.SymInt.__name__, torch.SymFloat.__name__, torch.SymBool.__name__
""")


def test_there_are_no_symbols():
    for kind in (npg.SymInt, npg.SymFloat, npg.SymBool):
        with pytest.raises(TypeError, match="sizes are numbers in npg"):
            kind(3)
