"""Builds ``stillhunt-verify.pyz``: the verifier as one file, the same bytes wherever it is built.

It holds errors, the layout of observations, the words for chances and the room ``evidence``; beside
Python it needs numpy and cryptography, and rfc3161-client where time stamps are to be checked.

    python packaging/verifier.py dist/stillhunt-verify.pyz
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
_MAIN = "import sys\n\nfrom stillhunt.evidence.verify.main import main\n\nsys.exit(main())\n"
_DATE = (1980, 1, 1, 0, 0, 0)


def parts() -> list[Path]:
    """The modules that go in, as paths below the source folder."""
    house = SOURCE / "stillhunt"
    found = [
        house / "__init__.py",
        house / "errors.py",
        house / "records" / "__init__.py",
        house / "records" / "chances.py",
        house / "records" / "leaf.py",
        *(house / "evidence").rglob("*.py"),
    ]
    return sorted(path.relative_to(SOURCE) for path in found)


def build(out: Path) -> None:
    """Write the verifier."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            bodies = {path.as_posix(): (SOURCE / path).read_bytes() for path in parts()}
            bodies["__main__.py"] = _MAIN.encode()
            for name in sorted(bodies):
                archive.writestr(zipfile.ZipInfo(name, _DATE), bodies[name])
    out.chmod(0o755)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/stillhunt-verify.pyz"))
