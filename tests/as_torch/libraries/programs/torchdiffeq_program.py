"""torchdiffeq: adaptive and fixed-step solvers, gradients by both ways, events, a network that is trained."""

import torch
from torchdiffeq import odeint, odeint_adjoint, odeint_event

torch.manual_seed(0)


class Pendulum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.damping = torch.nn.Parameter(torch.tensor(0.1, dtype=torch.float64))

    def forward(self, t, y):
        angle, speed = y[..., 0], y[..., 1]
        return torch.stack([speed, -torch.sin(angle) - self.damping * speed], -1)


model = Pendulum()
y0 = torch.tensor([[1.0, 0.0], [0.5, -0.2]], dtype=torch.float64)
t = torch.linspace(0.0, 4.0, 5, dtype=torch.float64)
for method in ("dopri5", "dopri8", "bosh3", "adaptive_heun", "fehlberg2"):
    y = odeint(model, y0, t, method=method)
    print(method, [f"{v:.7f}" for v in y[-1].flatten().tolist()])
for method in ("euler", "midpoint", "rk4", "heun3", "explicit_adams", "implicit_adams"):
    y = odeint(model, y0, t, method=method, options={"step_size": 0.05})
    print(method, [f"{v:.7f}" for v in y[-1].flatten().tolist()])
for solve in (odeint, odeint_adjoint):
    model.zero_grad()
    loss = solve(model, y0, t, rtol=1e-9, atol=1e-9)[-1].pow(2).sum()
    loss.backward()
    print(solve.__name__, round(loss.item(), 8), round(model.damping.grad.item(), 7))
start = torch.tensor(0.0, dtype=torch.float64)
event_t, states = odeint_event(model, y0[0], start, event_fn=lambda t, y: y[0], rtol=1e-8, atol=1e-8)
print("event", round(event_t.item(), 7), tuple(states.shape))
net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2)).double()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(4):
    optimizer.zero_grad()
    loss = (odeint(lambda t, y: net(y), y0, t, method="rk4") - 0.5).abs().mean()
    loss.backward()
    optimizer.step()
    print(step, round(loss.item(), 8))
