"""MLflow: where models are tracked, registered and found again. No personal data goes there."""

import logging
import math
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cdp.base.errors import CdpError, UsageError
from cdp.base.lake import Lake
from cdp.models.features import FEATURES, HORIZON

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cdp.models.learning import ByHorizon

ALIAS = "champion"

# skops loads no type it does not know: these are ours, and scikit-learn's own trees.
_TRUSTED = (
    *(f"cdp.models.value.{name}" for name in ("HistoricRate", "BuyTillYouDie", "BoostedValue")),
    *(f"cdp.models.churn.{name}" for name in ("RecencyRule", "NoPurchase", "LogisticChurn", "BoostedChurn")),
    "cdp.models.learning.Booster",
    "cdp.models.learning.ByHorizon",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


@dataclass(frozen=True)
class Entry:
    """What is recorded of a training, beside the model itself."""

    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


class Registry:
    """The models of one lake.

    Args:
        lake: where the store is, if no other is configured.
        tracking_uri: `mlflow_tracking_uri` of conf/cdp.yaml.

    Raises:
        UsageError: the lake is not on a local disk, and no tracking URI is configured.
    """

    def __init__(self, lake: Lake, tracking_uri: str | None) -> None:
        if tracking_uri is None and not lake.files.is_local:
            raise UsageError(
                "conf/cdp.yaml mlflow_tracking_uri: missing, but models cannot be tracked in a lake that is not on a"
                " local disk; wanted the URI of an MLflow server"
            )
        self._folder = Path(lake.root) / "mlflow" if lake.files.is_local else None
        self._uri = tracking_uri or f"sqlite:///{self._folder}/mlflow.db"

    def champions(self, names: Sequence[str]) -> dict[str, int]:
        """Version of each registered model that is champion now; those that have none are not in it.

        In a SQLite store it is read without MLflow, whose import takes seconds.
        """
        if self._uri.startswith("sqlite:///"):
            return _champions_in_file(Path(unquote(self._uri.removeprefix("sqlite:///"))), names)
        found = {}
        with self._explained() as mlflow:
            for name in names:
                for model in mlflow.MlflowClient().search_registered_models(f"name = '{name}'"):
                    if ALIAS in model.aliases:
                        found[name] = int(model.aliases[ALIAS])
        return found

    def open(self) -> None:
        """Import MLflow and make the store where it is missing: seconds of waiting, best spent beside Spark's work."""
        with self._explained() as mlflow:
            mlflow.search_experiments(max_results=1)

    def load(self, name: str, number: int) -> "ByHorizon":
        """A registered model."""
        with self._explained() as mlflow:
            model: ByHorizon = mlflow.sklearn.load_model(f"models:/{name}/{number}")
        return model

    def register(self, name: str, model: "ByHorizon", entry: Entry, *, run_name: str) -> int:
        """Record a training in the experiment `name` and register its model; returns the version. It is no champion yet."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            mlflow.set_experiment(experiment_id=self._experiment(client, name))
            with mlflow.start_run(run_name=run_name, tags=dict(entry.tags)) as active:
                mlflow.log_params(dict(entry.params))
                mlflow.log_metrics({key: value for key, value in entry.metrics.items() if math.isfinite(value)})
                info = mlflow.sklearn.log_model(
                    model,
                    name=name,
                    signature=_signature(),
                    skops_trusted_types=list(_TRUSTED),
                    pip_requirements=[f"{package}=={version(package)}" for package in ("scikit-learn", "scipy")],
                )
                run_id = active.info.run_id
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name)
            made = client.create_model_version(name, source=info.model_uri, run_id=run_id, model_id=info.model_id)
            return int(made.version)

    def track(self, name: str, entry: Entry, pictures: Mapping[str, "Figure"], *, run_name: str) -> None:
        """Record what was learnt, in the experiment `name`, without a model to register."""
        with self._explained() as mlflow:
            mlflow.set_experiment(experiment_id=self._experiment(mlflow.MlflowClient(), name))
            with mlflow.start_run(run_name=run_name, tags=dict(entry.tags)):
                mlflow.log_params(dict(entry.params))
                mlflow.log_metrics({key: value for key, value in entry.metrics.items() if math.isfinite(value)})
                for file, picture in pictures.items():
                    mlflow.log_figure(picture, file)

    def is_tracked(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether the experiment `name` has a run with these tags."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
            return bool(client.search_runs([self._experiment(client, name)], wanted, max_results=1))

    def crown(self, versions: Mapping[str, int]) -> None:
        """Make these versions the champions."""
        with self._explained() as mlflow:
            for name, number in versions.items():
                mlflow.MlflowClient().set_registered_model_alias(name, ALIAS, str(number))

    def _experiment(self, client: Any, name: str) -> str:
        known = client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        is_file = self._uri.startswith("sqlite:") and self._folder is not None
        place = f"{self._folder}/artifacts/{name}" if is_file else None
        return str(client.create_experiment(name, artifact_location=place))

    @contextmanager
    def _explained(self) -> Iterator[Any]:
        """MLflow, set to this store, its errors as ours. The URI is not shown: it may hold a password."""
        mlflow = _mlflow()
        if self._folder is not None and self._uri.startswith(f"sqlite:///{self._folder}/"):
            self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mlflow.set_tracking_uri(self._uri)
                yield mlflow
        except (mlflow.exceptions.MlflowException, OSError) as error:
            code = getattr(error, "error_code", None) or type(error).__name__
            raise CdpError(
                f"the MLflow store {'in the lake' if self._folder and str(self._folder) in self._uri else 'of conf/cdp.yaml'}"
                f" does not answer as it should ({code}); if its files are lost, `train --full-refresh` makes new models"
            ) from None


def _champions_in_file(path: Path, names: Sequence[str]) -> dict[str, int]:
    if not path.exists():
        return {}
    marks = ", ".join("?" for _ in names)
    query = f"SELECT name, version FROM registered_model_aliases WHERE alias = ? AND name IN ({marks})"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as store:
            return {str(name): int(number) for name, number in store.execute(query, (ALIAS, *names))}
    except sqlite3.OperationalError:  # killed while MLflow was making its tables
        return {}


def _mlflow() -> Any:
    """MLflow, silent, and telling nobody."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.sklearn
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(inputs=Schema([ColSpec("double", name) for name in (*FEATURES, HORIZON)]))
