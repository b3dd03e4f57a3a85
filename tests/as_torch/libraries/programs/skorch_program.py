"""skorch: classifiers and regressors of networks in scikit-learn's pipelines, callbacks, grid search, history."""

import warnings

import numpy as np
import torch
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import EarlyStopping, EpochScoring, GradientNormClipping, LRScheduler
from skorch.helper import predefined_split
from skorch.utils import to_numpy, to_tensor

warnings.simplefilter("ignore")
X, y = make_classification(200, 10, n_informative=5, random_state=0)
X, y = X.astype(np.float32), y.astype(np.int64)


class Network(torch.nn.Module):
    def __init__(self, units=16, outputs=2, inputs=10):
        super().__init__()
        self.hidden = torch.nn.Linear(inputs, units)
        self.output = torch.nn.Linear(units, outputs)

    def forward(self, X):
        return self.output(torch.relu(self.hidden(X))).squeeze(-1)


def seeded(kind, **settings):
    torch.manual_seed(0)
    return kind(Network, max_epochs=5, lr=0.1, verbose=0, **settings)


net = seeded(
    NeuralNetClassifier,
    criterion=torch.nn.CrossEntropyLoss,
    iterator_train__shuffle=True,
    callbacks=[
        EpochScoring("roc_auc", lower_is_better=False),
        EarlyStopping(patience=3),
        GradientNormClipping(1.0),
        LRScheduler("StepLR", step_size=2),
    ],
)
net.fit(X, y)
print([[f"{row[name]:.4f}" for name in ("train_loss", "valid_loss", "valid_acc", "roc_auc")] for row in net.history])
print(net.predict(X[:8]), net.predict_proba(X[:2]).round(4).tolist(), f"{net.score(X, y):.3f}")
print(type(net.module_).__name__, sorted(net.get_params_for("optimizer")), net.initialized_)

pipeline = make_pipeline(StandardScaler(), seeded(NeuralNetClassifier, criterion=torch.nn.CrossEntropyLoss))
print(cross_val_score(pipeline, X, y, cv=3, scoring="accuracy").round(3).tolist())
torch.manual_seed(0)
search = GridSearchCV(
    seeded(NeuralNetClassifier, criterion=torch.nn.CrossEntropyLoss, train_split=False),
    {"lr": [0.01, 0.1], "module__units": [4, 8]},
    cv=2,
)
print(search.fit(X, y).best_params_, f"{search.best_score_:.3f}")

binary = seeded(NeuralNetBinaryClassifier, module__outputs=1).fit(X, y.astype(np.float32))
print(f"{binary.score(X, y):.3f}", f"{binary.history[-1, 'train_loss']:.4f}")
Xr, yr = make_regression(100, 10, random_state=0)
regressor = seeded(NeuralNetRegressor, module__outputs=1, optimizer=torch.optim.Adam)
regressor.fit(Xr.astype(np.float32), (yr / 100).astype(np.float32))
print([f"{loss:.4f}" for loss in regressor.history[:, "train_loss"]])
print(to_tensor({"a": np.ones(2)}, "cpu"), to_numpy(torch.ones(2)), predefined_split is not None)
net.partial_fit(X, y)
net.set_params(lr=0.01, module__units=4)
print(len(net.history), net.lr)
