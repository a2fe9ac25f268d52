# Written by `make conf`.
from snnlab.augments.autoaugment import AutoAugment as AutoAugment
from snnlab.augments.base import Augment as Augment
from snnlab.augments.base import Mixes as Mixes
from snnlab.augments.base import SaysWhen as SaysWhen
from snnlab.augments.base import SaysWhereItRuns as SaysWhereItRuns
from snnlab.augments.base import SaysWhetherItMirrors as SaysWhetherItMirrors
from snnlab.augments.crop import Crop as Crop
from snnlab.augments.cutout import Cutout as Cutout
from snnlab.augments.flip import Flip as Flip
from snnlab.augments.mixup import Mixup as Mixup
from snnlab.augments.nda import NDA as NDA
from snnlab.augments.rand_augment import RandAugment as RandAugment
from snnlab.augments.random_erasing import RandomErasing as RandomErasing
from snnlab.augments.roll import Roll as Roll
from snnlab.augments.rotate import Rotate as Rotate
from snnlab.augments.shear import Shear as Shear
from snnlab.augments.snn_augment_wide import SNNAugmentWide as SNNAugmentWide
