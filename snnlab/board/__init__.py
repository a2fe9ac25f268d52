"""The board: calibration and robustness of every loss with every neuron at the converged scale, as one page."""
