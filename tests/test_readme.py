"""What the documents show works as they show it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/*.md"), *ROOT.glob("docs/*/*.md")]
FOLDERS = "benchmarks|converters|docker|docs|examples|proto|reward_server|sandboxes|tests|trainer_client"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]+\.[a-z]+)")
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)

pytestmark = pytest.mark.timeout(300)  # a server that starts loads all graders, on a busy machine for long


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=ROOT, timeout=280, check=False
    )


@pytest.mark.parametrize(
    ("block", "printed"), [(0, PRINTED[0]), (1, "1.0 accepted\n")], ids=["through a server", "a rule alone"]
)
def test_readme_code(block, printed):
    """The README's Python runs as it stands, and prints what the README shows."""
    done = run("-c", BLOCKS[block])
    assert (done.returncode, done.stdout) == (0, printed), done.stderr


def test_readme_code_is_all_run():
    """Every Python block of the README is run here."""
    assert len(BLOCKS) == 2


def test_grading_without_a_server():
    """The README's command line grades an example file."""
    done = run("-m", "reward_server", "grade", "examples/math_answer.jsonl", "--sandbox", "local", "--out", "/dev/null")
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere():
    """Every file that a document links to exists."""
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_files_that_documents_name_exist():
    """What a document calls by its path is there, but for the example of a grader to be written."""
    named = {(document.name, path) for document in DOCUMENTS for path in NAMED.findall(document.read_text("utf-8"))}
    assert len(named) > 20
    assert [(name, path) for name, path in named if "unit_answer" not in path and not (ROOT / path).exists()] == []
