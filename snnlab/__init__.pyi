from snnlab import augments as augments
from snnlab import datasets as datasets
from snnlab import losses as losses
from snnlab import metrics as metrics
from snnlab import models as models
from snnlab import neurons as neurons
from snnlab import norms as norms
from snnlab import optimizers as optimizers
from snnlab import regularisers as regularisers
from snnlab import schedulers as schedulers
from snnlab import surrogates as surrogates
from snnlab.library import create as create
from snnlab.library import list_components as list_components
from snnlab.library import load_run as load_run

__version__: str
