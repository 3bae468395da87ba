"""The notebooks, executed on the small retailer's lake."""

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import PROJECT
from tests.end_to_end.conftest import Retailer


@pytest.mark.parametrize("path", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_charts(path, retailer: Retailer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CDP_LAKE", retailer.lake.root)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT / "lib"))
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):  # a session of its own
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()

    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 5
    tables = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert all("<tbody>" in table and "<td>" in table for table in tables) and len(tables) >= 4
