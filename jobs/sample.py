"""Write the sample retailer's extracts: invented people, real mess, known truth.

    ./spark-submit.sh sample --landing landing --persons 5000 --seed 1 --as-of 2026-01-31
    ./spark-submit.sh sample --landing landing --days 7 --as-of 2026-01-31     # the seven days after that date
    ./spark-submit.sh sample --landing elsewhere --mess typos=0 --mess twins=0.01

The truth (who is who, what they will buy) goes beside the landing folder, never into it.
Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import sys

from cdp.runner.launch import launch
from cdp.sample.stage import STAGE, add_options

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__, add_options=add_options))
