"""Tests of chatspec, and of the documents that it was written from."""

import os
from pathlib import Path

SPECS = Path(__file__).resolve().parents[2]
# Vectors from outside are not part of the repository: CHAT_VECTORS, or beside it. What is not there is skipped.
VECTORS = Path(os.environ.get("CHAT_VECTORS", SPECS.parent.parent / "shared" / "vectors"))
