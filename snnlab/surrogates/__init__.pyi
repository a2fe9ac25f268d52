# Written by `make conf`.
from snnlab.surrogates.asgs import ASGS as ASGS
from snnlab.surrogates.atan import ATan as ATan
from snnlab.surrogates.base import Surrogate as Surrogate
from snnlab.surrogates.fast_sigmoid import FastSigmoid as FastSigmoid
from snnlab.surrogates.multilevel_rectangle import MultilevelRectangle as MultilevelRectangle
from snnlab.surrogates.rectangle import Rectangle as Rectangle
from snnlab.surrogates.sigmoid import Sigmoid as Sigmoid
from snnlab.surrogates.triangle import Triangle as Triangle
from snnlab.surrogates.tsg import TSG as TSG
