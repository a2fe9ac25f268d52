"""Speed and memory of neurons and networks, against a copy, a ReLU network and other packages."""
