"""Writes the vectors beside this file: ``python tests/evidence/vectors/make.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import make_audit  # noqa: E402
import make_bundles  # noqa: E402
import make_claims  # noqa: E402
import make_entries  # noqa: E402
import make_notes  # noqa: E402
import make_trees  # noqa: E402

DOCUMENTS = {
    "trees.json": make_trees.document,
    "entries.json": make_entries.document,
    "notes.json": make_notes.document,
    "audit.json": make_audit.document,
    "claims.json": make_claims.document,
}


def text_of(document: dict[str, Any]) -> str:
    """JSON for people to read and programs to take."""
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    for name, document in DOCUMENTS.items():
        (HERE / name).write_text(text_of(document()), "utf-8")
    files, listed = make_bundles.bundles()
    (HERE / "bundles.json").write_text(text_of(listed), "utf-8")
    (HERE / "bundles").mkdir(exist_ok=True)
    for name, body in files.items():
        (HERE / "bundles" / name).write_bytes(body)


if __name__ == "__main__":
    main()
