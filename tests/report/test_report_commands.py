from __future__ import annotations

from pathlib import Path

import made_findings as made
import pytest
import typer
from typer.testing import CliRunner

from stillhunt.cli.case import case
from stillhunt.cli.report import report
from stillhunt.errors import UsageError


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made_app = typer.Typer()
    made_app.command("report")(report)
    made_app.command("case")(case)
    return made_app


def _run(app: typer.Typer, *words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_commands_write_and_say_where(app: typer.Typer, tmp_path: Path) -> None:
    findings = made.write(tmp_path / "[bold]out", {"cmp_a": (4, "")})
    page = findings / "report.html"
    said = _run(app, "report", str(findings), "--price-input", "3", "--price-output", "15")
    assert said.strip() == str(page)
    assert page.exists()
    page.unlink()
    said = _run(app, "report", str(findings), "--charts", str(tmp_path / "i"), "--format", "svg")
    assert len(said.splitlines()) == 6
    assert {p.suffix for p in (tmp_path / "i").iterdir()} == {".svg"}
    assert not page.exists()
    out = tmp_path / "case"
    assert _run(
        app, "case", "cmp_a", "--findings", str(findings), "--out", str(out)
    ).strip() == str(out)
    assert (out / "MANIFEST.sha256").exists()


def test_prices_with_charts_mean_nothing(app: typer.Typer, tmp_path: Path) -> None:
    findings = made.write(tmp_path / "f", {})
    with pytest.raises(UsageError):
        _run(app, "report", str(findings), "--charts", str(tmp_path / "i"), "--price-input", "3")
