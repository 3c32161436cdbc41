"""Writes the hostile bundles for other verifiers: ``python tests/evidence/write_hostile.py FOLDER``.

Beside them ``hostile.json`` says of each whom to trust, and by which check and for what it has to be
refused. Keys are new each time.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from forge import Forge
from hostile import all_cases

from stillhunt.evidence.verify import Trust


def write_all(folder: Path) -> list[dict[str, Any]]:
    """Write every hostile bundle; returns the list that ``hostile.json`` holds."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    with tempfile.TemporaryDirectory() as temporary:
        forge = Forge(Path(temporary) / "forge")
        for number, case in enumerate(all_cases(), 1):
            name = f"{number:03d}-{case.name.replace(' ', '-')}.claim"
            trust = case.write(forge, folder / name)
            listed.append(
                {
                    "file": name,
                    "check": case.check,
                    "code": str(case.code),
                    "trust": _trust(trust, folder, number),
                    "seed": trust.seed,
                }
            )
    (folder / "hostile.json").write_text(json.dumps(listed, indent=1) + "\n", "utf-8")
    return listed


def _trust(trust: Trust, folder: Path, number: int) -> dict[str, Any]:
    authorities = [f"{number:03d}-{i}.pem" for i in range(len(trust.authorities))]
    for name, body in zip(authorities, trust.authorities, strict=True):
        (folder / name).write_bytes(body)
    return {
        "authorities": authorities,
        "log": [str(key) for key in trust.log],
        "witnesses": [str(key) for key in trust.witnesses],
        "quorum": trust.quorum,
        "origin": trust.origin,
        "most_error": trust.most_error,
        "least_confidence": trust.least_confidence,
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name one folder to write to.")
    print(f"{len(write_all(Path(sys.argv[1])))} hostile bundles written.")
