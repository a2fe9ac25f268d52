"""Draws the loss surfaces of the four parameterisations of `quant_relu` (mixed-timestep paper, Fig. 3).

usage: python scripts/mtsnn_loss_surfaces.py [FILE.png]
"""

import sys
from pathlib import Path

from snnlab.analysis.loss_surfaces import plot_loss_surfaces
from snnlab.convert.surfaces import surfaces

if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "mtsnn_loss_surfaces.png")
    print(plot_loss_surfaces(surfaces(), path, title="Loss of quantising N(0, 1), with two ways of SGD"))
