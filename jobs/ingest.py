"""Read new extracts into bronze; what cannot be used goes to quarantine.

    ./spark-submit.sh ingest --config conf --landing landing --lake lake
    ./spark-submit.sh ingest --select crm_contacts --full-refresh
    ./spark-submit.sh ingest --replay --source crm_contacts --reason "email: pattern"

Each file is read exactly once, whatever was killed when; a file replaced under its name is read again.
--replay reads no files: it judges rows of quarantine anew, takes in what passes today, and says why of the rest.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.bronze.replay import add_options, prepare
from cdp.bronze.run import STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([STAGE], __doc__, add_options=add_options, prepare=prepare))
