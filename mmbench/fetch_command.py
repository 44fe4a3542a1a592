"""`mmbench fetch-images`: the images that a loader's documents name, brought into its store."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.fetch import fetch_images
from mmbench.polite import Settings

if TYPE_CHECKING:
    import argparse


def fetch_command(arguments: argparse.Namespace) -> tuple[str, bool]:
    """Count what a loader wants and, with --yes, fetch it; the text that the command prints, and whether all is well.

    Raises:
        UsageError: there is no such loader, it names no images by URL, or a setting is wrong.
    """
    changed = [f"++loader.{pair}" for pair in arguments.settings]
    if wrong := next((pair for pair in arguments.settings if "=" not in pair), None):
        raise UsageError(f"{wrong}: a setting of the loader is written KEY=VALUE, as in at_most=100")
    loader = build(resolve(compose([f"+loader={arguments.loader}", *changed], name="empty")["loader"]))
    if not hasattr(loader, "wanted_images"):
        raise UsageError(f"loader {arguments.loader} names no images by URL; those of interleaved documents do")
    known = {field.name for field in fields(Settings)}
    settings = Settings(**{name: value for name, value in vars(arguments).items() if name in known})
    counts = fetch_images(
        loader.wanted_images(), loader.store.folder, settings, yes=arguments.yes, retry=arguments.retry
    )
    text = f"{counts}\nstore: {loader.store.folder}\n"
    if not arguments.yes and counts.hosts:
        text += "nothing is fetched yet: --yes fetches it, --contact says to the servers' owners who you are\n"
    return text, not counts.failed
