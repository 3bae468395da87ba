"""Write what changed in the segments for the tools that act on them, with consent.

    ./spark-submit.sh activate --lake lake

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.activation.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
