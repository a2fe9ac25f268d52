# Written by `make conf`.
from snnlab.regularisers.base import Regulariser as Regulariser
from snnlab.regularisers.base_potential import PotentialPenalty as PotentialPenalty
from snnlab.regularisers.pnb import PNB as PNB
from snnlab.regularisers.time_steps import TimeSteps as TimeSteps
