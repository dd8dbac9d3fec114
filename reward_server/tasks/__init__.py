"""The trusted side of grading as frozen records, one module per grader, field for field what the proto says.

A record checks itself when it is made and raises `InvalidTaskError` with the field's path. `wire.py` makes records from
messages by field name, so the two must agree; a test holds them to it.
"""
