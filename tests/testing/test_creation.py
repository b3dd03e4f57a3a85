"""npg.testing.make_tensor: PyTorch's numbers."""

from tests.transcripts import check_transcript

LINES = """
M = torch.testing.make_tensor
torch.manual_seed(0); M(3,dtype=torch.float32,device="cpu")
M(3,dtype=torch.float32,device="cpu")
M((2,3),dtype=torch.float64,device="cpu")
M(3,dtype=torch.int64,device="cpu")
M(3,dtype=torch.uint8,device="cpu")
M(3,dtype=torch.bool,device="cpu")
M(3,dtype=torch.int8,device="cpu",low=-3,high=3)
M(3,dtype=torch.float32,device="cpu",low=0,high=1)
M(3,dtype=torch.float16,device="cpu")
M(3,dtype=torch.float32,device="cpu",low=1,high=0)
M(3,dtype=torch.float32,device="cpu",low=1,high=1)
M(3,dtype=torch.float32,device="cpu",low=float("nan"),high=1)
M(3,dtype=torch.int64,device="cpu",low=0.5,high=3.5)
M(3,dtype=torch.bool,device="cpu",low=0,high=1)
M(3,dtype=torch.bool,device="cpu",low=3,high=4)
M(3,dtype=torch.float32,device="cpu",requires_grad=True)
M(3,dtype=torch.int64,device="cpu",requires_grad=True)
M(2,3,dtype=torch.float32,device="cpu",noncontiguous=True)
M(2,3,dtype=torch.float32,device="cpu",noncontiguous=True).stride()
M(1,dtype=torch.float32,device="cpu",noncontiguous=True).stride()
M(2,2,2,2,dtype=torch.float32,device="cpu",memory_format=torch.channels_last).stride()
M(2,2,2,2,dtype=torch.float32,device="cpu",memory_format=torch.channels_last,noncontiguous=True)
M(8,dtype=torch.int64,device="cpu",low=0,high=2,exclude_zero=True)
M(8,dtype=torch.bool,device="cpu",exclude_zero=True)
M(8,dtype=torch.float32,device="cpu",low=0,high=1,exclude_zero=True)
M((),dtype=torch.float32,device="cpu")
M(0,dtype=torch.float32,device="cpu")
M([2,3],dtype=torch.int32,device="cpu")
M(torch.Size([2]),dtype=torch.int16,device="cpu")
M(3,dtype=torch.int64,device="cpu",low=-2**70,high=5)
M(3,dtype=torch.uint8,device="cpu",low=-5,high=300)
M(3,dtype=torch.float32,device="cuda")
M(3,dtype=torch.int64,device="cpu",low=0.2,high=0.7)
M(3,dtype=torch.float32,device="cpu",low=-float("inf"),high=1)
M(20,dtype=torch.float32,device="cpu")
torch.rand(1)
"""


def test_tensors_are_pytorchs():
    check_transcript(LINES)
