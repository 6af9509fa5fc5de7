"""How a page of Data Docs is drawn: Great Expectations' content, in a frame that needs no network.

Belongs here: the view that the site's configuration names. GX's own templates load Bootstrap,
jQuery, Vega and its logo from six foreign hosts, and without them draw no table on the index;
those in `templates` stand before GX's of the same name, need no script and hold their styles.
Does not belong here: what the pages say (`suites`), building the site (`site`).
"""

from __future__ import annotations

from pathlib import Path

from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader

_TEMPLATES = Path(__file__).parent / "templates"


class OfflinePageView(DefaultJinjaPageView):
    """A suite or the results of one night."""

    def __init__(
        self, custom_styles_directory: str | None = None, custom_views_directory: str | None = None
    ) -> None:
        super().__init__(custom_styles_directory, custom_views_directory)
        self.env.loader = _own_first(self.env.loader)


class OfflineIndexView(DefaultJinjaIndexPageView):
    """The index of the site."""

    def __init__(
        self, custom_styles_directory: str | None = None, custom_views_directory: str | None = None
    ) -> None:
        super().__init__(custom_styles_directory, custom_views_directory)
        self.env.loader = _own_first(self.env.loader)


def _own_first(loader: BaseLoader | None) -> ChoiceLoader:
    own = FileSystemLoader(_TEMPLATES)
    return ChoiceLoader([own] if loader is None else [own, loader])
