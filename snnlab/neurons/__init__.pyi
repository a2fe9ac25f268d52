# Written by `make conf`.
from snnlab.neurons.base import Neuron as Neuron
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire as IntegrateAndFire
from snnlab.neurons.base_membrane import MembraneNeuron as MembraneNeuron
from snnlab.neurons.cf import CF as CF
from snnlab.neurons.diet_snn import DIETSNN as DIETSNN
from snnlab.neurons.dsatgo import DSATGO as DSATGO
from snnlab.neurons.if_ import IF as IF
from snnlab.neurons.lif import LIF as LIF
from snnlab.neurons.ltmd import LTMD as LTMD
from snnlab.neurons.mixed_if import MixedIF as MixedIF
from snnlab.neurons.plif import PLIF as PLIF
from snnlab.neurons.quant_relu import QuantReLU as QuantReLU
from snnlab.neurons.relu import ReLU as ReLU
