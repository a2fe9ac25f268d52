"""How much a file takes, as text."""

UNITS = ("kB", "MB", "GB", "TB")


def byte_count(count: float) -> str:
    """512 -> "512 B", 4321 -> "4.3 kB", 25300000 -> "25 MB"."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in UNITS:
        count /= 1000
        if count < 999.5 or unit == UNITS[-1]:
            break
    return f"{count:.1f} {unit}" if count < 9.95 else f"{count:.0f} {unit}"
