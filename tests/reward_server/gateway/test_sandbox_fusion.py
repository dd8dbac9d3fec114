"""SandboxFusion's calls against a real sandbox, and what verl's client makes of limits."""

import base64

import pytest
import pytest_asyncio
from http_gateway import detail_of, gateway, real_gateway

from sandboxes.base import Ending, Execution

pytestmark = pytest.mark.asyncio(loop_scope="module")
TESTS = [{"input": {"stdin": f"{i}\n"}, "output": {"stdout": f"{2 * i}\n"}} for i in range(3)]
DOUBLE = "```python\nprint(2 * int(input()))\n```"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real():
    async with real_gateway() as client:
        yield client


async def run(client, code, **rest):
    answer = await client.post("/run_code", json={"language": "python", "code": code, **rest})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_ping(real):
    """The liveness check of SandboxFusion's clients, at its native path and below the prefix."""
    assert (await real.get("/v1/ping")).text == "pong"
    assert (await real.get("/sandbox_fusion/v1/ping")).text == "pong"


async def test_a_program_is_run(real):
    """Standard input goes in; output, return code and time come out."""
    said = await run(real, "import sys\nprint(input()[::-1])\nprint('e', file=sys.stderr)", stdin="abc\n")
    assert said["status"] == "Success"
    assert said["compile_result"] is None
    ran = said["run_result"]
    assert (ran["status"], ran["return_code"], ran["stdout"], ran["stderr"]) == ("Finished", 0, "cba\n", "e\n")
    assert ran["execution_time"] > 0


@pytest.mark.parametrize(
    ("code", "status", "return_code", "stderr"),
    [
        ("raise SystemExit(3)", "Finished", 3, ""),
        ("1 / 0", "Finished", 1, "ZeroDivisionError"),
        ("def (", "Finished", 1, "SyntaxError"),
        ("while True: pass", "TimeLimitExceeded", None, ""),
        ("print('x' * 3_000_000)", "Finished", -9, "output limit"),
        ("import os; os.kill(os.getpid(), 11)", "Finished", -11, "signal 11"),
    ],
)
async def test_what_a_program_does_wrong_is_failed_and_never_an_error_of_the_sandbox(
    real, code, status, return_code, stderr
):
    """Exits, exceptions and limits are the program's doing: clients must not take them for trouble of ours."""
    said = await run(real, code, run_timeout=1)
    assert said["status"] == "Failed"
    assert (said["run_result"]["status"], said["run_result"]["return_code"]) == (status, return_code)
    assert stderr in said["run_result"]["stderr"]


async def test_files_go_in_and_out(real):
    """Files lie in the program's directory, folders are made, and those asked for come back, if they are there."""
    code = "open('out/b.txt', 'w').write(open('in/a.txt').read() * 2)"
    files = {"in/a.txt": base64.b64encode(b"hi").decode(), "out/keep": None}
    said = await run(real, code, files=files, fetch_files=["out/b.txt", "missing.txt"])
    assert said["status"] == "Success"
    assert said["files"] == {"out/b.txt": base64.b64encode(b"hihi").decode()}


async def test_links_and_pipes_are_not_fetched(real):
    """A fetched path that is no plain file is left out, and nothing waits for it."""
    code = "import os\nos.symlink('/etc/passwd', 'link')\nos.mkfifo('pipe')\nos.mkdir('folder')\nraise SystemExit(5)"
    said = await run(real, code, fetch_files=["link", "pipe", "folder"])
    assert said["files"] == {}
    assert said["run_result"]["return_code"] == 5


async def test_code_that_is_too_long_is_the_programs_doing(real):
    """A model cannot break a box, or go ungraded, by writing more than a box takes."""
    said = await run(real, "#" * (9 << 20))
    assert (said["status"], said["run_result"]["return_code"]) == ("Failed", 1)
    assert "bytes of code" in said["run_result"]["stderr"]


async def test_the_largest_of_everything_breaks_no_box(real):
    """Code, input and files at their limits, of characters that take the most room, are run or Failed."""
    big = base64.b64encode(bytes(3 << 20)).decode()
    rest = {"stdin": "\x01" * (8 << 20), "files": {"a": big}, "fetch_files": ["a"]}
    worst = await run(real, "\x01" * (1 << 20), **rest)
    usual = await run(real, "#" * (1 << 20), **rest)
    assert (worst["status"], worst["run_result"]["return_code"]) == ("Failed", -9)
    assert "its files are too large" in worst["run_result"]["stderr"]
    assert (usual["status"], usual["files"]) == ("Success", {"a": big})


