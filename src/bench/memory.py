"""How much memory a process and its children hold."""

import subprocess


def resident_megabytes(pid: int) -> list[float]:
    """Return the resident memory, in MB, of a process and each of its descendants, it first."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], check=True, capture_output=True, text=True
    ).stdout
    parents: dict[int, int] = {}
    resident: dict[int, float] = {}
    for line in table.splitlines():
        child, parent, kilobytes = map(int, line.split())
        parents[child] = parent
        resident[child] = kilobytes * 1024 / 1e6
    family = [pid]
    for member in family:  # grows while it is walked
        family += [child for child, parent in parents.items() if parent == member]
    return [resident[member] for member in family if member in resident]
