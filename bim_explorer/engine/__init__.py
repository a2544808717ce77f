"""Model and learner as objects with state; they compose the maths of `functional` and `kernels`."""
