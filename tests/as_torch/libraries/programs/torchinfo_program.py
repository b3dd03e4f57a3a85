"""torchinfo: summaries of networks."""

import torch
from torchinfo import ModelStatistics, summary

model = torch.nn.Sequential(
    torch.nn.Linear(8, 16),
    torch.nn.ReLU(),
    torch.nn.Sequential(torch.nn.LayerNorm(16), torch.nn.Dropout(0.1), torch.nn.Linear(16, 4)),
)
print(summary(model, verbose=0))
columns = ("input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds", "trainable")
statistics = summary(
    model, input_size=(2, 8), col_names=columns, depth=2, row_settings=("var_names", "depth"), verbose=0
)
print(statistics)
print(isinstance(statistics, ModelStatistics), statistics.total_params, statistics.total_mult_adds)
model[0].weight.requires_grad_(False)
print(summary(model, input_data=torch.ones(2, 8), col_names=("num_params", "trainable"), verbose=0))
print(summary(torch.nn.MultiheadAttention(8, 2), input_size=[(3, 2, 8)] * 3, verbose=0))
try:
    summary(model, input_size=(2, 3), verbose=0)
except RuntimeError as error:
    print(error)
