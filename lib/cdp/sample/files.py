"""Moves a Spark job's part files to names of our own, local or by URI, and leaves no litter."""

import shutil
from pathlib import Path

from pyspark.sql import SparkSession

from cdp.base.errors import UsageError
from cdp.base.files import FileSystem, explain_os_error


class Folder(FileSystem):
    """A folder or URI whose files can also be moved and removed."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        super().__init__(spark, root)
        self.session = spark

    def uri(self, name: str) -> str:
        return f"{self.root}/{name}"

    def holds(self, other: "Folder") -> bool:
        """Whether the other folder is this one or lies within it."""
        return f"{other.root}/".startswith(f"{self.root}/")

    def remove(self, name: str) -> None:
        """Remove a file or folder with all in it, if it is there."""
        if self.is_local:
            shutil.rmtree(self.uri(name), ignore_errors=True)
        else:
            self.delete(name)

    def parts(self, folder: str) -> list[str]:
        """Names of the files that a Spark job wrote, in the order of its tasks."""
        return sorted(name for name in self.names(folder) if name.startswith("part-"))

    def move(self, name: str, to: "Folder", new_name: str) -> None:
        """Move a file, maybe to another file system, replacing what is there.

        Raises:
            UsageError: the file cannot be written there.
        """
        if self.is_local and to.is_local:
            target = Path(to.uri(new_name))
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(self.uri(name), target)
            except OSError as error:
                raise UsageError(f"{to.root}: {explain_os_error(error)}") from None
            return
        source_system, source = self._hadoop(name)
        target_system, target_path = to._hadoop(new_name)
        target_system.mkdirs(target_path.getParent())
        if source_system.getUri() == target_system.getUri():
            target_system.delete(target_path, False)
            source_system.rename(source, target_path)
            return
        copy = self._jvm().org.apache.hadoop.fs.FileUtil.copy
        copy(
            source_system,
            source,
            target_system,
            target_path,
            True,
            True,
            self._spark._jsc.hadoopConfiguration(),
        )
