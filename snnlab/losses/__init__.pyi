# Written by `make conf`.
from snnlab.losses.base import Loss as Loss
from snnlab.losses.base_pass import PassLoss as PassLoss
from snnlab.losses.base_teacher import TeacherLoss as TeacherLoss
from snnlab.losses.hard_distillation import HardDistillation as HardDistillation
from snnlab.losses.sdt import SDT as SDT
from snnlab.losses.skd import SKD as SKD
from snnlab.losses.tet import TET as TET
from snnlab.losses.tmc import TMC as TMC
from snnlab.losses.twd import TWD as TWD
