"""The embedded example: a made-up country whose every area has a known truth."""

from __future__ import annotations

from placewise.pipeline.example.write import write_example

__all__ = ["write_example"]
