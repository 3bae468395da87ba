"""Clean bronze into canonical entities: people, events, orders, products, consents (silver).

    ./spark-submit.sh clean --config conf --lake lake

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.runner.launch import launch
from cdp.silver.run import STAGE

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
