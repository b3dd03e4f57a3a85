"""gpytorch: exact regression with a Gaussian process."""

import gpytorch
import torch


class Model(gpytorch.models.ExactGP):
    def __init__(self, x, y, likelihood):
        super().__init__(x, y, likelihood)
        self.mean = gpytorch.means.ConstantMean()
        self.kernel = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

    def forward(self, x):
        return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))


x = torch.linspace(0, 1, 20)
y = torch.sin(6 * x)
likelihood = gpytorch.likelihoods.GaussianLikelihood()
model = Model(x, y, likelihood)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
loss = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
for step in range(3):
    optimizer.zero_grad()
    value = -loss(model(x), y)
    value.backward()
    optimizer.step()
    print(step, f"{value.item():.4f}")
