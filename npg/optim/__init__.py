"""Optimizers and learning-rate schedules."""

from npg.optim import lr_scheduler, swa_utils
from npg.optim.adadelta import Adadelta
from npg.optim.adagrad import Adagrad
from npg.optim.adam import Adam, AdamW
from npg.optim.lbfgs import LBFGS
from npg.optim.optimizer import Optimizer
from npg.optim.radam import RAdam
from npg.optim.rmsprop import RMSprop
from npg.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
    "swa_utils",
]
