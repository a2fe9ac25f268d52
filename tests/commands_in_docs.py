"""The `snnlab` commands of the documentation, as they stand in its blocks of code."""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
INDENTED = re.compile(r"^    ((?:torchrun .*-m )?snnlab [a-z].*)$", re.M)
VARIABLE = re.compile(r'^    (\w+)="(.*)"$', re.M)


@dataclass(frozen=True)
class Command:
    """A line of a page, with the shell variables that the page sets filled in."""

    page: str
    section: str
    text: str
    comment: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def commands() -> list[Command]:
    """Every command once, with the first page and section that has it."""
    found: dict[str, Command] = {}
    for path in PAGES:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        values = dict(VARIABLE.findall(text))
        for part in re.split(r"^#+ ", text, flags=re.M):
            section = part.partition("\n")[0]
            for line in INDENTED.findall(part):
                command, _, comment = re.sub(r"\s+", " ", line).partition(" # ")
                command = Template(command).substitute(values)
                page = str(path.relative_to(ROOT))
                found.setdefault(command, Command(page, section, command, comment))
    return list(found.values())
