"""The happy paths of trainers' protocols, and what they make of labels, prompts and malformed bodies."""

import json

import pytest
from http_gateway import SLOW_TASK, detail_of, gateway

CHAT = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": [{"type": "text", "text": "4"}]}]


@pytest.fixture
async def client():
    async with gateway(label_tasks={"word": '{"textMatch": {"expected": "{{label}}"}}'}) as one:
        yield one


async def test_openrlhf_gets_lists(client):
    """Rewards and scores for every query, in order; special tokens at the end are no part of the response."""
    body = {
        "query": ["<s>2+2? 4</s></s>", "2+2? 5<|im_end|>\n", "2+2? x"],
        "prompts": ["2+2? "] * 3,
        "labels": ["4", "4", SLOW_TASK],
    }
    said = (await client.post("/openrlhf", json=body)).json()
    assert said == {"rewards": [1.0, 0.0, 0.5], "scores": [1.0, 0.0, 0.5], "extra_logs": {"accepted": [1.0, 0.0, 0.0]}}


async def test_openrlhf_sends_empty_lists_and_gets_them(client):
    """With several URLs some get nothing to do."""
    said = (await client.post("/openrlhf", json={"query": [], "prompts": [], "labels": []})).json()
    assert said == {"rewards": [], "scores": [], "extra_logs": {"accepted": []}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": ["a"], "prompts": ["a"]}, "labels: 0 items for 1 of query"),
        ({"query": ["a"], "prompts": ["b"], "labels": ["4"]}, "query[0]: does not contain prompts[0]"),
        ({"query": ["a", 5], "prompts": ["a", "a"], "labels": ["4", "4"]}, "query[1]: Expected `str`"),
        ({"query": ["a"], "prompts": ["a"], "labels": [None]}, "labels[0]: a task as JSON"),
    ],
)
async def test_openrlhf_names_what_is_wrong(client, body, said):
    """A response that cannot be told from its prompt is not guessed at."""
    answer = await client.post("/openrlhf", json=body)
    assert answer.status_code == 400
    assert said in detail_of(answer)


async def test_slime_gets_the_reward_itself(client):
    """A number, or an object with the key that slime was told; a template of the configuration by name."""
    number = await client.post("/slime", json={"prompt": "?", "response": "4", "label": "4"})
    named = await client.post("/slime?reward_key=mine", json={"prompt": [], "response": "5", "label": "4"})
    word = await client.post("/slime?label_task=word", json={"prompt": "?", "response": "Bern", "label": "Bern"})
    unknown = await client.post("/slime?label_task=x", json={"prompt": "?", "response": "Bern", "label": "Bern"})
    assert number.json() == 1.0
    assert named.json() == {"ruling": "wrong_answer", "accepted": 0.0, "mine": 0.0}
    assert word.json() == 1.0
    assert detail_of(unknown) == "label_task: 'x' is not configured on this server; it knows word"


@pytest.mark.parametrize("odd", ["\ud800", "a\ud83d b", "\x00"])
async def test_a_response_cannot_go_ungraded_by_odd_characters(client, odd):
    """Lone surrogates and control characters, which JSON can say, are part of a response like any other."""
    odd_answer = await client.post("/slime", content=json.dumps({"response": f"{odd} 5", "label": "4"}))
    row_back = await client.post("/verify", content=json.dumps(row(f"4 {odd}", expected_answer="5")))
    assert (odd_answer.status_code, odd_answer.json()) == (200, 0.0)
    assert (row_back.status_code, row_back.json()["reward"]) == (200, 0.0)


async def test_nova_gets_scores_and_metrics(client):
    """One sample or a list of them; the last message is what is graded."""
    one = {"id": "a", "messages": CHAT, "reference_answer": {"mathAnswer": {"expected": "4"}}}
    single = (await client.post("/nova", json=one)).json()
    listed = (await client.post("/nova", json=[one, {**one, "id": "b", "reference_answer": "5"}])).json()
    assert single["id"] == "a"
    assert single["aggregate_reward_score"] == 1.0
    assert {metric["type"] for metric in single["metrics_list"]} == {"Reward", "Metric"}
    assert [(answer["id"], answer["aggregate_reward_score"]) for answer in listed] == [("a", 1.0), ("b", 0.0)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"messages": [], "reference_answer": "4"}, "messages: the last message must be the assistant's"),
        ({"messages": CHAT[:1], "reference_answer": "4"}, "messages: the last message must be the assistant's"),
        ([{"messages": CHAT}], "[0].reference_answer: a task as JSON"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "image_url"}]}], "reference_answer": "4"},
            "messages[0].content[0]: only text is graded",
        ),
    ],
)
async def test_nova_names_what_is_wrong(client, body, said):
    """What is missing is told by its path."""
    answer = await client.post("/nova", json=body)
    assert answer.status_code == 400
    assert said in detail_of(answer)


