"""Programs around a response's code: what runs it, what tests it, and what conducts both."""
