"""What glibc's allocator keeps for itself unless it is told otherwise."""

import ctypes
import sys

MAX_ARENAS = 2  # by default eight per core, each of which keeps what it once needed
_M_ARENA_MAX = -8  # malloc.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_is_glibc = hasattr(_libc, "malloc_trim")


def limit_arenas() -> None:
    """Let all threads share few arenas; to be called before they are started."""
    if _libc and _is_glibc:
        _libc.mallopt(_M_ARENA_MAX, MAX_ARENAS)


def return_free_memory() -> None:
    """Give freed memory back to the system, which after large images is hundreds of megabytes."""
    if _libc and _is_glibc:
        _libc.malloc_trim(0)
