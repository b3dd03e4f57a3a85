"""torchmetrics: metrics of every domain that needs no other library, as functions, modules, collections, wrapped.

Without those of clusters by two labellings, which count in sparse tensors, and bootstraps of torch.distributions.
"""

import pickle
import warnings

import torch
import torchmetrics
from torchmetrics import (
    MeanMetric,
    MetricCollection,
    audio,
    classification,
    clustering,
    functional,
    image,
    nominal,
    segmentation,
    text,
    wrappers,
)
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

# ----- Two classes, several labels, calibration, curves -----

labels, chances = torch.randint(2, (40,)), torch.rand(40)
for metric in (
    classification.BinaryAccuracy(),
    classification.BinaryAUROC(thresholds=20),
    classification.BinaryAveragePrecision(),
    classification.BinaryCalibrationError(n_bins=5),
    classification.BinaryMatthewsCorrCoef(),
    classification.BinaryCohenKappa(),
    classification.BinaryFBetaScore(0.5),
    classification.BinaryConfusionMatrix(normalize="true"),
):
    for part in range(4):
        metric.update(chances[part::4], labels[part::4])
    print(metric, show(metric.compute()))
print([show(x) for x in classification.BinaryROC(thresholds=5)(chances, labels)])
print([show(x) for x in classification.BinaryPrecisionRecallCurve()(chances[:6], labels[:6])])
several, marks = torch.rand(12, 3), torch.randint(2, (12, 3))
for kind in ("MultilabelF1Score", "MultilabelRankingAveragePrecision", "MultilabelHammingDistance"):
    print(kind, show(getattr(classification, kind)(num_labels=3)(several, marks)))

# ----- Images -----

images = torch.rand(2, 3, 48, 48)
noisy = (images + 0.1 * torch.randn_like(images)).clamp(0, 1)
for metric in (
    image.PeakSignalNoiseRatio(data_range=1.0),
    image.StructuralSimilarityIndexMeasure(data_range=1.0),
    image.UniversalImageQualityIndex(),
    image.TotalVariation(),
    image.ErrorRelativeGlobalDimensionlessSynthesis(),
    image.SpectralAngleMapper(),
):
    single = isinstance(metric, image.TotalVariation)
    print(type(metric).__name__, show(metric(noisy / 1000) if single else metric(noisy, images)))
x = images.clone().requires_grad_()
functional.image.structural_similarity_index_measure(x, noisy, data_range=1.0).backward()
print(f"{x.grad.abs().sum().item():.4f}", [show(g.mean()) for g in functional.image.image_gradients(images)])
masks = torch.randint(3, (2, 3, 16, 16)).clamp(max=1)
print(show(segmentation.MeanIoU(3)(masks, masks.roll(1, -1))), show(segmentation.DiceScore(3)(masks, masks.flip(1))))

# ----- Clusters, associations, signals -----

groups, others = torch.randint(3, (30,)), torch.randint(3, (30,))
for metric in (nominal.CramersV(3), nominal.TheilsU(3), nominal.TschuprowsT(3)):
    print(metric, show(metric(groups, others)))
points = torch.rand(30, 2) + groups[:, None]
for metric in (clustering.CalinskiHarabaszScore(), clustering.DaviesBouldinScore()):
    print(metric, show(metric(points, groups)))
sound = torch.randn(2, 200)
heard = sound + 0.3 * torch.randn(2, 200)
print(show(audio.ScaleInvariantSignalDistortionRatio()(heard, sound)), show(audio.SignalNoiseRatio()(heard, sound)))

# ----- Text -----

said, meant = ["the cat sat on the mat", "a dog"], [["a cat sat on the mat"], ["the dog", "a dog"]]
print(
    show(text.BLEUScore(2)(said, meant)),
    show(text.CHRFScore()(said, meant)),
    show(text.CharErrorRate()(["abc"], ["ab"])),
)
print(
    show(text.Perplexity()(torch.randn(2, 5, 7), torch.randint(7, (2, 5)))), show(text.EditDistance()(["ab"], ["cb"]))
)

# ----- Around a metric -----

tracker = wrappers.MetricTracker(MulticlassAccuracy(num_classes=4))
for _ in range(3):
    tracker.increment()
    tracker.update(torch.randint(4, (20,)), torch.randint(4, (20,)))
best, step = tracker.best_metric(return_step=True)
print(show(tracker.compute_all()), f"{best:.5f}", step)
print(show(wrappers.ClasswiseWrapper(MulticlassRecall(num_classes=3, average=None))(groups, others)))
print(
    show(
        wrappers.BootStrapper(MeanSquaredError(), num_bootstraps=5, sampling_strategy="multinomial")(
            chances, labels.float()
        )
    )
)
print(show(wrappers.MinMaxMetric(MeanSquaredError())(chances, labels.float())))
print(show(wrappers.MultioutputWrapper(MeanSquaredError(), 3)(several, marks.float())))
both = MeanSquaredError() + 2 * MeanSquaredError()
both.update(chances, labels.float())
print(both, show(both.compute()))
kept = torchmetrics.CatMetric()
kept.persistent(True)
kept.update(torch.tensor([1.0, 2.0]))
again = torchmetrics.CatMetric()
again.persistent(True)
again.load_state_dict(kept.state_dict())
print(show(again.compute()), show(pickle.loads(pickle.dumps(mean)).compute()), show(mean.clone().compute()))
