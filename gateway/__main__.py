"""`python -m gateway`, the same as the command `rc-gateway`.

The command line is the public way in; see `gateway/cli`.

Rule: nothing happens when this module is imported, only when it is run.
"""

import sys

from gateway.cli import main

if __name__ == "__main__":
    sys.exit(main())
