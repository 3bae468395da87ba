"""What went wrong, in words that hold no row values: Spark's and the operating system's errors often do."""

import errno
import os
import re
import traceback
from pathlib import Path

from cdp.base.errors import CdpError, UsageError
from cdp.base.files import explain_os_error

_KNOWN = (
    (r"No space left on device|ENOSPC|Disk quota exceeded",
     "no space left on the disk of the lake, or on that of Spark's scratch files (spark.local.dir, else the temporary"
     " folder); free some and call again"),
    (r"Read-only file system", "the file system is read-only"),
    (r"Permission denied|AccessControlException", "no permission to read or write a file"),
    (r"OutOfMemoryError|GC overhead limit", "out of memory; give more with `./spark-submit.sh --driver-memory 8g ...`"),
    (r"Concurrent(?:Append|DeleteRead|DeleteDelete|Transaction|Write)Exception|DELTA_CONCURRENT|DELTA_METADATA_CHANGED",
     "another run wrote to the same table; call again"),
    (r"_delta_log.*(?:FileNotFound|does not exist)|DELTA_(?:VERSIONS_NOT_CONTIGUOUS|LOG_FILE_NOT_FOUND|TRUNCATED)",
     "files of a table are missing from the lake; restore them, or delete the table's folder and run with --full-refresh"),
    (r"CANNOT_READ_FILE|FAILED_READ_FILE|FileNotFoundException|PATH_NOT_FOUND", "a file is missing or damaged"),
    (r"Connection refused|Could not parse Master URL|All masters are unresponsive", "Spark's master cannot be reached"),
)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def explained(error: BaseException) -> CdpError:
    """`error` as one of ours: unchanged if it is, else a message by what is known of it."""
    if isinstance(error, CdpError):
        return error
    if isinstance(error, OSError) and error.filename and error.errno not in _FULL:
        return UsageError(f"{error.filename}: {explain_os_error(error)}")
    text = f"{type(error).__name__} {error}"
    if os.environ.get("CDP_DEBUG"):  # for the developer: holds row values
        traceback.print_exception(error)
    for pattern, meaning in _KNOWN:
        if re.search(pattern, text):
            return CdpError(meaning + _path_in(text))
    condition = condition_of(error)
    return CdpError(f"{type(error).__name__}{f' [{condition}]' if condition else ''}")


def condition_of(error: BaseException) -> str | None:
    """Spark's name of the error, such as CAST_INVALID_INPUT; its message may hold values, the name does not."""
    condition: str | None = getattr(error, "getCondition", lambda: None)()
    if condition:
        return condition
    found = re.search(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]", str(error))
    return found.group(1) if found else None


def write_trace(error: BaseException, folder: Path, run_id: str) -> Path | None:
    """Where in the code it happened, without messages and values, for a report of a defect."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{run_id}.txt"
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        path.write_text(f"{type(error).__name__} {condition_of(error) or ''}\n{frames}", encoding="utf-8")
    except OSError:
        return None
    return path


def _path_in(text: str) -> str:
    found = re.search(r"(?:file:)?(/[\w./=-]+)", text)
    return f" ({found.group(1)})" if found else ""
