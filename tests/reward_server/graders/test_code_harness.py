"""How a response's code becomes a program whose functions can be called."""

import pytest

from reward_server.graders.code_harness import harnessed
from reward_server.tasks.code_tests import CALLED_LANGUAGES, Language


@pytest.mark.parametrize("language", sorted(CALLED_LANGUAGES - {Language.PYTHON}))
def test_every_called_language_has_a_harness(language):
    """The response's code and a program of ours, and nothing that is expected."""
    files = harnessed(language, "code", ["f"])
    assert len(files) >= 2
    assert any("code" in text for text in files.values())


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("func f() {}", "package main"),
        ("package solution\n\nfunc f() {}", "package main"),
        ("package main\nfunc main() { f() }", "func answerMain() { f() }"),
    ],
)
def test_go_code_becomes_part_of_our_package(code, line):
    """Its own main is kept under another name."""
    lines = harnessed(Language.GO, code, ["f"])["main.go"].split("\n")
    assert line in lines
    assert lines.count("package main") == 1


@pytest.mark.parametrize(
    ("code", "path", "text"),
    [
        ("class Solution { }", "Solution.java", "import java.util.*;"),
        ("import java.util.List;\npublic final class Main<T> {\n}", "Main.java", "import java.util.List;"),
        ("package a.b;\npublic class Thing { class Inner {} }", "Thing.java", "public class Thing"),
        ("public int f(int x) {\n  return x;\n}", "Solution.java", "class Solution {"),
        ("record P(int x) {}\npublic class Q {}", "Q.java", "record P"),
        ("public class Harness {}", "Solution.java", "class Solution {"),
    ],
)
def test_java_code_lies_in_the_file_of_its_public_class(code, path, text):
    """Methods without a class are put into one, and packages are taken away."""
    files = harnessed(Language.JAVA, code, ["f"])
    assert set(files) == {path, "Harness.java"}
    assert text in files[path]
    assert "package" not in files[path]


def test_cpp_and_rust_find_functions_and_methods():
    """A class Solution is asked for its method; std is opened where the code never names it."""
    assert "callable(f)" in harnessed(Language.CPP, "int f();", ["f"])["main.cpp"]
    assert "callable(&Solution::f)" in harnessed(Language.CPP, "class Solution {};", ["f"])["main.cpp"]
    assert "using namespace std" not in harnessed(Language.CPP, "std::string f();", ["f"])["main.cpp"]
    assert "Solution::f.invoke" in harnessed(Language.RUST, "impl Solution {}", ["f"])["main.rs"]
    answer = harnessed(Language.RUST, "#![allow(x)]\nfn main() {}\nimpl Solution {}", ["f"])["answer.rs"]
    assert answer.split("\n") == ["pub struct Solution;", "fn answer_main() {}", "impl Solution {}"]
