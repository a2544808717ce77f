"""The only place where a task meets a model: build, loop, evaluate, checkpoint."""
