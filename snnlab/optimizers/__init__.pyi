# Written by `make conf`.
from snnlab.optimizers.adam import Adam as Adam
from snnlab.optimizers.adamw import AdamW as AdamW
from snnlab.optimizers.base import HasOptimizerGroups as HasOptimizerGroups
from snnlab.optimizers.base import Own as Own
from snnlab.optimizers.lamb import Lamb as Lamb
from snnlab.optimizers.sgd import SGD as SGD
