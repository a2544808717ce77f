"""Background engine: a worker process a run, the client that drives it, the hub that shares it."""
