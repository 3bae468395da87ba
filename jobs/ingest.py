"""Read new extracts into bronze; what cannot be used goes to quarantine.

    ./spark-submit.sh ingest --config conf --landing landing --lake lake
    ./spark-submit.sh ingest --select crm_contacts --full-refresh

Each file is read exactly once, whatever was killed when; a file replaced under its name is read again.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.bronze.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__))
