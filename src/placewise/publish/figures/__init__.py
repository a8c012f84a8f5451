"""Figures of the report: matplotlib, as SVG that stands inside a page."""
