"""Score every customer and prospect with the champion models; recommend products (gold).

    ./spark-submit.sh score --lake lake --as-of 2026-01-31

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.models.run import SCORE_STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([SCORE_STAGE], __doc__))
