# Written by `make conf`.
from snnlab.models.ms_resnet18_snn import MSResNet18SNN as MSResNet18SNN
from snnlab.models.preact_resnet34_snn import PreActResNet34SNN as PreActResNet34SNN
from snnlab.models.resnet18_snn import ResNet18SNN as ResNet18SNN
from snnlab.models.resnet19_snn import ResNet19SNN as ResNet19SNN
from snnlab.models.resnet20_snn import ResNet20SNN as ResNet20SNN
from snnlab.models.resnet34_snn import ResNet34SNN as ResNet34SNN
from snnlab.models.sew_resnet19_snn import SEWResNet19SNN as SEWResNet19SNN
from snnlab.models.spikformer import Spikformer as Spikformer
from snnlab.models.text_cnn_snn import TextCNNSNN as TextCNNSNN
from snnlab.models.touch_snn import TouchSNN as TouchSNN
from snnlab.models.vgg16_snn import VGG16SNN as VGG16SNN
from snnlab.models.vgg_snn import VGGSNN as VGGSNN
