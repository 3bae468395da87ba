"""Run every stage in order: from the extracts to profiles, predictions, audiences and files to send.

    ./spark-submit.sh pipeline                                     # the sample retailer, made on the first call
    ./spark-submit.sh pipeline --config my/conf --landing extracts --lake /data/lake --as-of 2026-01-31
    ./spark-submit.sh pipeline --stages ingest clean resolve       # some of it

A stage with nothing new is skipped. A call that was killed goes on where it stopped when it is made again.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
The last line on standard output is the path of the run's summary (JSON).
"""

import sys

from cdp.pipeline import STAGES, add_options, prepare
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch(STAGES, __doc__, add_options=add_options, prepare=prepare))
