"""What only measures a trained model: stroke files, out-of-distribution sets, quality.

Training and serving do not import it."""
