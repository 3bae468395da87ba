"""Take everybody in a journey to the next step, and let in who comes and out who goes (gold).

    ./spark-submit.sh journey --lake lake --select welcome

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.journeys.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
