"""What a model is, how it is trained, how it classifies.

No HTTP, no page, nothing that only measures."""

import os

# ONNX Runtime sends telemetry from version 1.29 on; this must be set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
