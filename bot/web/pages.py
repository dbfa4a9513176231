"""The pages that people see in the browser on their way back to Discord."""

import base64
import hashlib
from importlib import resources

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.model.account import Account
from bot.web.errors import Failure


class Pages:
    """Renders the templates; each page is whole in itself, with its style inside."""

    def __init__(self) -> None:
        # Autoescape for every template: names on these pages come from music services.
        self._jinja = Environment(
            loader=PackageLoader("bot.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._style = resources.files("bot.web").joinpath("static/page.css").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self.style_hash = f"sha256-{digest}"

    def linked(self, account: Account) -> web.Response:
        """The consent is back; the person goes on in Discord."""
        return self._page(200, "linked.html", service=account.service.label, name=account.display_name)

    def failure(self, failure: Failure) -> web.Response:
        return self._page(failure.status, "failure.html", message=failure.message)

    def _page(self, status: int, template: str, **values: str) -> web.Response:
        text = self._jinja.get_template(template).render(style=self._style, **values)
        return web.Response(status=status, text=text, content_type="text/html")
