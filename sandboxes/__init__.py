"""Runs untrusted things and reports facts. It knows nothing of tasks, scores or verdicts."""
