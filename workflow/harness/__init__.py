"""What stands around a job and decides no byte of its result: logs, attempts, journals, sharing, hashes, GPUs.

No hash of code covers this folder, so an edit in it re-runs nothing. Whatever decides a number belongs elsewhere:
tests/law/test_harness.py changes this folder, and compares results byte for byte.
"""
