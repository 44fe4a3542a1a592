"""No test waits for a hub that is not there, and none writes into the home folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

if os.environ.get("MMBENCH_NETWORK") != "1":  # read when huggingface_hub is imported, so before any test module is
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
# What is made of fixtures is known by its content, so that the next run of the tests may find it.
os.environ.setdefault("MMBENCH_CACHE", str(Path(tempfile.gettempdir()) / f"mmbench-tests-{os.getuid()}"))
