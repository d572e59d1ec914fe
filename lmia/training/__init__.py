"""Training: the loop, optimizers, and what a journal keeps of it."""
