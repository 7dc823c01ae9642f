"""What a model is, how it is trained, how it classifies.

No HTTP, no page, nothing that only measures: those are app/ and evaluation/."""
