"""torch.ops while npg is served as torch, beside the room of npg's own ops."""

import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import run

PROGRAM = """
import torch, torch.library

@torch.library.custom_op("mine::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2

print(torch.ops.mine.twice(torch.ones(2)).tolist(), hasattr(torch.ops.others, "f"))
try:
    torch.ops.load_library("there_is_none.so")
except OSError as error:
    print(str(error)[:52])
x = torch.arange(12.0).reshape(3, 4)
print(torch.cummax(x, 0).values.tolist(), torch.einsum("ij,kj->ik", x, x).tolist())
"""


def test_operators_of_a_program_are_found_and_npgs_own_still_load(tmp_path):
    (tmp_path / "script.py").write_text(PROGRAM)
    expected = run("script.py", folder=tmp_path, npg=False)
    assert expected[0] == 0
    assert run("script.py", folder=tmp_path, npg=True) == expected
