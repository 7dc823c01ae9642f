"""What a model is, how it is trained, how it classifies.

No HTTP, no page, nothing that only measures: those are app/ and evaluation/."""

import os

# Set before onnxruntime is imported, which since 1.29 reports its use to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