async def test_other_languages_are_run(real):
    """A script with files, and a compiler's error as SandboxFusion tells it."""
    files = {"a.txt": base64.b64encode(b"from a file").decode()}
    said = await run(real, "cat a.txt; exit 7", language="bash", files=files)
    assert (said["run_result"]["stdout"], said["run_result"]["return_code"]) == ("from a file", 7)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"language": "cobol"}, "language: 'cobol' is not run here"),
        ({"code": 5}, "code: Expected `str`, got `int`"),
        ({"run_timeout": 0}, "run_timeout: 0 is not above 0"),
        ({"compile_timeout": 1e6}, "compile_timeout: 1e+06 is not above 0 and at most 120"),
        ({"memory_limit_MB": 10**6}, "memory_limit_MB: 1e+06"),
        ({"files": {"../x": ""}}, "files['../x']: a path below"),
        ({"files": {"/etc/x": ""}}, "files['/etc/x']: a path below"),
        ({"stdin": "x" * ((8 << 20) + 1)}, "stdin: more than 8388608 bytes"),
        ({"files": {"x": "!"}}, "files['x']: no base64"),
        ({"files": {"x": base64.b64encode(bytes(5 << 20)).decode()}}, "files: 5242880 bytes together"),
        ({"fetch_files": ["ok", "a/../../b"]}, "fetch_files[1]: a path below"),
    ],
)
async def test_malformed_requests_name_the_field(real, change, said):
    """What is wrong is told by its path."""
    answer = await real.post("/run_code", json={"language": "python", "code": "1", **change})
    assert answer.status_code == 400
    assert said in detail_of(answer)


async def submit(client, completion, **config):
    config = {"dataset_type": "CommonOJDataset", "provided_data": {"id": 7, "test": TESTS}, **config}
    return await client.post("/submit", json={"dataset": "d", "id": 7, "completion": completion, "config": config})


async def test_a_submission_is_graded_by_its_tests(real):
    """Each test is told; only all of them together are accepted."""
    right = (await submit(real, f"Think.\n{DOUBLE}\nDone.")).json()
    wrong = (await submit(real, "```python\nprint(0)\n```", language="python", run_timeout=5)).json()
    assert (right["id"], right["accepted"], right["extracted_code"]) == (7, True, "print(2 * int(input()))")
    assert [test["passed"] for test in right["tests"]] == [True] * 3
    assert (wrong["accepted"], [test["passed"] for test in wrong["tests"]]) == (False, [True, False, False])
    assert wrong["tests"][1]["exec_info"]["status"] == "Failed"


async def test_asserts_of_mbpp_are_graded(real):
    """MBPP's data runs its asserts apart from the code, so that an early exit gains nothing."""
    data = {
        "id": 1,
        "content": "",
        "test": '["assert f(2) == 4", "assert f(3) == 9"]',
        "labels": {"test_setup_code": ""},
    }
    config = {"dataset_type": "MBPPDataset", "provided_data": data}
    right = (await submit(real, "```python\ndef f(x):\n    return x * x\n```", **config)).json()
    cheat = (await submit(real, "```python\nimport os\nos._exit(0)\n```", **config)).json()
    assert (right["accepted"], cheat["accepted"]) == (True, False)


async def test_extraction_code_is_never_executed(real, tmp_path):
    """What SandboxFusion executes on its host is refused here, and nothing of it runs."""
    mark = tmp_path / "mark"
    answer = await submit(real, DOUBLE, custom_extract_logic=f"open({str(mark)!r}, 'w')")
    assert answer.status_code == 400
    assert "custom_extract_logic: is never executed" in detail_of(answer)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"provided_data": None}, "config.provided_data: is missing"),
        ({"provided_data": {"test": "no json"}}, "config.provided_data.test: no JSON"),
        ({"provided_data": {"test": []}}, "config.provided_data.test: a list of tests"),
        ({"provided_data": {"test": [{}]}}, "config.provided_data.test[0]: input.stdin and output.stdout"),
        ({"dataset_type": "HumanEvalDataset"}, "config.dataset_type: 'HumanEvalDataset' is not graded here"),
        ({"language": "lean"}, "config.language: 'lean' is not run here"),
        ({"run_timeout": -1}, "config.run_timeout: -1"),
    ],
)
async def test_a_submission_that_cannot_be_graded_is_a_clear_400(real, config, said):
    """Other data sets and broken tests are told by their path."""
    answer = await submit(real, DOUBLE, **config)
    assert answer.status_code == 400
    assert said in detail_of(answer)


async def test_a_language_without_tools_is_told():
    """A box that lacks a compiler is the operator's matter: a 400 that names the tool."""

    def missing(job):
        return Execution(ending=Ending.EXITED, report={"missing": "rustc"})

    async with gateway(missing) as client:
        answer = await client.post("/run_code", json={"code": "fn main() {}", "language": "rust"})
    assert (answer.status_code, detail_of(answer)) == (
        400,
        "language: this server's sandbox has no tools for rust: rustc",
    )
