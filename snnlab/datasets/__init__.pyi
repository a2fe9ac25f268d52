# Written by `make conf`.
from snnlab.datasets.cifar10 import CIFAR10 as CIFAR10
from snnlab.datasets.cifar100 import CIFAR100 as CIFAR100
from snnlab.datasets.cifar10_dvs import CIFAR10DVS as CIFAR10DVS
from snnlab.datasets.digits import Digits as Digits
from snnlab.datasets.digits_dvs import DigitsDVS as DigitsDVS
from snnlab.datasets.dvs_gesture import DVSGesture as DVSGesture
from snnlab.datasets.event_folder import EventFolder as EventFolder
from snnlab.datasets.evtouch_containers import EvTouchContainers as EvTouchContainers
from snnlab.datasets.evtouch_objects import EvTouchObjects as EvTouchObjects
from snnlab.datasets.image_folder import ImageFolder as ImageFolder
from snnlab.datasets.imagenet import ImageNet as ImageNet
from snnlab.datasets.ncaltech101 import NCaltech101 as NCaltech101
from snnlab.datasets.nmnist import NMNIST as NMNIST
from snnlab.datasets.sst2 import SST2 as SST2
from snnlab.datasets.sst5 import SST5 as SST5
from snnlab.datasets.waimai import Waimai as Waimai
