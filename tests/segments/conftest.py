"""Spark's Python workers score with the library's own classes; spark-submit.sh tells them where it is, pytest does not."""

import os
from pathlib import Path

import cdp

_LIBRARY = str(Path(cdp.__file__).parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_LIBRARY, os.environ.get("PYTHONPATH")]))
