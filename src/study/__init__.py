"""The study: MLP against CNN, pixels unpermuted against permuted, with and without augmentation.

Nothing imports it but the notebooks."""
