"""The digits that a network is trained on: MNIST, augmentation, batches.

Nothing that serving needs; the API does not import it."""
