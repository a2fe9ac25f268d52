# Written by `make conf`.
from snnlab.schedulers.base import Schedule as Schedule
from snnlab.schedulers.constant import Constant as Constant
from snnlab.schedulers.cosine import Cosine as Cosine
from snnlab.schedulers.step import Step as Step
