"""What pages of audits are about, and a reader of them."""

from html.parser import HTMLParser

ABOUT = {"study": "audit", "dataset": "records", "model": "<b>mine</b>", "n_train": 5000}
ABOUT |= {"prior": None, "references": False, "shadows": 0}
VOID = {"meta", "br", "path", "use"}


class Checked(HTMLParser):
    """Raises where a tag is closed that is not open; has what is not closed, texts, and attributes that load."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.loads = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.loads += [
            value for name, value in attrs if name in ("src", "href", "xlink:href") and not value.startswith("#")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.open):
            self.text += data + " "
