"""Files of tasks and of responses: where they may lie, and which blocks they are."""

from datetime import timedelta

import pytest

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_code, named_files
from reward_server.tasks.code_files import MAX_FILE_BYTES, MAX_FILES, TaskFile, check_files, check_path
from reward_server.tasks.code_tests import CallTest, CodeTestsTask, InteractiveTest, Language
from reward_server.tasks.code_tests import TestLimits as OwnLimits
from sandboxes.base import Limits


@pytest.mark.parametrize("path", ["a", "a.py", "dir/a.txt", "dir/.hidden", "ein Bild.png", "a/b/c/d", "日本.txt"])
def test_paths_below_the_directory_are_fine(path):
    """Plain names, one after another."""
    check_path(path, "path")


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "..", "../a", "a/../../b", "a/..", "./a", "a//b", "a/", "a\\b", "a\0b", "a\nb", " a"),
        *("a" * 256, "harness.js", "Harness.java", "solution.py", "harness_table.go", "~/../x"),
    ],
)
def test_other_paths_are_refused(path):
    """Nothing may lie elsewhere, or in place of a file of ours."""
    with pytest.raises(InvalidTaskError) as caught:
        check_path(path, "files[0].path")
    assert caught.value.field == "files[0].path"


@pytest.mark.parametrize(
    ("files", "mine", "field"),
    [
        ([TaskFile(path="a"), TaskFile(path="a")], [], "files[1].path"),
        ([TaskFile(path="a/b"), TaskFile(path="a")], [], "files[0].path"),
        ([TaskFile(path="a", text="x", data=b"y")], [], "files[0]"),
        ([TaskFile(path="a", data=bytes(MAX_FILE_BYTES + 1))], [], "files[0]"),
        ([TaskFile(path=f"f{i}", data=bytes(MAX_FILE_BYTES)) for i in range(5)], [], "files"),
        ([TaskFile(path=str(i)) for i in range(MAX_FILES + 1)], [], "files"),
        ([], [str(i) for i in range(21)], "response_files"),
        ([], ["a", "a"], "response_files[1]"),
        ([], ["../a"], "response_files[0]"),
        ([TaskFile(path="a", secret=True)], ["a"], "response_files[0]"),
    ],
)
def test_a_task_whose_files_cannot_lie_together_says_where(files, mine, field):
    """The path of the field is in the error."""
    with pytest.raises(InvalidTaskError) as caught:
        check_files(files, mine)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "response",
    [
        "```python a.py\nx\n```",
        "```a.py\nx\n```",
        '```python title="a.py"\nx\n```',
        "```python filename=a.py\nx\n```",
        "```python:a.py\nx\n```",
        "a.py\n```python\nx\n```",
        "**a.py**\n\n```python\nx\n```",
        "### `a.py`:\n```python\nx\n```",
        "File: a.py\n```python\nx\n```",
        "1st draft\n```python a.py\ny\n```\n2nd\n```python a.py\nx\n```",
    ],
)
def test_a_block_names_its_file(response):
    """Behind the fence, or alone in the line above; the last block for a path counts."""
    assert named_files(response, ["a.py", "b.py"]) == {"a.py": "x\n"}
    assert extract_code(response, ["python"], without=["a.py"]).text is None


@pytest.mark.parametrize("first", ["# a.py", "// a.py", "-- a.py", "/* a.py */", "<!-- a.py -->", "# File: a.py"])
def test_a_comment_on_the_first_line_names_the_file(first):
    """In any language's comments."""
    assert named_files(f"```\n{first}\nx\n```", ["a.py"]) == {"a.py": f"{first}\nx\n"}


@pytest.mark.parametrize(
    "response",
    [
        "```python\nx\n```",
        "see a.py below\n```python\nx\n```",
        "```python b.py\nx\n```",
        "a.py",
        "```python\nopen('a.py')\n```",
        "```python c.py\nimport a.py\n```",
    ],
)
def test_other_blocks_name_none(response):
    """A mention is no name."""
    assert named_files(response, ["a.py"]) == {}


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (OwnLimits(cpu_time=timedelta(seconds=11)), "call_tests[0].limits.cpu_time"),
        (OwnLimits(cpu_time=timedelta(0)), "call_tests[0].limits.cpu_time"),
        (OwnLimits(wall_time=timedelta(seconds=-1)), "call_tests[0].limits.wall_time"),
        (OwnLimits(memory_bytes=1 << 40), "call_tests[0].limits.memory_bytes"),
    ],
)
def test_a_test_may_not_ask_for_more_than_the_server_gives(limits, field):
    """The path of the field is in the error."""
    task = CodeTestsTask(entry_point="f", call_tests=(CallTest(expected="1", limits=limits),))
    with pytest.raises(InvalidTaskError) as caught:
        task.check_within(Limits())
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"interactive_tests": (InteractiveTest(),)}, "interactive_judge"),
        ({"interactive_judge": "def judge(p, d): pass", "call_tests": (CallTest(expected="1"),)}, "interactive_judge"),
        ({"interactive_tests": (InteractiveTest(),), "interactive_judge": "x = 1"}, "interactive_judge"),
        (
            {"interactive_tests": (InteractiveTest(max_turns=2_000_000),), "interactive_judge": "def judge(p, d): 1"},
            "interactive_tests[0].max_turns",
        ),
        ({"language": Language.PERL, "call_tests": (CallTest(expected="1"),)}, "call_tests"),
        ({"language": Language.GO, "call_tests": (CallTest(args=("{1}",), expected="1"),)}, "call_tests[0].args[0]"),
        ({"language": Language.GO, "call_tests": (CallTest(args=("inf",), expected="1"),)}, "call_tests[0].args[0]"),
        ({"language": Language.GO, "call_tests": (CallTest(kwargs={"a": "1"}, expected="1"),)}, "call_tests[0].kwargs"),
        (
            {"language": Language.GO, "call_tests": (CallTest(function="f;g", expected="1"),)},
            "call_tests[0].function",
        ),
    ],
)
def test_a_task_that_cannot_be_graded_says_where(fields, field):
    """The path of the field is in the error."""
    with pytest.raises(InvalidTaskError) as caught:
        CodeTestsTask(entry_point="f", **fields)
    assert caught.value.field == field
