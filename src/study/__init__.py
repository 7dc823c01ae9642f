"""The study: MLP against CNN, pixels in order against permuted, with and without augmentation."""
