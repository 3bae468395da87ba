"""Models on an MLflow server, as teams share one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from cdp.base.errors import CdpError
from cdp.base.settings import ConfigFolder
from cdp.models.registry import Registry
from cdp.models.run import MODELS, score, train
from cdp.tables.gold import CUSTOMER_ORDERS, PREDICTIONS
from tests.models.conftest import shop

SETTINGS = """
horizons_days: [60]
training: {cutoffs: 2, backtests: 2, min_customers: 100}
reasons: false
recommendations: false
"""


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, subprocess.Popen]]:
    """A server of its own on a free port; its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "--backend-store-uri": f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination": str(tmp_path / "artifacts"),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    command = [sys.executable, "-m", "mlflow", "server", *[part for option in options.items() for part in option]]
    # Its runners of jobs are seven processes more, which outlive it.
    quiet = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert process.poll() is None, "the server did not start"
            try:
                urlopen(f"{address}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("the server did not answer within two minutes")
        yield address, process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """The server and the worker that it started, which are a group of processes of their own."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_keeps_the_models_and_without_it_it_is_said_what_is_wrong(run, fill, server):
    address, process = server
    (run.config.path / "cdp.yaml").write_text(f"mlflow_tracking_uri: {address}\n", encoding="utf-8")
    (run.config.path / "models.yaml").write_text(SETTINGS, encoding="utf-8")
    run = replace(run, config=ConfigFolder(run.config.path))
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *shop(200, 400)).coalesce(1))

    told = "\n".join(train(run).notes)
    assert "champions: cdp_ltv/1, cdp_churn/1" in told
    assert Registry(run.lake, address).champions(MODELS) == {"cdp_ltv": 1, "cdp_churn": 1}
    assert not (Path(run.lake.root) / "mlflow").exists(), "nothing is kept in the lake"
    assert score(run).rows_out == run.lake.read(PREDICTIONS).count() > 100
    rows = run.lake.read(PREDICTIONS)
    assert {r["churn_model"] for r in rows.select("churn_model").distinct().collect()} == {"cdp_churn/1"}

    stop(process)
    begun = time.monotonic()
    with pytest.raises(CdpError, match=r"MLflow store of conf/cdp\.yaml does not answer") as error:
        Registry(run.lake, address).champions(MODELS)
    assert time.monotonic() - begun < 30
    assert address not in str(error.value), "an address may hold a password"
    with pytest.raises(CdpError, match=r"MLflow store of conf/cdp\.yaml"):
        score(run)
    assert run.lake.read(PREDICTIONS).count() == rows.count(), "what was predicted before stays"
