"""The views as HTML documents, each whole in itself: its style and script stand in it, nothing else runs."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template


@cache
def document(name: str, title: str) -> str:
    """The view of that name. Its policy names its own style and script by what they are, so that not even a
    mistake of ours would run what a voucher system sent; it reaches no network."""
    style, script = _text("view.css"), _text("host.js") + _text(f"{name}.js")
    policy = f"default-src 'none'; style-src {_named(style)}; script-src {_named(script)}"
    return Template(_text("view.html")).substitute(title=title, policy=policy, style=style, script=script)


def _named(text: str) -> str:
    """A text by its hash, as CSP has it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _text(name: str) -> str:
    return (files("voucher_mcp.tools.views") / "files" / name).read_text(encoding="utf-8")
