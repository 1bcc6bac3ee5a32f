"""Fetch the scripts and styles of the documentation pages, so that the pages work without internet.

Run it from the root of the project: `python tools/fetch_docs_assets.py`. It needs `npm` and takes the newest
versions of the lines below, unchanged; the files are kept compressed, their licences as they are.
"""

import gzip
import hashlib
import json
import subprocess
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

TARGET = Path(__file__).parents[1] / "src/adapters/ledgercore_http/pages/assets"

# What to take from each package, and under which name to keep it.
FILES: Final = {
    "swagger-ui-dist@5": {"swagger-ui-bundle.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"},
    "redoc@2.5": {"bundles/redoc.standalone.js": "redoc.standalone.js"},
}
LICENCES: Final = {
    "swagger-ui-dist@5": {
        "LICENSE": "swagger-ui.LICENSE",
        "NOTICE": "swagger-ui.NOTICE",
        "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
    },
    "redoc@2.5": {
        "LICENSE": "redoc.LICENSE",
        "bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
        "bundles/*.worker.js.LICENSE.txt": "redoc.worker.js.LICENSE.txt",
    },
}


def fetch(package: str, *, folder: Path) -> dict[str, bytes]:
    """Give the files of a package by their path in it."""
    command = ["npm", "pack", package, "--silent", "--pack-destination", str(folder)]
    packed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(folder / packed) as archive:
        files = {member.name.removeprefix("package/"): archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in files.items() if file}


def keep(package: str, contents: dict[str, bytes]) -> dict[str, Any]:
    """Write what is wanted of a package, and describe it."""
    digests = {}
    for path, name in FILES[package].items():
        compressed = gzip.compress(contents[path], compresslevel=9, mtime=0)
        (TARGET / f"{name}.gz").write_bytes(compressed)
        digests[name] = hashlib.sha256(contents[path]).hexdigest()
        print(f"{name}: {len(contents[path]):,} bytes, {len(compressed):,} compressed")
    for pattern, name in LICENCES[package].items():
        [licence] = [content for path, content in contents.items() if fnmatch(path, pattern)]
        (TARGET / name).write_bytes(licence)
    about = json.loads(contents["package.json"])
    print(f"{about['name']} {about['version']}, {about['license']}")
    return {"name": about["name"], "version": about["version"], "licence": about["license"], "sha256": digests}


def main() -> None:
    """Fetch all packages anew."""
    with tempfile.TemporaryDirectory() as folder:
        described = [keep(package, fetch(package, folder=Path(folder))) for package in FILES]
    text = json.dumps(described, indent=2)
    (TARGET / "VERSIONS.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
