"""A page as one file: templates filled in, script and style inlined and allowed by their hashes, nothing remote."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from placewise.publish import palette

_FOLDER = "placewise.publish.report"


@cache
def environment() -> jinja2.Environment:
    """Templates with escaping of everything that is not markup already; an unknown name is an error."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader(_FOLDER, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    return env


def asset(name: str) -> str:
    """Text of a script or style sheet beside the templates."""
    return (resources.files(_FOLDER) / "templates" / name).read_text(encoding="utf-8")


def style_sheet() -> str:
    """The style sheet with the palette's colours as custom properties."""
    names = ("TEXT", "MUTED", "RULE", "PAPER", "PANEL", "ACCENT", "WARN", "FAIL", "PASS")
    colours = [f"--{name.lower()}:{getattr(palette, name)}" for name in names]
    colours += [f"--class{k}:{colour}" for k, colour in enumerate(palette.DIVERGING)]
    return f":root{{{';'.join(colours)}}}\n{asset('page.css')}"


def security_policy(style: str, script: str) -> str:
    """Content security policy: this style, this script, embedded images, and nothing else."""
    digests = [hashlib.sha256(text.encode("utf-8")).digest() for text in (style, script)]
    hashes = [base64.b64encode(digest).decode("ascii") for digest in digests]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def render_page(template: str, scripts: tuple[str, ...], **view: Any) -> str:
    """Fill a template in with its view, its style and its scripts."""
    style = style_sheet()
    script = "\n".join(asset(name) for name in scripts)
    return environment().get_template(template).render(
        style=Markup(style), script=Markup(script), policy=security_policy(style, script), **view
    )  # fmt: skip
