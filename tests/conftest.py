"""What all tests share."""

import os

# Before torch is imported: tests' tensors are tiny, and threads that wait for a busy core cost more than they win.
os.environ.setdefault("OMP_NUM_THREADS", "1")
