"""How long something takes, as text."""


def duration(seconds: float) -> str:
    """7.4 -> "7.4 s", 83 -> "1:23", 3723 -> "1:02:03", 100000 -> "1 d 3:46:40"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if hours == 0:
        return f"{minute}:{second:02d}" if minutes else f"{second} s"
    clock = f"{hour}:{minute:02d}:{second:02d}"
    return f"{days} d {clock}" if days else clock
