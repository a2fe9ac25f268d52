"""The shells that `snnlab completion` knows."""

SHELLS = ("bash", "zsh", "fish")
