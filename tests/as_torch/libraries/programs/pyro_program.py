"""pyro: a model with a latent variable, fitted by stochastic variational inference."""

import pyro
import torch
from pyro.distributions import Normal

pyro.set_rng_seed(0)
data = torch.tensor([1.0, 2.0, 3.0])


def model():
    mean = pyro.sample("mean", Normal(0.0, 10.0))
    with pyro.plate("data", 3):
        pyro.sample("x", Normal(mean, 1.0), obs=data)


guide = pyro.infer.autoguide.AutoNormal(model)
svi = pyro.infer.SVI(model, guide, pyro.optim.Adam({"lr": 0.05}), pyro.infer.Trace_ELBO())
for step in range(3):
    print(step, f"{svi.step():.4f}")
