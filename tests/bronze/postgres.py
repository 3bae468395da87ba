"""A PostgreSQL server of a test session's own: on a free loopback port, in a folder that goes with it."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cret-for-tests"


@dataclass(frozen=True)
class Postgres:
    """A running server with a user `crm` and databases of its own."""

    programs: Path
    port: int
    prefix: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"jdbc:postgresql://127.0.0.1:{self.port}/crm"

    def sql(self, text: str, database: str = "crm") -> None:
        """Run statements."""
        call = [str(self.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        subprocess.run([*call, "-U", "crm", database], input=text, text=True, check=True, env=environment, timeout=30)


def find_programs() -> Path | None:
    """The folder of initdb and postgres; None where PostgreSQL is not installed."""
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(told.stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _as_somebody() -> tuple[tuple[str, ...], int, int] | None:
    """How to start a program as somebody who is not root, which PostgreSQL refuses to be; None where that cannot be."""
    if os.getuid() != 0:
        return (), os.getuid(), os.getgid()
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("setpriv"):
            ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
            return ("setpriv", *ids), user.pw_uid, user.pw_gid
    return None


@contextmanager
def server(folder: Path) -> Iterator[Postgres | None]:
    """A server below a new folder that others may enter; None where there can be none."""
    programs, somebody = find_programs(), _as_somebody()
    if programs is None or somebody is None:
        yield None
        return
    prefix, uid, gid = somebody
    (folder / "password").write_text(PASSWORD)
    for path in (folder, folder / "password"):
        os.chown(path, uid, gid)
    data = folder / "data"
    login = ["--username=crm", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256"]
    initdb = [str(programs / "initdb"), "-D", str(data), "--no-sync", "--encoding=UTF8", "--locale=C", *login]
    subprocess.run([*prefix, *initdb], check=True, capture_output=True, cwd=folder, timeout=60)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", f"unix_socket_directories={folder}"]
    settings += ["-c", "shared_buffers=16MB", "-c", "timezone=Asia/Tokyo", "-c", "datestyle=SQL, DMY"]
    log = (folder / "log").open("w")
    postgres = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings]
    process = subprocess.Popen([*prefix, *postgres], stdout=log, stderr=log, cwd=folder)
    try:
        running = Postgres(programs, port, prefix)
        _wait(running, folder)
        running.sql("create database crm", "postgres")
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _wait(running: Postgres, folder: Path) -> None:
    ready = [str(running.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(running.port)]
    for _ in range(150):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")
