"""`python -m snnlab`."""

import sys

from snnlab.cli import main

sys.exit(main())
