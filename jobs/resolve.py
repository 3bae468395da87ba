"""Find out which records are one person; ids last from run to run (identity).

    ./spark-submit.sh resolve --config conf --lake lake

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.identity.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
