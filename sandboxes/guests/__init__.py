"""Programs put into boxes: the box's machinery here, and what a grader runs in it under the grader's name.

They import the standard library, one domain library, and each other by relative import: in a box this package is
``guests``.
"""
