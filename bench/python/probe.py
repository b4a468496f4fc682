"""Prints the versions of this Python, its uvloop and the libraries on asyncio, null where it has none."""

import asyncio  # noqa: F401  a Python without it is no peer
import json
import platform
from importlib import metadata

try:
    import uvloop

    version = uvloop.__version__
except ImportError:
    version = None


def version_of(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


guests = {package: version_of(package) for package in ("anyio", "aiostream")}
print(json.dumps({"python": platform.python_version(), "uvloop": version, "guests": guests}))
