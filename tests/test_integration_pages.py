"""Every adapter has a page, and the versions that pages name are the ones that tests install."""

import re
from pathlib import Path
from pkgutil import iter_modules

import pytest

import trainer_client.adapters

ROOT = Path(__file__).parents[1]
PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "integrations").glob("*.md")}
SHARED = {"rows", "source", "stacks"}
PACKAGES = {
    "areal": ["areal"],
    "eval_protocol": ["eval-protocol"],
    "inspect_ai": ["inspect-ai"],
    "openrlhf": ["openrlhf"],
    "skyrl": ["skyrl-gym"],
    "tinker": ["tinker", "tinker-cookbook"],
    "trl": ["trl"],
    "verifiers": ["verifiers"],
    "verl": ["verl"],
}


def pins(package):
    """The versions of ``package`` in the lists of the integration tests."""
    lists = [path.read_text("utf-8") for path in (ROOT / "tests" / "integrations").glob("*.txt")]
    return {version for text in lists for version in re.findall(rf"^{package}==(\S+)$", text, re.MULTILINE)}


def test_every_adapter_has_a_page_and_a_row():
    """An adapter that nobody can read about does not exist."""
    adapters = {module.name for module in iter_modules(trainer_client.adapters.__path__)} - SHARED
    index = (ROOT / "docs" / "integrations.md").read_text("utf-8")
    assert adapters <= PAGES.keys()
    assert {name for name in PAGES if f"(integrations/{name}.md)" in index} == PAGES.keys()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_say_what_was_tested(name):
    """A page names the versions that are installed for its tests, or says that only shapes were tested."""
    versions = {version for package in PACKAGES.get(name, ()) for version in pins(package)}
    if not versions:
        assert "Recorded shapes only" in PAGES[name]
    assert all(version in PAGES[name] for version in versions), versions


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_show_code_that_can_be_read(name):
    """The Python of a page is Python, and what it imports from here is there."""
    for block in re.findall(r"```python\n(.*?)```", PAGES[name], re.DOTALL):
        compile(block, name, "exec")
        for module, names in re.findall(r"^from (trainer_client\S*) import ([\w, ]+)", block, re.MULTILINE):
            found = __import__(module, fromlist=["_"])
            assert all(hasattr(found, each.strip()) for each in names.split(","))
