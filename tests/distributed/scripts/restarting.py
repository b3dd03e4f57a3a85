"""Train in several processes with checkpoints; rank 1 dies in the first two starts if told so.

Rank 0 writes the loss of each step to a file, with all its digits, and in the end the sum of the parameters.
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

folder, dies = Path(sys.argv[1]), sys.argv[2] == "dies"
folder.mkdir(exist_ok=True)
start = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
data = TensorDataset(torch.randn(48, 5), torch.randn(48, 1))
model = DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)))
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
sampler = DistributedSampler(data, seed=3)
first, path = 0, folder / "last.pt"
if path.exists():
    found = torch.load(path)
    model.load_state_dict(found["model"])
    optimizer.load_state_dict(found["optimizer"])
    first = found["epoch"]
for epoch in range(first, 8):
    sampler.set_epoch(epoch)
    for step, (x, y) in enumerate(DataLoader(data, 4, sampler=sampler)):
        if dies and rank == 1 and start < 2 and (epoch, step) == (3 * start + 2, 1):
            os._exit(7)
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        total = loss.detach().clone()
        dist.all_reduce(total)
        if rank == 0:
            with open(folder / "losses.txt", "a") as file:
                file.write(f"{epoch} {step} {total.item()!r}\n")
    if rank == 0:
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}, f"{path}.part"
        )
        os.replace(f"{path}.part", path)
    dist.barrier()
print(rank, sum(p.double().sum().item() for p in model.parameters()))
