"""For the site: links to files of the repository outside docs/, which a site cannot hold, become their text."""

import posixpath
import re

LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(((?:\.\./)+[^)\s]+)\)")


def on_page_markdown(markdown, page, **_):
    """The page's Markdown with each link that leaves docs/ as bold text; MkDocs calls this by its name."""
    folder = posixpath.dirname(page.file.src_uri)

    def inside(match):
        leaves = posixpath.normpath(posixpath.join(folder, match[2])).startswith("..")
        return f"**{match[1]}**" if leaves else match[0]

    return LINK.sub(inside, markdown)
