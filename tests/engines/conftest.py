"""Engines to test: every test that asks for ``engine`` runs on each of them."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spark_settings import CONF

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.engines.spark import SparkEngine

OpenEngine = Callable[..., Engine]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what needs a JVM on one worker, where the way of sharing out tests knows groups."""
    here = Path(__file__).parent
    for item in items:
        needs = "spark" in item.name or "spark" in getattr(item, "fixturenames", ())
        if needs and item.path.is_relative_to(here):
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEngine]:
    """Opens Spark engines; they share one JVM."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("there is no Java")
    home = tmp_path_factory.mktemp("spark")
    first = SparkEngine(home, threads=2, conf=CONF)

    def opened(workdir: Path) -> Engine:
        return SparkEngine(workdir)

    yield opened
    first.close()


@pytest.fixture(params=["duckdb", "spark"])
def open_engine(request: pytest.FixtureRequest) -> OpenEngine:
    """Opens an engine in a folder."""
    if request.param == "duckdb":
        return lambda workdir: DuckDBEngine(workdir, threads=2)
    opened: OpenEngine = request.getfixturevalue("spark")
    return opened


@pytest.fixture
def engine(open_engine: OpenEngine, tmp_path: Path) -> Iterator[Engine]:
    """An engine, with a folder ``work`` of its own."""
    work = tmp_path / "work"
    work.mkdir()
    with open_engine(work) as opened:
        yield opened
