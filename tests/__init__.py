"""A package of its own, for one that we install brings another of the same name."""
