"""From a configuration to a saved model: build, train, calibrate, evaluate, save.

Nothing that serving needs; the API does not import it."""
