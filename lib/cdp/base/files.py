"""Files beside the tables, on a local disk or anything Hadoop can reach."""

import errno
import os
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp.base.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PROBE = ".cdp-probe"


@dataclass(frozen=True)
class FoundFile:
    """A file below a folder: path relative to it, bytes, time of last change (UTC, whole seconds, without zone)."""

    path: str
    size: int
    modified_at: datetime


class FileSystem:
    """Files below one folder or URI.

    Args:
        spark: session, for the file systems that are not local.
        root: folder or URI.
    """

    def __init__(self, spark: "SparkSession", root: str) -> None:
        self._spark = spark
        self.is_local = "://" not in root or root.startswith("file://")
        self.root = str(Path(root.removeprefix("file://")).absolute()) if self.is_local else root.rstrip("/")

    def names(self, folder: str) -> list[str]:
        """Names in a folder; none where it does not exist."""
        if self.is_local:
            try:
                return os.listdir(f"{self.root}/{folder}")
            except (FileNotFoundError, NotADirectoryError):
                return []
        system, path = self._hadoop(folder)
        if not system.exists(path):
            return []
        return [status.getPath().getName() for status in system.listStatus(path)]

    def glob(self, pattern: str) -> list[FoundFile]:
        """Files that match a glob pattern, by path. Names that begin with `.` or `_` are no extracts."""
        found = self._glob_local(pattern) if self.is_local else self._glob_hadoop(pattern)
        shown = [f for f in found if not any(part.startswith((".", "_")) for part in f.path.split("/"))]
        return sorted(shown, key=lambda f: f.path)

    def _glob_local(self, pattern: str) -> list[FoundFile]:
        found = []
        for path in Path(self.root).glob(pattern):
            if path.is_file():
                status = path.stat()
                modified = datetime.fromtimestamp(int(status.st_mtime), tz=timezone.utc).replace(tzinfo=None)
                found.append(FoundFile(path.relative_to(self.root).as_posix(), status.st_size, modified))
        return found

    def _glob_hadoop(self, pattern: str) -> list[FoundFile]:
        system, path = self._hadoop(pattern)
        base = self._hadoop("")[1]
        prefix = system.makeQualified(base).toString().rstrip("/") + "/"
        found = []
        for status in system.globStatus(path) or []:
            if status.isFile():
                modified = datetime.fromtimestamp(status.getModificationTime() // 1000, tz=timezone.utc)
                name = status.getPath().toString().removeprefix(prefix)
                found.append(FoundFile(name, status.getLen(), modified.replace(tzinfo=None)))
        return found

    def size(self, folder: str = "") -> int:
        """Bytes of all files below the folder, or one of its own."""
        if not self.is_local:
            system, path = self._hadoop(folder)
            return int(system.getContentSummary(path).getLength()) if system.exists(path) else 0
        return sum(_bytes_of(path) for path in (Path(self.root) / folder).rglob("*"))

    def write_text(self, name: str, text: str) -> str:
        """Write a small text file whole or not at all; returns its full path."""
        full = f"{self.root}/{name}"
        if self.is_local:
            path = Path(full)
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)
        else:
            system, path = self._hadoop(name)
            stream = system.create(path, True)
            stream.write(bytearray(text.encode("utf-8")))
            stream.close()
        return full

    def read_text(self, name: str) -> str | None:
        """Content of a small text file; None where there is none."""
        if self.is_local:
            path = Path(self.root) / name
            return path.read_text(encoding="utf-8") if path.exists() else None
        system, path = self._hadoop(name)
        if not system.exists(path):
            return None
        stream = system.open(path)
        content: bytearray = self._jvm().org.apache.commons.io.IOUtils.toByteArray(stream)
        stream.close()
        return bytes(content).decode("utf-8")

    def delete(self, name: str) -> None:
        """Delete a file or folder with all in it (not local)."""
        system, path = self._hadoop(name)
        system.delete(path, True)

    def check_writable(self, option: str) -> None:
        """Make the folder if missing and write a file into it.

        Raises:
            UsageError: that is not possible; the message names `option` and the reason.
        """
        try:
            self.write_text(_PROBE, "")
            if self.is_local:
                (Path(self.root) / _PROBE).unlink()
            else:
                self.delete(_PROBE)
        except OSError as error:
            raise UsageError(f"{option} {self.root}: {explain_os_error(error)}") from None
        except Exception as error:
            raise UsageError(f"{option} {self.root}: cannot be written ({type(error).__name__})") from None

    def _jvm(self) -> Any:
        return self._spark._jvm

    def _hadoop(self, name: str) -> tuple[Any, Any]:
        path = self._jvm().org.apache.hadoop.fs.Path(f"{self.root}/{name}" if name else self.root)
        return path.getFileSystem(self._spark._jsc.hadoopConfiguration()), path


def _bytes_of(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:  # gone since it was listed: another stage is writing there
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def explain_os_error(error: OSError) -> str:
    """A short text for what the operating system refused."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no permission to write there"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on the disk"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "a file is in the way of the folder"
    return error.strerror or type(error).__name__
