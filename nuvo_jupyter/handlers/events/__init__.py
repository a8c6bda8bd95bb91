"""Schemas of the events this server emits."""

from __future__ import annotations

from pathlib import Path

PROGRESS = "https://schema.nuvo-jupyter.org/events/progress/v1"
PROGRESS_FILE = Path(__file__).with_name("progress.yaml")
