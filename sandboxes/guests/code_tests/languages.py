"""The languages of whole programs, a row each: what their file is called, how it is compiled and how it is run.

Commands run in the run's own directory; what compilation leaves there, but hidden files and directories, is what runs
are given. In commands ``{memory_mib}`` stands for the run's memory limit.

Mono looks for its stack in /proc, which runs do not have: ``mono-boxed``, in the image, tells it otherwise.
"""

from typing import NamedTuple


class Toolchain(NamedTuple):
    """How a language is compiled and run."""

    file_name: str
    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    """Empty where there is nothing to compile."""
    managed: bool = False
    """Its runtime reserves more address space than it uses and starts threads of its own."""
    compiled: tuple[str, ...] = ("\0",)
    """How files are called that are compiled together with the main one; no file is called so where there are none."""
    environment: tuple[tuple[str, str], ...] = ()


_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")
_GO = (("GOCACHE", "/tmp/.go"), ("GOPATH", "/tmp/.gopath"), ("GO111MODULE", "off"), ("CGO_ENABLED", "0"))

TOOLCHAINS = {
    "bash": Toolchain("main.sh", ("bash", "main.sh")),
    "c": Toolchain(
        "main.c", ("./main",), ("gcc", "-std=gnu17", "-O2", "-pipe", "-o", "main", "main.c", "-lm"), compiled=(".c",)
    ),
    "cpp": Toolchain(
        "main.cpp",
        ("./main",),
        ("g++", "-std=gnu++20", "-O2", "-pipe", "-o", "main", "main.cpp"),
        compiled=(".cpp", ".cc", ".cxx"),
    ),
    "csharp": Toolchain(
        "main.cs",
        ("mono-boxed", "main.exe"),
        ("mono-boxed", "/usr/lib/mono/4.5/mcs.exe", "-out:main.exe", "-r:System.Numerics", "-r:System.Core", "main.cs"),
        managed=True,
        compiled=(".cs",),
    ),
    "go": Toolchain(
        "main.go",
        ("./main",),
        ("go", "build", "-o", "main", "main.go"),
        managed=True,
        environment=_GO,
        compiled=(".go",),
    ),
    "java": Toolchain(
        "Main.java",
        ("java", *_JVM, "-Xmx{memory_mib}m", "-Xss64m", "-cp", ".", "Main"),
        ("javac", *(f"-J{option}" for option in _JVM), "-nowarn", "-d", ".", "Main.java"),
        managed=True,
        compiled=(".java",),
    ),
    "javascript": Toolchain("main.js", ("node", "--stack-size=4000", "main.js"), managed=True),
    "lua": Toolchain("main.lua", ("lua5.4", "main.lua")),
    "perl": Toolchain("main.pl", ("perl", "main.pl")),
    "php": Toolchain("main.php", ("php", "main.php")),
    "r": Toolchain("main.R", ("Rscript", "--vanilla", "main.R")),
    "ruby": Toolchain("main.rb", ("ruby", "main.rb")),
    "rust": Toolchain(
        "main.rs", ("./main",), ("rustc", "--edition=2021", "-O", "-C", "strip=symbols", "-o", "main", "main.rs")
    ),
    "typescript": Toolchain(
        "main.ts",
        ("node", "--stack-size=4000", "main.js"),
        ("tsc", "--target", "es2020", "--module", "commonjs", "--skipLibCheck", "main.ts"),
        managed=True,
        compiled=(".ts",),
    ),
}

_NODE_HARNESS = ("node", "--stack-size=4000", "harness.js")
CALLED = {
    "javascript": TOOLCHAINS["javascript"]._replace(run=_NODE_HARNESS),
    "typescript": TOOLCHAINS["typescript"]._replace(run=_NODE_HARNESS),
    "lua": TOOLCHAINS["lua"]._replace(run=("lua5.4", "harness.lua")),
    "php": TOOLCHAINS["php"]._replace(run=("php", "harness.php")),
    "ruby": TOOLCHAINS["ruby"]._replace(run=("ruby", "harness.rb")),
    "java": TOOLCHAINS["java"]._replace(
        file_name="Harness.java",
        run=(*TOOLCHAINS["java"].run[:-1], "Harness"),
        build=(*TOOLCHAINS["java"].build[:-1], "Harness.java"),
    ),
}
"""How programs are compiled and run whose functions are called by a harness, where that differs."""
