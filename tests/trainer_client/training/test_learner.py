"""Updates: the gradient is the one on paper, whatever the micro-batches; what is masked is not there; runs resume."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from groups import episode, group, random_groups
from torch import Tensor
from transformers import AutoModelForCausalLM

from trainer_client.training.batches import batch_of
from trainer_client.training.learner import Learner
from trainer_client.training.losses import LossConfig
from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.optimizer import OptimizerConfig, learning_rate
from trainer_client.training.policy import Policy
from trainer_client.training.presets import PRESETS

DESCENT = OptimizerConfig(learning_rate=1.0, max_grad_norm=0.0)
"""With plain SGD, a step is the gradient itself."""
PLAIN = LossConfig(rollout_correction="none")


@pytest.fixture
def learner(tiny_model: Path) -> Callable[..., Learner]:
    """A function that makes a learner in float64; ``plain`` has it step by the gradient itself."""

    def make(loss: LossConfig = PLAIN, *, plain: bool = False, adapter: Any = "none", **changes: Any) -> Learner:
        model = ModelConfig(name=str(tiny_model), dtype="float64", weights_dtype="float64", adapter=adapter)
        torch.manual_seed(0)
        policy = Policy(model, reference=loss.needs_reference, device=torch.device("cpu"))
        options = replace(DESCENT if plain else OptimizerConfig(learning_rate=1e-3), **changes)
        made = Learner(policy, options, loss, longest_completion=12)
        if plain:
            made.optimizer = torch.optim.SGD(policy.trained, lr=1.0)
        return made

    return make


def weights(learner: Learner) -> list[Tensor]:
    return [weight.detach().clone() for weight in learner.policy.trained]


def step_of(learner: Learner, groups: list) -> list[Tensor]:
    """The difference that an update makes."""
    before = weights(learner)
    learner.update(groups)
    return [new - old for new, old in zip(weights(learner), before, strict=True)]


@pytest.mark.parametrize("preset", PRESETS)
def test_micro_batches_add_up_to_one_batch(learner: Callable, preset: str):
    """The gradient and all metrics are the same with everything at once, a few samples, or one at a time."""
    loss = replace(PRESETS[preset], entropy_coefficient=0.01)
    groups = random_groups(1)
    found = []
    for tokens in (10_000, 40, 1):
        made = learner(loss, plain=True, tokens_per_micro_batch=tokens)
        before = weights(made)
        found.append((made.update(groups), [new - old for new, old in zip(weights(made), before, strict=True)]))
    for metrics, moved in found[1:]:
        assert metrics == pytest.approx(found[0][0], rel=1e-9, abs=1e-12)
        torch.testing.assert_close(moved, found[0][1], rtol=0, atol=1e-12)


def test_the_gradient_is_the_one_on_paper(learner: Callable, tiny_model: Path):
    """Dr. GRPO on policy, written out with the model's own logits: -A log pi, summed, over samples and the length."""
    good, bad = episode((1, 2), (3, 4, 5), 1.0), episode((1, 2), (6, 7), 0.0)
    moved = step_of(learner(replace(PRESETS["dr_grpo"], rollout_correction="none"), plain=True), [group(good, bad)])
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float64)
    loss = torch.zeros((), dtype=torch.float64)
    for sample, advantage in ((good, 0.5), (bad, -0.5)):
        tokens = torch.tensor([[*sample.prompt_token_ids, *sample.completion.token_ids]])
        logs = model(tokens).logits[0, 1:-1].log_softmax(-1)
        loss = loss - advantage * logs.gather(1, tokens[0, 2:, None]).sum() / (2 * 12)
    loss.backward()
    torch.testing.assert_close(moved, [-weight.grad for weight in model.parameters()], rtol=0, atol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("changes", [{}, {"mini_batches": 2, "epochs": 2, "tokens_per_micro_batch": 40}])
def test_a_masked_episode_changes_no_bit(learner: Callable, preset: str, changes: dict):
    """With Failures among the samples, and a group of Failures alone, the weights become what they become without."""
    groups = random_groups(2)
    failed = replace(random_groups(3)[0].episodes[0], reward=None)
    beside = [
        group(failed, failed),
        *(group(failed, *each.episodes[:2], failed, *each.episodes[2:]) for each in groups),
        group(failed),
    ]
    clean, disturbed = learner(PRESETS[preset], **changes), learner(PRESETS[preset], **changes)
    before = weights(clean)
    clean.update(groups)
    metrics = disturbed.update(beside)
    assert all(map(torch.equal, weights(clean), weights(disturbed)))
    assert not all(map(torch.equal, weights(clean), before))
    assert metrics["masked"] == pytest.approx(9 / 21)


def test_where_nothing_has_a_reward_no_step_is_taken(learner: Callable):
    """A dead reward server leaves the policy as it is, and the optimizer too."""
    made = learner()
    before = weights(made)
    metrics = made.update([group(episode((1,), (2,), None), episode((1,), (3,), None))])
    assert all(map(torch.equal, weights(made), before))
    assert made.steps == metrics["steps"] == 0
    assert metrics["masked"] == 1
    assert made.update([])["steps"] == 0


def test_a_truncated_completion_gives_no_gradient_and_counts_in_its_group(learner: Callable):
    """Overlong filtering: with rewards 1, 0 (cut) and 0.5 only the first has an advantage, and 5 tokens are counted."""
    good, bad = episode((1, 2), (3, 4, 5), 1.0), episode((1, 2), (6, 7), 0.5)
    cut = episode((1, 2), (8,) * 12, 0.0, cut=True)
    loss = replace(PLAIN, normalization="none", mask_truncated=True)
    made = learner(loss, plain=True)
    before = weights(made)
    metrics = made.update([group(good, cut, bad)])
    assert metrics["loss"] == pytest.approx(-0.5 * 3 / 5)
    assert metrics["in_loss"] == pytest.approx(2 / 3)
    assert metrics["truncated"] == pytest.approx(1 / 3)
    other = replace(cut, completion=replace(cut.completion, token_ids=(9,), logprobs=(-1.0,)))
    moved = [new - old for new, old in zip(weights(made), before, strict=True)]
    assert all(map(torch.equal, moved, step_of(learner(loss, plain=True), [group(good, other, bad)])))


def test_old_log_probabilities_are_those_of_before_the_update(learner: Callable):
    """The first step of a batch has ratios of 1, the second has others; the reference does not move."""
    loss = replace(PLAIN, kl_coefficient=0.1)
    once, twice = learner(loss), learner(loss, epochs=2)
    groups = random_groups(4)
    first = once.update(groups)
    assert first["ratio"] == pytest.approx(1, abs=1e-12)
    assert first["kl"] == pytest.approx(0, abs=1e-12)
    assert first["steps"] == 1
    both = twice.update(groups)
    assert both["ratio_max"] > 1.0001
    assert both["kl_old"] > 0
    assert both["kl"] == pytest.approx(both["kl_old"])
    assert both["steps"] == twice.steps == 2
    assert once.update(groups)["kl"] > 0


def test_mini_batches_are_whole_groups():
    """Three groups in two parts; more parts than groups are as many as there are groups."""
    batch = batch_of(random_groups(5), mask_truncated=False)
    assert batch.mini_batches(2) == [list(range(8)), list(range(8, 12))]
    assert batch.mini_batches(9) == [list(range(start, start + 4)) for start in (0, 4, 8)]
    assert batch_of([], mask_truncated=False).mini_batches(2) == []


def test_kl_in_the_reward_is_subtracted_before_advantages(learner: Callable):
    """Nothing at first; once the policy has moved, what it writes more often than the reference costs reward."""
    loss = replace(PLAIN, kl_coefficient=0.5, kl_in="reward", kl_estimator="k1")
    made = learner(loss)
    groups = random_groups(6)
    assert made.update(groups)["kl_penalty"] == pytest.approx(0, abs=1e-12)
    made.supervise([(each.prompt_token_ids, each.completion.token_ids) for each in groups[0].episodes])
    assert made.update(groups[:1])["kl_penalty"] > 0


def test_a_gradient_that_is_not_finite_is_thrown_away(learner: Callable):
    """One such step would end the run; it is counted instead."""
    made = learner()
    before = weights(made)
    metrics = made.update([group(episode((1,), (2,), 1.0), episode((1,), (3,), 0.0), episode((1,), (4,), math.inf))])
    assert metrics["steps_skipped"] == 1
    assert made.steps == 0
    assert all(map(torch.equal, weights(made), before))
    assert made.update(random_groups(7))["steps_skipped"] == 0


def test_large_gradients_are_cut_to_the_norm(learner: Callable):
    """The metric is the norm before."""
    groups = random_groups(8)
    free = learner(plain=True)
    moved = torch.cat([part.flatten() for part in step_of(free, groups)])
    bound = moved.norm().item() / 4
    cut = learner(plain=True, max_grad_norm=bound)
    before = weights(cut)
    assert cut.update(groups)["grad_norm"] == pytest.approx(4 * bound)
    clipped = torch.cat([(new - old).flatten() for new, old in zip(weights(cut), before, strict=True)])
    torch.testing.assert_close(clipped, moved / 4, rtol=0, atol=1e-6)


@pytest.mark.parametrize("adapter", ["none", "lora"])
def test_a_run_that_is_taken_up_goes_on_to_the_bit(learner: Callable, tmp_path: Path, adapter: str):
    """Weights, moments and the step of the schedule come back."""
    options = {"adapter": adapter, "warmup_steps": 4, "epochs": 2}
    made = learner(replace(PLAIN, kl_coefficient=0.1), **options)
    made.update(random_groups(9))
    made.save(tmp_path / "state")
    expected = made.update(random_groups(10))
    again = learner(replace(PLAIN, kl_coefficient=0.1), **options)
    again.update(random_groups(11))
    again.load(tmp_path / "state")
    assert again.steps == 2
    assert again.update(random_groups(10)) == expected
    assert all(map(torch.equal, weights(made), weights(again)))


def test_what_is_rewarded_is_written_more(learner: Callable):
    """After a few updates a rewarded token is likelier, and a punished one less likely."""
    made = learner(PRESETS["dapo"])
    groups = [group(episode((1,), (2, 3), 1.0), episode((1,), (2, 4), 0.0))]
    before, after = [], []
    for reading in (before, after):
        for each in groups[0].episodes:
            batch = batch_of([group(each)], mask_truncated=False)
            (micro,) = made._micro_batches(batch, [0])
            reading.append(made.policy.logprobs(micro.packed)[0][-1].item())
        for _ in range(3):
            made.update(groups)
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_demonstrations_are_learned(learner: Callable):
    """The loss is the mean cross-entropy over completion tokens, and falls."""
    made = learner(tokens_per_micro_batch=8)
    pairs = [((1, 2, 3), (4, 5)), ((9,), (8, 7, 6)), ((5, 5), (1,))]
    batch = batch_of([group(*(episode(*pair, 0.0) for pair in pairs))], mask_truncated=False)
    logprobs = [made.policy.logprobs(micro.packed)[0] for micro in made._micro_batches(batch, range(3))]
    first = made.supervise(pairs)
    assert first["loss"] == pytest.approx(-torch.cat(logprobs).mean().item())
    assert made.supervise(pairs)["loss"] < first["loss"]
    with pytest.raises(ValueError, match="no demonstration"):
        made.supervise([((1,), ())])


def test_rates_by_hand():
    """Warm-up counts from the first step; a line and half a cosine end at the final share and stay there."""
    line = OptimizerConfig(learning_rate=8, warmup_steps=2, total_steps=6, schedule="linear", final_share=0.5)
    assert [learning_rate(line, step) for step in range(8)] == [4, 8, 8, 7, 6, 5, 4, 4]
    cosine = replace(line, schedule="cosine", final_share=0.0)
    assert [round(learning_rate(cosine, step), 3) for step in range(2, 8)] == [8, 6.828, 4, 1.172, 0, 0]
    assert learning_rate(OptimizerConfig(learning_rate=3), 99) == 3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"schedule": "linear"}, "schedule"),
        ({"mini_batches": 0}, "mini_batches"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"final_share": 1.5}, "final_share"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(changes: dict, named: str):
    """The message starts with the field."""
    with pytest.raises(ValueError, match=f"^{named}: "):
        OptimizerConfig(**changes)


def test_what_cannot_be_learned_from_is_refused(tiny_model: Path):
    """Greedy completions, and log-probabilities that belong to other tokens."""
    policy = Policy(ModelConfig(name=str(tiny_model)), reference=False)
    with pytest.raises(ValueError, match="temperature"):
        Learner(policy, OptimizerConfig(), PLAIN, temperature=0.0)
    made = Learner(policy, OptimizerConfig(), PLAIN)
    with pytest.raises(ValueError, match="2 tokens has 1 log-probabilities"):
        made.update([group(episode((1,), (2, 3), 1.0, logprobs=[-1.0]))])
