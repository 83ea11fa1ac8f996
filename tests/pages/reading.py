"""What a page holds, for tests."""

import html.parser

VOID = {"meta", "img", "br"}


class Reader(html.parser.HTMLParser):
    """Collects tags, ids, references and text; fails where tags do not nest.

    links: what the page loads or leads to; uses: what its charts take from themselves.
    """

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.ids, self.links, self.uses = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        named = dict(attributes)
        references = self.uses if tag == "use" else self.links
        references += [named[key] for key in ("src", "href", "xlink:href") if key in named]
        self.ids += [named["id"]] if "id" in named else []

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
