"""`python -m oysterd` is the command `oysterd`."""

import sys

from oysterd.cli import main

if __name__ == "__main__":
    sys.exit(main())
