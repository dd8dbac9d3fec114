"""The HTTP gateway: the same engine, queue, verdicts and Failures as over gRPC, in the words of many clients.

One small module for each protocol. `desk` grades for all of them, `labels` makes tasks of what they call labels,
`failures` says how each is told that something could not be graded, `guards` stands before everything, `app` is the map
of paths. The ASGI stack is imported here and nowhere else. docs/gateway.md is the page for users.
"""
