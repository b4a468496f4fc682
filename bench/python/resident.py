"""Memory of this process."""

import gc
import os


def resident_bytes():
    """Resident bytes of this process. CPython has no heap size to ask for; the resident set holds C structs too."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
