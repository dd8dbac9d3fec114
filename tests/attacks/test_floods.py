"""Responses and outputs so large, or so large as JSON, that they would break the frames they travel in.

Such a response must not kill its box, which would cost its neighbours and leave the sample without a grade.
"""

import pytest
from google.protobuf import json_format
from reward.v1 import result_pb2, sample_pb2

from reward_server.config import Config
from reward_server.grading import grade_all
from sandboxes.local_sandbox import LocalSandbox

CONTROL = "\x01" * 1_000_000
"""One byte each in UTF-8, and six characters each as JSON."""
ECHO = "def grade(sample, item):\n    return {'score': 0.0, 'summary': sample['output_text']}"
WORDS = """
def grade(sample, item):
    return {"score": 0.0, "checks": [{"name": word, "score": 0} for word in sample["response"]]}
"""
NUL = "```bash\nhead -c 1000000 /dev/zero\n```"
PYTHON = "```python\nimport sys\nsys.stdout.buffer.write(b'\\xff' * 1_000_000)\n```"
RUNS = [{"stdin": "", "expectedStdout": "1\n"}] * 16


@pytest.mark.parametrize(
    ("task", "response"),
    [
        ({"pythonGrader": {"source": "def grade(sample, item):\n    return 0.0"}}, CONTROL),
        ({"pythonGrader": {"source": ECHO}}, "\x01" * 700_000),
        ({"pythonGrader": {"source": WORDS}}, "a" * 500_000),
        ({"codeTests": {"language": "LANGUAGE_BASH", "stdioTests": RUNS}}, NUL),
        ({"codeTests": {"stdioTests": RUNS}}, PYTHON),
        ({"codeTests": {"checker": "def check(i, o, e):\n    return o == e", "stdioTests": RUNS}}, PYTHON),
        ({"codeTests": {"stdioTests": RUNS[:1]}}, f"```python\nx = '{CONTROL}'\n```"),
        ({"codeTests": {"assertTests": [{"code": "assert f() == 1"}]}}, f"```python\nx = '{CONTROL}'\n```"),
        ({"jsonExtraction": {"expected": '{"a": 1}'}}, '{"a": "' + "\x7f" * 1_000_000 + '"}'),
        ({"mathAnswer": {"expected": "7"}}, "\\boxed{" + CONTROL + "}"),
        ({"textMatch": {"expected": "7", "measure": "TEXT_MEASURE_CHRF"}}, CONTROL),
        ({"shaping": {"repetition": {"ngram": 40}}}, "哈" * 300_000),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest.mark.timeout(120)
async def test_a_flood_is_graded_and_costs_no_box(task, response, caplog):
    """It ends in a verdict of 0, and the box lives on."""
    record = json_format.ParseDict({"task": task, "samples": [{"sampleId": "s"}]}, sample_pb2.TaskRecord())
    record.task.task_id = record.samples[0].task_id = "t"
    record.samples[0].response = response
    graded = []
    async with LocalSandbox(boxes=1) as sandbox:
        await grade_all(sandbox, Config(), [(record.task, record.samples[0])], graded.append)
    (one,) = graded
    assert one.result is not None, one.problem
    assert one.result.WhichOneof("outcome") == "verdict", one.result
    assert one.result.verdict.ruling != result_pb2.RULING_ACCEPTED
    assert one.result.verdict.score < 0.1
    assert "box was lost" not in caplog.text
