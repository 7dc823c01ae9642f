"""What glibc's allocator keeps for itself unless it is told otherwise."""

import ctypes
import sys

MAX_ARENAS = 2  # by default eight per core, each of which keeps what it once needed
# Pages of freed images are kept for the next one: to get them anew is a third of its time.
KEPT_BYTES = 32_000_000
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_is_glibc = hasattr(_libc, "malloc_trim")


def tune_allocator() -> None:
    """Let all threads share few arenas that keep a little; to be called before they start."""
    if _libc and _is_glibc:
        _libc.mallopt(_M_ARENA_MAX, MAX_ARENAS)
        _libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        _libc.mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES // 8)


def return_free_memory() -> None:
    """Give freed memory back to the system, which after large images is hundreds of megabytes."""
    if _libc and _is_glibc:
        _libc.malloc_trim(0)
