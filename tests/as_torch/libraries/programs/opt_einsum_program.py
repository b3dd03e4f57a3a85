"""opt_einsum: contractions along optimal paths, expressions that are used again, gradients, paths without tensors."""

import opt_einsum as oe
import torch

torch.manual_seed(0)
a, b, c = (torch.randn(shape, dtype=torch.float64) for shape in ((3, 4), (4, 5), (5, 6)))

for optimize in ("auto", "optimal", "greedy", "branch-2", "dp", "random-greedy"):
    y = oe.contract("ij,jk,kl->il", a, b, c, optimize=optimize)
    print(optimize, tuple(y.shape), f"{y.sum().item():.10f}", f"{(y - a @ b @ c).abs().max().item() < 1e-12}")

path, info = oe.contract_path("ij,jk,kl->il", a, b, c)
print(path)
print(info)

expression = oe.contract_expression("bij,bjk->bik", (2, 3, 4), (2, 4, 5))
x, w = torch.randn(2, 3, 4, requires_grad=True), torch.randn(2, 4, 5, requires_grad=True)
expression(x, w).pow(2).sum().backward()
print([f"{g.abs().sum().item():.2f}" for g in (x.grad, w.grad)])
print(oe.contract_expression("ij,jk->ik", a, (4, 5), constants=[0])(b).sum().item().__format__(".10f"))
print(oe.contract("...ij,...jk->...ik", x, w).shape, oe.contract("ii->i", a[:, :3]).shape, oe.contract("ab->", a).shape)
print(oe.contract(a, [0, 1], b, [1, 2], [0, 2]).sum().item().__format__(".10f"))
with oe.shared_intermediates():
    print(f"{(oe.contract('ij,jk,kl->il', a, b, c) + oe.contract('ij,jk->ik', a, b).sum()).sum().item():.9f}")
