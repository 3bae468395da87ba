"""Folders and files, local or by URI: move a job's output to names of our own, and leave no litter."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

from cdp.base.errors import UsageError


class Folder:
    """A folder. What it does for local paths with pathlib it does for URIs with Hadoop's file systems."""

    def __init__(self, spark: SparkSession, where: str) -> None:
        self._spark = spark
        parts = urlsplit(where)
        self._local = Path(unquote(parts.path)) if parts.scheme == "file" else Path(where) if not parts.scheme else None
        self.uri = str(self._local.absolute()) if self._local else where.rstrip("/")

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self._spark, f"{self.uri}/{name}")

    def _hadoop(self, uri: str) -> tuple[Any, Any]:
        jvm: Any = self._spark._jvm
        path = jvm.org.apache.hadoop.fs.Path(uri)
        return path.getFileSystem(self._spark._jsc.hadoopConfiguration()), path

    def make(self) -> None:
        try:
            if self._local:
                self._local.mkdir(parents=True, exist_ok=True)
            else:
                system, path = self._hadoop(self.uri)
                system.mkdirs(path)
        except OSError as error:
            raise UsageError(f"cannot make the folder {self.uri}: {error.strerror}") from error

    def remove(self) -> None:
        if self._local:
            shutil.rmtree(self._local, ignore_errors=True)
        else:
            system, path = self._hadoop(self.uri)
            system.delete(path, True)

    def has(self, name: str) -> bool:
        if self._local:
            return (self._local / name).exists()
        system, path = self._hadoop(f"{self.uri}/{name}")
        return bool(system.exists(path))

    def names(self) -> list[str]:
        """What lies in the folder, sorted; hidden files left out."""
        if self._local:
            found = [entry.name for entry in self._local.iterdir()] if self._local.is_dir() else []
        else:
            system, path = self._hadoop(self.uri)
            found = [s.getPath().getName() for s in system.listStatus(path)] if system.exists(path) else []
        return sorted(name for name in found if not name.startswith((".", "_SUCCESS")))

    def move(self, name: str, to: "Folder", new_name: str) -> None:
        """Move a file, replacing what is there."""
        to.make()
        if self._local and to._local:
            shutil.move(self._local / name, to._local / new_name)
            return
        system, source = self._hadoop(f"{self.uri}/{name}")
        target = self._hadoop(f"{to.uri}/{new_name}")[1]
        system.delete(target, False)
        system.rename(source, target)

    def write_text(self, name: str, text: str) -> None:
        self.make()
        if self._local:
            (self._local / name).write_text(text, encoding="utf-8")
            return
        system, path = self._hadoop(f"{self.uri}/{name}")
        stream = system.create(path, True)
        stream.write(bytearray(text.encode()))
        stream.close()

    def read_text(self, name: str) -> str | None:
        if not self.has(name):
            return None
        if self._local:
            return (self._local / name).read_text(encoding="utf-8")
        lines = self._spark.read.text(f"{self.uri}/{name}", wholetext=True).head()
        return None if lines is None else str(lines[0])

    def within(self, other: "Folder") -> bool:
        return (self.uri + "/").startswith(other.uri + "/")


def settle(output: Folder, target: Folder, prefix: str, extension: str) -> list[str]:
    """Move a Spark job's part files to `<prefix>-000.<extension>` and so on; returns the names."""
    found = [name for name in output.names() if name.startswith("part-")]
    names = [f"{prefix}-{number:03d}.{extension}" for number in range(len(found))]
    for old, new in zip(found, names, strict=True):
        output.move(old, target, new)
    output.remove()
    return names


def clear(landing: Folder, sources: Iterable[str]) -> None:
    """Remove the sample's own folders from an earlier call; whatever else lies there stays."""
    for source in sources:
        (landing / source).remove()
