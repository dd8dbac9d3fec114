"""Who is at fault when a judge program gives no verdict."""

import pytest

from sandboxes.guests.code_tests.interactive_judge import Program, _outcome


def outcome(source, *lines, ended="it ended"):
    left = list(lines)

    def exchange(message):
        if message["want"] == "rest":
            return {"rest": "\n".join(left)}
        return {"line": left.pop(0)} if left else {"fault": ["ended", ended]}

    return _outcome({"source": source, "data": "7"}, Program(exchange, lambda _: None))


def judging(body):
    return "def judge(program, data):\n" + "\n".join(f"    {line}" for line in body.split("\n"))


@pytest.mark.parametrize(
    ("body", "lines", "share"),
    [
        ("return program.read_int() == int(data)", ["7"], 1.0),
        ("return program.read_int() == int(data)", ["8"], 0.0),
        ("return program.read_ints(3) == [1, -2, 3]", ["1 -2 +3"], 1.0),
        ("return program.read_float() == 0.5", ["5e-1"], 1.0),
        ("return program.read_tokens(), 'x'", ["a b"], None),
        ("return 0.5, 'half'", [], 0.5),
        ("program.close()\nreturn program.read_rest() == 'a\\nb'", ["a", "b"], 1.0),
        ("try:\n    program.read_line()\nexcept program.Fault:\n    return 0.25", [], 0.25),
        ("try:\n    program.read_line()\nexcept Fault:\n    return 0.25", [], 0.25),
    ],
)
def test_what_a_judge_returns_is_the_verdict(body, lines, share):
    """True, False, a share, or one of them with a message; anything else is its author's mistake."""
    said = outcome(judging(body), *lines)
    assert ("error" in said) if share is None else said["share"] == share


@pytest.mark.parametrize(
    ("body", "lines", "fault"),
    [
        ("return program.read_int() == 7", [], "ended"),
        ("return program.read_int() == 7", ["x"], "nonsense"),
        ("return program.read_int() == 7", ["1 2"], "nonsense"),
        ("return program.read_int(1, 5) == 7", ["6"], "nonsense"),
        ("return program.read_int() == 7", ["9" * 5000], "nonsense"),
        ("return program.read_int() == 7", ["\u0663"], "nonsense"),
        ("return program.read_int() == 7", ["+-3"], "nonsense"),
        ("return program.read_float() == 7", ["nan"], "nonsense"),
        ("return int(program.read_line()) == 7", ["x"], "nonsense"),
        ("return 1 / int(program.read_line()) == 7", ["0"], "nonsense"),
        ("return program.read_line().split()[1] == 7", [""], "nonsense"),
        ("assert program.read_line() == 'yes'\nreturn True", ["no"], "nonsense"),
    ],
)
def test_nonsense_and_silence_are_the_programs_fault(body, lines, fault):
    """Also where a judge stumbles over them itself: a response must not choose to go ungraded."""
    assert outcome(judging(body), *lines)["fault"] == fault


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def judge(program, data", []),
        ("import no_such_library\ndef judge(program, data): return True", []),
        (judging("return undefined_name"), ["1"]),
        (judging("program.read_line()\nreturn undefined_name"), ["1"]),
        (judging("raise ValueError"), ["1"]),
        (judging("program.read_line()\nraise RuntimeError"), ["1"]),
        (judging("program.read_line()\nraise SystemExit"), ["1"]),
        (judging("return None"), []),
        (judging("return 2"), []),
        (judging("return float('nan')"), []),
    ],
)
def test_a_broken_judge_is_its_authors_fault(source, lines):
    """What no word of a response causes, and what happens whatever a response says."""
    assert "error" in outcome(source, *lines)
