"""Build one profile per person, with timeline, traits, households and consent (gold).

    ./spark-submit.sh profile --lake lake --as-of 2026-01-31

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.gold.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
