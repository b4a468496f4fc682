"""Prints the versions of this Python and of its uvloop, null where it has none."""

import asyncio  # noqa: F401  a Python without it is no peer
import json
import platform

try:
    import uvloop

    version = uvloop.__version__
except ImportError:
    version = None
print(json.dumps({"python": platform.python_version(), "uvloop": version}))
