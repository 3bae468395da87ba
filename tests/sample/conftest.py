"""The two small retailers, each written once."""

import pytest
from pyspark.sql import SparkSession

from .retailer import HALVES, Sample, make, settings


@pytest.fixture(scope="session")
def sample(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Read only."""
    return make(spark, tmp_path_factory.mktemp("sample"), settings(HALVES[0]))


@pytest.fixture(scope="session")
def other_sample(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Read only; the other half of the mess."""
    return make(spark, tmp_path_factory.mktemp("other"), settings(HALVES[1]))
