"""einops: rearrange, reduce, repeat, einsum, pack, layers in a network that trains, errors."""

import torch
from einops import EinopsError, asnumpy, einsum, pack, parse_shape, rearrange, reduce, repeat, unpack
from einops.layers.torch import EinMix, Rearrange, Reduce

torch.manual_seed(0)
x = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4)

print(rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2).shape)
print(rearrange([x, x + 1], "n b c h w -> (n b) c h w").sum())
for how in ("mean", "max", "min", "sum", "prod"):
    print(how, reduce(x / 10, "b c h w -> b c", how)[0])
print(reduce(x.bool(), "b c h w -> b", "any"), reduce(x > 3, "b c h w -> b c", "all"))
print(repeat(x[0, 0], "h w -> h (w n)", n=2)[0])
print(einsum(x, x, "b c h w, b d h w -> b c d")[0])
packed, shapes = pack([x, x[:, :1, 0, 0]], "b *")
print(packed.shape, shapes, [part.shape for part in unpack(packed, shapes, "b *")])
print(parse_shape(x, "b _ h w"), type(asnumpy(x)).__name__)

model = torch.nn.Sequential(
    Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2),
    EinMix("b t c -> b t d", weight_shape="c d", bias_shape="d", c=12, d=8),
    torch.nn.GELU(),
    Reduce("b t d -> b d", "mean"),
    torch.nn.Linear(8, 2),
)
print(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(3):
    loss = torch.nn.functional.cross_entropy(model(x / x.max()), torch.tensor([0, 1]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.5f}")
print(list(model.state_dict()))

for wrong in ("b c h -> b c", "b c h w -> b c h w x", "b c (h 3) w -> b c h w"):
    try:
        rearrange(x, wrong)
    except EinopsError as error:
        print(error)
