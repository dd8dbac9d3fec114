"""Reward functions and environments for other people's trainers, one module a stack; `source` has what they share.

None imports anything of its stack before it is used.
"""
