"""torchmetrics: classification, regression, retrieval and text metrics, as functions, modules and collections."""

import warnings

import torch
import torchmetrics
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)
from torchmetrics.regression import MeanSquaredError, PearsonCorrCoef, R2Score, SpearmanCorrCoef
from torchmetrics.retrieval import RetrievalMAP, RetrievalNormalizedDCG

torch.manual_seed(0)
warnings.simplefilter("ignore")


def show(result):
    if isinstance(result, dict):
        return {name: show(value) for name, value in result.items()}
    return [f"{v:.5f}" for v in result.flatten().tolist()]


collection = MetricCollection(
    [kind(num_classes=4) for kind in (MulticlassAccuracy, MulticlassPrecision, MulticlassRecall, MulticlassF1Score)]
    + [MulticlassAUROC(num_classes=4), MulticlassConfusionMatrix(num_classes=4)]
)
regression = MetricCollection([MeanSquaredError(), R2Score(), PearsonCorrCoef(), SpearmanCorrCoef()])
mean = MeanMetric()
for _ in range(3):
    scores, target = torch.randn(16, 4).softmax(-1), torch.randint(4, (16,))
    collection.update(scores, target)
    regression.update(scores[:, 0], scores[:, 1] + 0.1)
    mean(scores.max())
print(show(collection.compute()))
print(show(regression.compute()), show(mean.compute()))
collection.reset()
print(show(collection(scores, target)))
indexes = torch.tensor([0, 0, 0, 1, 1, 1])
scores, relevant = torch.rand(6), torch.tensor([True, False, True, False, True, False])
print(show(RetrievalMAP()(scores, relevant, indexes)), show(RetrievalNormalizedDCG()(scores, relevant, indexes)))
print(show(torchmetrics.functional.accuracy(torch.tensor([1, 2]), torch.tensor([1, 0]), "multiclass", num_classes=3)))
print(show(torchmetrics.text.WordErrorRate()(["a b c"], ["a b d"])), collection)
