from hypothesis import given
from hypothesis import strategies as st

from reward_server.graders.math_answer import GRADER, _payload
from reward_server.tasks.math_answer import MathAnswerTask, MathForm, MathPercent
from reward_server.verdict import Verdict
from sandboxes.base import Ending, Execution, Job, Limits
from sandboxes.guests import math_answer

NUMERALS = st.builds(
    "{}{}{}".format, st.sampled_from(["", "", "-", "+"]), st.sampled_from(["", "", "0"]), st.integers(0, 30)
)
TASKS = st.builds(
    MathAnswerTask,
    expected=NUMERALS,
    accepted=st.lists(NUMERALS, max_size=2).map(tuple),
    tolerance=st.sampled_from([None, 0.0, 0.1]),
    decimal_places=st.sampled_from([None, 0, 2]),
    form=st.sampled_from([MathForm.EVALUATED, MathForm.ANY]),
    percent=st.sampled_from(list(MathPercent)),
)


@given(task=TASKS, answer=NUMERALS)
def test_what_is_settled_without_a_sandbox_is_what_the_guest_says(task, answer):
    """Whole numbers need no run, and no verdict on them depends on that."""
    settled = GRADER.plan(task, f"\\boxed{{{answer}}}", Limits())
    job = Job(program="math_answer", payload=_payload(task, [answer], None, None), aside=answer)
    said = GRADER.judge(task, job, Execution(ending=Ending.EXITED, report=math_answer.run(job.payload)), None)
    if isinstance(settled, Verdict):
        assert settled == said
    else:
        assert task.tolerance or answer.strip("+-0") == task.expected.strip("+-0") or task.accepted


def test_a_wrong_whole_number_needs_no_sandbox():
    """The commonest wrong answer of all costs nothing but reading it."""
    settled = GRADER.plan(MathAnswerTask(expected="72"), "So it is \\boxed{-71}.", Limits())
    assert isinstance(settled, Verdict)
    assert settled.score == 0.0
