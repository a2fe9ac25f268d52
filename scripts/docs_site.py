"""A hook of mkdocs: README, CONTRIBUTING and CHANGELOG become pages, and links between all pages lead to pages.

On the repository's pages a link is relative to the Markdown file; on the site those three files lie beside the pages
of docs/. Needs no mkdocs before mkdocs calls it, so the default tests check the links of the site too.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(\]\()(?!\w+:|#|/)([^)#\s]+)")


def site_path(file: str) -> str | None:
    """Where a file of the repository lies on the site; None if it is not there."""
    return OUTSIDE.get(file) or (file.removeprefix("docs/") if file.startswith("docs/") else None)


def for_site(text: str, file: str) -> str:
    """The Markdown of `file`, a path within the repository, with the links that hold on the site.

    A link to what is not on the site stays as it is, and mkdocs reports it.
    """
    page = site_path(file)
    assert page is not None

    def replaced(match: re.Match[str]) -> str:
        target = site_path(posixpath.normpath(posixpath.join(posixpath.dirname(file), match[2])))
        if target is None:
            return match[0]
        return match[1] + posixpath.relpath(target, posixpath.dirname(page) or ".")

    return LINK.sub(replaced, text)


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie outside of docs/."""
    from mkdocs.structure.files import File

    for file, page in OUTSIDE.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=for_site(text, file)))
    return files


def on_page_markdown(markdown: str, page: Any, **given: Any) -> str:
    """The text of a page of docs/ with the site's links."""
    path = page.file.src_uri
    return markdown if path in OUTSIDE.values() else for_site(markdown, f"docs/{path}")