async def test_eval_protocol_gets_a_result_with_metrics(client):
    """The score, why, and every check as a metric."""
    body = {"messages": CHAT, "ground_truth": "4"}
    said = (await client.post("/evaluate", json=body)).json()
    task = (await client.post("/evaluate", json={**body, "kwargs": {"task": SLOW_TASK}})).json()
    assert (said["score"], said["is_score_valid"]) == (1.0, True)
    assert said["metrics"]["value"] == {"is_score_valid": True, "score": 1.0, "reason": ""}
    assert task["score"] == 0.5


def row(text="4", **fields):
    content = [{"type": "output_text", "text": text, "annotations": []}]
    items = [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": content}]
    return {"responses_create_params": {"input": []}, "response": {"id": "r", "output": items}, **fields}


async def test_nemo_gym_gets_its_row_back_with_a_reward(client):
    """The row is echoed, with the reward and numbers that become metrics."""
    asked = row(expected_answer="4", _ng_task_index=3)
    said = (await client.post("/nemo_gym/verify", json=asked)).json()
    assert {key: said[key] for key in asked} == asked
    assert (said["reward"], said["accepted"], said["mask_sample"]) == (1.0, 1.0, False)


@pytest.mark.parametrize(
    ("fields", "reward"),
    [
        ({"task": {"mathAnswer": {"expected": "5"}}}, 0.0),
        ({"verifier_metadata": {"ground_truth": "4"}}, 1.0),
        ({"verifier_metadata": {"task": SLOW_TASK}}, 0.5),
        ({"task": SLOW_TASK, "expected_answer": "4"}, 0.5),
    ],
)
async def test_nemo_gym_rows_bring_their_tasks_in_several_places(client, fields, reward):
    """A task stands before a plain answer, and the top of the row before its metadata."""
    assert (await client.post("/verify", json=row(**fields))).json()["reward"] == reward


async def test_nemo_gym_sessions_and_metrics(client):
    """Sessions are acknowledged, the server is stateless, and means leave masked rows out."""
    assert (await client.post("/seed_session", json={})).json() == {}
    seeded = await client.post("/seed_session", json={"resources_session_id": "s", "episode_id": "e"})
    assert seeded.json() == {"resources_session_id": "s"}
    assert (await client.get("/reverify_mode")).json() == "stateless"
    rows = [{"_ng_task_index": i % 2, "reward": i / 2, "text": "x"} for i in range(3)]
    rows.append({"_ng_task_index": 0, "reward": 0.0, "mask_sample": True})
    said = (await client.post("/aggregate_metrics", json={"verify_responses": rows})).json()
    assert said["agent_metrics"] == {"mean/reward": 0.5, "masked": 1}
    assert said["key_metrics"] == {"mean/reward": 0.5}
    assert {g["_ng_task_index"]: g["mean/reward"] for g in said["group_level_metrics"]} == {0: 0.5, 1: 0.5}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (row(), "verifier_metadata: no task"),
        ({"expected_answer": "4"}, "response.output: a list of items"),
        (row(verifier_metadata={"unit_tests": {"inputs": ["1"], "outputs": []}}), "inputs and outputs of the same"),
        (
            row(verifier_metadata={"unit_tests": {"inputs": [5], "outputs": ["1"], "fn_name": "f"}}),
            "for calls of 'f' each is a list of arguments",
        ),
    ],
)
async def test_nemo_gym_rows_that_cannot_be_read(client, body, said):
    """What is missing is told by its path."""
    answer = await client.post("/verify", json=body)
    assert answer.status_code == 400
    assert said in detail_of(answer)
