"""Compute who is in which segment, who came in and who left (gold).

    ./spark-submit.sh segment --lake lake --select abandoned_cart

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.runner.launch import launch
from cdp.segments.run import STAGE

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
