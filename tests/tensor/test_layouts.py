"""Names of other layouts and dtypes, and what strided tensors answer to questions about them."""

import pytest

import npg
from tests.transcripts import check_transcript


def test_strided_tensors_answer_as_pytorchs_do():
    check_transcript(
        """
torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc, torch.jagged
torch.legacy_contiguous_format, torch.ones(2).layout == torch.sparse_coo, torch.ones(2).is_sparse
torch.ones(2).to_dense(), torch.ones(2).to_dense(torch.float64)
torch.ones(2).sparse_dim(), torch.ones(2, 3).dense_dim()
torch.ones(2).is_coalesced()
torch.ones(2).coalesce()
torch.ones(2).indices()
torch.ones(2).values()
torch.ones(2).crow_indices()
torch.ones(2).col_indices()
torch.ones(2).ccol_indices()
torch.ones(2).row_indices()
torch.int4, torch.uint3, torch.bits8, torch.bit, torch.bits16.itemsize, torch.int3.itemsize
torch.uint7.is_signed, torch.int2.is_signed
torch.ones(2, 3).t().dim_order(), torch.ones(2, 3).expand(4, 2, 3).dim_order(), torch.ones(1, 1).dim_order()
x = torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)
x.dim_order(ambiguity_check=[torch.channels_last, torch.contiguous_format])
x.dim_order(ambiguity_check=True)
torch.ones(1, 3).dim_order(ambiguity_check=True)
torch.ones(2, 3).dim_order(ambiguity_check="x")
torch.ones(2, 3, 1, 1).dim_order(ambiguity_check=[torch.channels_last, torch.contiguous_format])
torch.ones(2, 1, 3).transpose(0, 2).dim_order(), torch.ones(3, 2, 1).permute(2, 1, 0).dim_order()
torch.ones(()).dim_order(), torch.ones(0, 3).dim_order()
""",
    )


def test_what_npg_has_no_tensors_of_says_so():
    x = npg.ones(2)
    for make in (x.bfloat16, x.chalf, x.cfloat, x.cdouble, npg.nn.Linear(1, 1).bfloat16):
        with pytest.raises(TypeError, match="npg has no tensors of dtype"):
            make()
    with pytest.raises(RuntimeError, match="npg has strided tensors only, got layout npg.sparse_coo"):
        npg.zeros(2, layout=npg.sparse_coo)
    with pytest.raises(RuntimeError, match="no streams"):
        x.record_stream(npg.Stream())
