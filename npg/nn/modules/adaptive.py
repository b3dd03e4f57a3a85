"""A softmax over many classes in clusters by frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from npg._words import size_text
from npg.functional._public import public_function
from npg.functional.joining import cat
from npg.nn import functional as F
from npg.nn.modules.container import ModuleList, Sequential
from npg.nn.modules.linear import Linear
from npg.nn.modules.module import Module
from npg.tensor import Tensor


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probabilities of target classes, the frequent ones in a head, others in clusters of fewer features.

    Args:
        in_features: the size of an input. n_classes: the number of classes, sorted by falling frequency.
        cutoffs: where the clusters begin, ascending from 1 to n_classes - 1; the classes before are the head's own.
        div_value: cluster i projects the input to in_features / div_value^(i + 1) features.
        head_bias: whether the head has a bias.
    Attributes:
        head: a Linear to the first classes and one logit for each cluster.
        tail: for each cluster two Linears without bias.
    Raises: ValueError: for other cutoffs.
    Source: Grave et al., Efficient softmax approximation for GPUs, 2017; torch.nn.AdaptiveLogSoftmaxWithLoss.
    """

    @public_function
    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        ascending = all(a < b for a, b in zip(cutoffs, cutoffs[1:], strict=False))
        if not ascending or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1 or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            features = int(in_features // div_value ** (i + 1))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, features, bias=False, device=device, dtype=dtype),
                    Linear(features, classes, bias=False, device=device, dtype=dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for linear in cluster:
                linear.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """Return the log-probability of each target, and the mean of their negatives.

        Args:
            input_: (N, in_features) or (in_features,). target_: (N,) or () class indices.
        Raises: RuntimeError: when the shapes do not fit, or a target is no class.
        """
        if target_.dim() == 1:
            if input_.size(0) != target_.size(0):
                raise RuntimeError("Input and target should have the same size in the batch dimension.")
            if input_.dim() != 2:
                raise RuntimeError(
                    f"1D target tensor expects 2D input tensors, but found inputs with size {size_text(input_.shape)}"
                )
        elif target_.dim() == 0:
            if input_.dim() != 1:
                raise RuntimeError(
                    f"0D target tensor expects 1D input tensors, but found inputs with size {size_text(input_.shape)}"
                )
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        is_batched = target_.dim() > 0
        x, target = (input_, target_) if is_batched else (input_.unsqueeze(0), target_.unsqueeze(0))
        if not bool(((target >= 0) & (target < self.n_classes)).all()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output = x.new_zeros(target.size(0))
        of_head = target.clone()  # the class in the head: its own, or the target's cluster
        for i, (low, high) in enumerate(zip(self.cutoffs[:-1], self.cutoffs[1:], strict=True)):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if not rows.numel():
                continue
            log_p = F.log_softmax(self.tail[i](x.index_select(0, rows)), dim=1)
            local = log_p.gather(1, (target.index_select(0, rows) - low).unsqueeze(1))
            of_head.index_fill_(0, rows, self.shortlist_size + i)
            output = output.index_copy(0, rows, local.squeeze(1))
        log_p = F.log_softmax(self.head(x), dim=1)
        output = output + log_p.gather(1, of_head.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if is_batched else output.squeeze(0), loss)

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, given the head's output."""
        log_p = F.log_softmax(head_output, dim=1)
        parts = [log_p[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            within = F.log_softmax(cluster(input), dim=1)
            parts.append(within + log_p[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, (N, n_classes), for an input (N, in_features)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Any:
        """Return the most probable class of each row, (N,), for an input (N, in_features)."""
        head_output = self.head(input)
        output = head_output.argmax(dim=1)
        rest = output >= self.shortlist_size
        if rest.any():
            log_p = self._get_full_log_prob(input[rest], head_output[rest])
            output[rest] = log_p.argmax(dim=1)
        return output
