"""Programs that call a response's functions, for the languages whose values have types to tell them by.

A harness is written in the language itself (`harnesses/`): it loads the response's code, reads the arguments of one
call at a time as JSON and says what the function returned as JSON. It knows nothing of what is expected. Here it is put
together with the response's code by plain scans, linear in the code; nothing is parsed.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from reward_server.tasks.code_tests import Language

_Sources = dict[str, str]


def harnessed(language: Language, code: str, functions: Sequence[str]) -> _Sources:
    """Return the files of a program that calls ``functions`` of ``code`` as it is asked to."""
    return _BUILDERS[language](code, functions)


@cache
def _harness(name: str) -> str:
    return Path(__file__).with_name("harnesses").joinpath(name).read_text("utf-8")


def _javascript(code: str, functions: Sequence[str]) -> _Sources:
    return {"main.js": code, "harness.js": _harness("harness.js"), "harness.json": json.dumps(functions)}


def _typescript(code: str, functions: Sequence[str]) -> _Sources:
    return {"main.ts": code, "harness.js": _harness("harness.js"), "harness.json": json.dumps(functions)}


def _lua(code: str, functions: Sequence[str]) -> _Sources:
    names = json.dumps([*functions, "Solution"], separators=(",", ":"))
    return {"main.lua": code, "harness.lua": _harness("harness.lua"), "harness.json": names}


def _php(code: str, functions: Sequence[str]) -> _Sources:
    del functions
    return {"main.php": code if "<?" in code else f"<?php\n{code}", "harness.php": _harness("harness.php")}


def _ruby(code: str, functions: Sequence[str]) -> _Sources:
    del functions
    return {"main.rb": code, "harness.rb": _harness("harness.rb")}


def _go(code: str, functions: Sequence[str]) -> _Sources:
    """A response's own ``main`` is kept under another name, and its package becomes ours."""
    lines = ["package main" if line.startswith("package ") else line for line in code.split("\n")]
    if "package main" not in lines:
        lines.insert(0, "package main")
    lines = [
        f"func answerMain(){line[len('func main()') :]}" if line.startswith("func main()") else line for line in lines
    ]
    head = 'package main\n\nimport "reflect"\n\n'
    table = "".join(f"\t{json.dumps(name)}: reflect.ValueOf({name}),\n" for name in functions)
    return {
        "main.go": "\n".join(lines),
        "harness.go": _harness("harness.go"),
        "harness_table.go": f"{head}var harnessFunctions = map[string]reflect.Value{{\n{table}}}\n",
    }


def _java(code: str, functions: Sequence[str]) -> _Sources:
    """Methods without a class are put into one; a program without imports gets the usual ones."""
    del functions
    lines = [line for line in code.split("\n") if not line.startswith("package ")]
    if not any(_class_name(line) for line in lines):
        lines = ["class Solution {", *lines, "}"]
    if not any(line.startswith("import ") for line in lines):
        lines.insert(0, "import java.util.*; import java.util.function.*; import java.util.stream.*;")
    public = next((name for line in lines if line.startswith("public ") and (name := _class_name(line))), "Solution")
    return {f"{public}.java": "\n".join(lines), "Harness.java": _harness("Harness.java")}


def _class_name(line: str) -> str:
    """Return the name of the class that an unindented line begins; empty for none."""
    words = line[:300].replace("{", " ").replace("<", " ").split() if line[:1].strip() else []
    kinds = ("class", "interface", "record", "enum")
    at = next((i for i, word in enumerate(words[:5]) if word in kinds), None)
    name = words[at + 1].partition("(")[0] if at is not None and at + 1 < len(words) else ""
    return name if name.isidentifier() and not name.startswith("Harness") else ""


def _cpp(code: str, functions: Sequence[str]) -> _Sources:
    """A response's own ``main`` gets another name; where ``std`` is never named, it is opened, as judges do."""
    opened = "" if "std::" in code or "namespace std" in code else "using namespace std;\n"
    scope = "Solution::" if any(f"{kind} Solution" in code for kind in ("class", "struct")) else ""
    pointer = "&Solution::" if scope else ""
    table = "".join(f"      {{{json.dumps(name)}, harness::callable({pointer}{name})}},\n" for name in functions)
    main = (
        f'#include "harness.hpp"\n{opened}#define main answer_main\n#include "answer.hpp"\n#undef main\n'
        f"#undef int\n\nint main() {{\n  return harness::serve({{\n{table}  }});\n}}\n"
    )
    return {"main.cpp": main, "answer.hpp": code, "harness.hpp": _harness("harness.hpp")}


def _rust(code: str, functions: Sequence[str]) -> _Sources:
    """A response's own ``main`` gets another name; attributes of the whole crate are left out."""
    lines = [line for line in code.split("\n") if not line.startswith("#![")]
    lines = [line.replace("fn main(", "fn answer_main(", 1) if _begins_main(line) else line for line in lines]
    if "impl Solution" in code and "struct Solution" not in code:
        lines.insert(0, "pub struct Solution;")
    scope = "Solution::" if "impl Solution" in code else ""
    arms = "".join(f"        {json.dumps(name)} => {scope}{name}.invoke(input),\n" for name in functions)
    main = (
        "#![allow(warnings)]\n"
        'include!("harness.rs");\ninclude!("answer.rs");\n\nfn main() {\n    use harness::Callable;\n'
        "    harness::serve(|name: &str, input: &mut harness::Reader| match name {\n"
        f'{arms}        _ => Err("no such function".to_string()),\n    }})\n}}\n'
    )
    return {"main.rs": main, "answer.rs": "\n".join(lines), "harness.rs": _harness("harness.rs")}


def _begins_main(line: str) -> bool:
    return line.startswith(("fn main(", "pub fn main("))


_BUILDERS: dict[Language, Callable[[str, Sequence[str]], _Sources]] = {
    Language.CPP: _cpp,
    Language.GO: _go,
    Language.JAVA: _java,
    Language.JAVASCRIPT: _javascript,
    Language.LUA: _lua,
    Language.PHP: _php,
    Language.RUBY: _ruby,
    Language.RUST: _rust,
    Language.TYPESCRIPT: _typescript,
}
