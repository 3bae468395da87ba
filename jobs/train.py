"""Train the models of value, churn and first orders on a split of time; track and register them in MLflow.

    ./spark-submit.sh train --lake lake --as-of 2026-01-31

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a rule marked error fired.
"""

import sys

from cdp.models.run import TRAIN_STAGE
from cdp.runner.launch import launch

if __name__ == "__main__":
    sys.exit(launch([TRAIN_STAGE], __doc__))
