"""Optimizers and learning-rate schedules."""

from npg.optim import lr_scheduler
from npg.optim.adagrad import Adagrad
from npg.optim.adam import Adam, AdamW
from npg.optim.optimizer import Optimizer
from npg.optim.rmsprop import RMSprop
from npg.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
