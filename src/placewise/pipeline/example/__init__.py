"""The embedded example: a made-up country whose every area has a known truth."""

from __future__ import annotations

from placewise.pipeline.example.own_project import write_own_areas
from placewise.pipeline.example.write import write_example

__all__ = ["write_example", "write_own_areas"]
