"""Pure tensor maths, one idea a file: no state, no config."""
