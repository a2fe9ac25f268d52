# Written by `make conf`.
from snnlab.norms.base import BatchNorm as BatchNorm
from snnlab.norms.base import BatchNormOverTime as BatchNormOverTime
from snnlab.norms.bn import BN as BN
from snnlab.norms.shift import Shift as Shift
from snnlab.norms.tdbn import TDBN as TDBN
from snnlab.norms.tebn import TEBN as TEBN
