"""MLflow: where models are tracked, registered and found again. No personal data goes there."""

import logging
import math
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cdp.base.errors import CdpError, UsageError
from cdp.base.lake import Lake

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from cdp.models.learning import ByHorizon
    from cdp.models.propensity.answers import PropensityModel

ALIAS = "champion"
_PACKAGES = ("scikit-learn", "scipy", "numpy", "pandas")
_ABOUT = (
    "Scores are those of the version with the alias `champion`. Each version's description says what it was trained on, how good"
    " it is beside plain rules, and why it is champion or not. To roll back, give the alias to another version."
)

CHALLENGER = "challenger"

# skops loads no type it does not know: these are ours, and scikit-learn's own trees.
_TRUSTED = (
    *(f"cdp.models.value.{name}" for name in ("BlendedValue", "HistoricRate", "LastYearWindow", "LifetimeRate")),
    *(f"cdp.models.churn.{name}" for name in ("BlendedChurn", "RecencyRule")),
    *(f"cdp.models.learning.{name}" for name in ("Booster", "ByHorizon", "Learned", "Line", "TwoPart")),
    "cdp.models.blend.Blend",
    "cdp.models.experts.Experts",
    "cdp.models.intervals.Interval",
    "cdp.models.textbook.Textbook",
    *(f"cdp.models.propensity.answers.{name}" for name in ("BaseRate", "Blend", "PropensityModel", "SilenceRule")),
    "cdp.models.propensity.encoding.Encoder",
    "cdp.models.prospects.model.Prospects",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


class ForeignModelError(CdpError):
    """A registered model is made of classes that this version of the library does not have."""


@dataclass(frozen=True)
class Candidate:
    """One that was tried: its figures, and whether it was chosen for some horizon."""

    name: str
    metrics: Mapping[str, float]
    is_chosen: bool


@dataclass(frozen=True)
class Entry:
    """What is recorded of a training, beside the model itself.

    Attributes:
        params: settings and facts of the data.
        metrics: figures of the chosen candidates.
        tags: of the run.
        candidates: everybody who was tried, each a run within the run.
        pictures: by file name.
        texts: small files by name; aggregates only.
        note: in words, what a person should know.
        tables: what was read: by name of the table its place and version.
    """

    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    candidates: Sequence[Candidate] = ()
    pictures: Mapping[str, "Figure"] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    tables: Mapping[str, tuple[str, int]] = field(default_factory=dict)


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
            try:
                return _champions_in_file(Path(unquote(self._uri.removeprefix("sqlite:///"))), names)
            except sqlite3.Error as error:
                raise self._unusable(str(error)) from None
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
        """A registered model.

        Raises:
            CdpError: its files are lost.
            ForeignModelError: it was made by another version of this library.
        """
        with self._explained() as mlflow:
            try:
                model: ByHorizon = mlflow.sklearn.load_model(f"models:/{name}/{number}")
            except (AttributeError, ImportError, TypeError, _untrusted()) as error:
                raise ForeignModelError(
                    f"{name}/{number} was made by another version of this library ({type(error).__name__});"
                    " `train` makes a new one"
                ) from None
        return model

    def register(
        self,
        name: str,
        model: "ByHorizon | PropensityModel",
        entry: Entry,
        *,
        run_name: str,
        example: "pd.DataFrame",
        tags: Mapping[str, str],
    ) -> int:
        """Record a training in the experiment `name` and register its model as `challenger`; returns the version.

        Args:
            name: of the experiment and the registered model.
            model: to register.
            entry: what is recorded.
            run_name: of the run.
            example: a row that the model takes; of nobody.
            tags: of the registered version.
        """
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            experiment = self._experiment(client, name)
            mlflow.set_experiment(experiment_id=experiment)
            with mlflow.start_run(run_name=run_name, tags={**entry.tags, **_note(entry.note)}) as active:
                self._log(mlflow, entry)
                info = mlflow.sklearn.log_model(
                    model,
                    name=name,
                    signature=_signature(example),
                    input_example=example,
                    skops_trusted_types=list(_TRUSTED),
                    pip_requirements=[f"{package}=={version(package)}" for package in _PACKAGES],
                )
                run_id = active.info.run_id
            self._log_candidates(mlflow, experiment, run_id, entry)
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name, description=_ABOUT)
            made = client.create_model_version(
                name,
                source=info.model_uri,
                run_id=run_id,
                model_id=info.model_id,
                tags=dict(tags),
                description=entry.note,
            )
            client.set_registered_model_alias(name, CHALLENGER, made.version)
            return int(made.version)

    def version_tags(self, name: str, number: int) -> dict[str, str]:
        """What was written beside a registered version."""
        with self._explained() as mlflow:
            return dict(mlflow.MlflowClient().get_model_version(name, str(number)).tags)

    def text(self, name: str, number: int, file: str) -> str | None:
        """A small file of the training that made a registered version; None where it has none of the name."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            run_id = client.get_model_version(name, str(number)).run_id
            if file not in {found.path for found in client.list_artifacts(run_id)}:
                return None
            return str(mlflow.artifacts.load_text(f"runs:/{run_id}/{file}"))

    def describe(self, name: str, number: int, description: str, tags: Mapping[str, str]) -> None:
        """Say in words, and in tags, what became of a version."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            client.update_model_version(name, str(number), description)
            for key, value in tags.items():
                client.set_model_version_tag(name, str(number), key, value)

    def _log(self, mlflow: Any, entry: Entry) -> None:
        mlflow.log_params(dict(entry.params))
        mlflow.log_metrics({key: value for key, value in entry.metrics.items() if math.isfinite(value)})
        for file, picture in entry.pictures.items():
            mlflow.log_figure(picture, file)
        for file, text in entry.texts.items():
            mlflow.log_text(text, file)
        for table, (path, number) in entry.tables.items():
            mlflow.log_input(_dataset(mlflow, table, path, number), context="training")

    def _log_candidates(self, mlflow: Any, experiment: str, run_id: str, entry: Entry) -> None:
        """A run within the run for each candidate, written in two calls: one for each figure takes minutes on a server."""
        from mlflow.entities import Metric, RunTag

        client, now = mlflow.MlflowClient(), int(time.time() * 1000)
        for candidate in entry.candidates:
            tags = {"mlflow.parentRunId": run_id, "mlflow.runName": candidate.name, "chosen": str(candidate.is_chosen)}
            nested = client.create_run(experiment, tags=tags).info.run_id
            figures = [Metric(k, v, now, 0) for k, v in candidate.metrics.items() if math.isfinite(v)]
            client.log_batch(nested, metrics=figures, tags=[RunTag("as_of", str(entry.params.get("as_of")))])
            client.set_terminated(nested)

    def track(self, name: str, entry: Entry, *, run_name: str) -> None:
        """Record what was learnt, in the experiment `name`, without a model to register."""
        with self._explained() as mlflow:
            mlflow.set_experiment(experiment_id=self._experiment(mlflow.MlflowClient(), name))
            with mlflow.start_run(run_name=run_name, tags=dict(entry.tags)):
                self._log(mlflow, entry)

    def is_tracked(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether the experiment `name` has a run with these tags."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
            return bool(client.search_runs([self._experiment(client, name)], wanted, max_results=1))

    def crown(self, versions: Mapping[str, int]) -> None:
        """Make these versions the champions; they are challengers no more."""
        with self._explained() as mlflow:
            client = mlflow.MlflowClient()
            for name, number in versions.items():
                client.set_registered_model_alias(name, ALIAS, str(number))
                client.delete_registered_model_alias(name, CHALLENGER)

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
        from sqlalchemy.exc import SQLAlchemyError

        if self._folder is not None and self._uri.startswith(f"sqlite:///{self._folder}/"):
            self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mlflow.set_tracking_uri(self._uri)
                yield mlflow
        except (mlflow.exceptions.MlflowException, OSError, SQLAlchemyError) as error:
            raise self._unusable(getattr(error, "error_code", None) or type(error).__name__) from None

    def _unusable(self, why: str) -> CdpError:
        is_own = self._folder is not None and str(self._folder) in self._uri
        return CdpError(
            f"the MLflow store {'in the lake' if is_own else 'of conf/cdp.yaml'} does not answer as it should ({why})"
            + ("; if its files are lost, `train --full-refresh` makes new models" if is_own else "")
        )


def _champions_in_file(path: Path, names: Sequence[str]) -> dict[str, int]:
    if not path.exists():
        return {}
    marks = ", ".join("?" for _ in names)
    query = f"SELECT name, version FROM registered_model_aliases WHERE alias = ? AND name IN ({marks})"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as store:
            return {str(name): int(number) for name, number in store.execute(query, (ALIAS, *names))}
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # killed while MLflow was making its tables
            return {}
        raise


def _untrusted() -> type[Exception]:
    """What skops raises for a class that it was not told to trust."""
    from skops.io.exceptions import UntrustedTypesFoundException

    found: type[Exception] = UntrustedTypesFoundException
    return found


def _mlflow() -> Any:
    """MLflow, silent, and telling nobody."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # it may hold a password
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.sklearn
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def _note(text: str) -> dict[str, str]:
    """The tag that MLflow's page of a run shows as its description."""
    return {"mlflow.note.content": text} if text else {}


def _dataset(mlflow: Any, table: str, path: str, number: int) -> Any:
    """A version of a table, as MLflow names the data of a run; nothing of it is read."""
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    source = DeltaDatasetSource(path=path, delta_table_version=number)
    return MetaDataset(source, name=f"{table} version {number}", digest=f"v{number}")


def _signature(example: "pd.DataFrame") -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {str(name): "double" if example[name].dtype.kind == "f" else "string" for name in example}
    return ModelSignature(inputs=Schema([ColSpec(kind, name) for name, kind in kinds.items()]))
