"""`python -m snnlab`."""

import os
import sys
from pathlib import Path

if sys.path[:1] == [os.getcwd()] and Path(__file__).resolve().parents[1] != Path.cwd().resolve():
    # `python -m` puts the current directory first, where somebody else's files may lie.
    del sys.path[0]

from snnlab.cli import main

sys.exit(main())
