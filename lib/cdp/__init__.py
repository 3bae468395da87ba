"""A customer data platform on Spark and Delta Lake."""

import sys
from pathlib import Path

__version__ = "0.1.0"

# A script's own folder comes first on Python's path, and jobs/profile.py would hide the standard library's `profile`,
# which Spark imports. No job imports another.
if sys.argv and Path(sys.argv[0]).parent.name == "jobs":
    _jobs = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [p for p in sys.path if Path(p).resolve() != _jobs]
