"""The colocated engine: real vLLM on CPU in this process."""

from dataclasses import replace
from typing import get_args

import pytest
import tiny_engine
import torch
from tiny_engine import CONFIG, FLOAT32_ERROR, PROMPTS, SAMPLING, groups, largest_difference, running, shaken, weights

from trainer_client.training import vllm_arguments
from trainer_client.training.rollout import RolloutError
from trainer_client.training.tiny_model import END, make_tokenizer

pytestmark = pytest.mark.timeout(300)  # importing vLLM takes seconds, and a minute on a busy machine


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_engine.tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def engine(directory):
    with running(directory) as engine:
        yield engine


@pytest.fixture
def fresh(engine, directory):
    """The engine with the weights of the files."""
    engine.load_weights(weights(tiny_engine.trainer_model(directory)))
    return engine


def test_groups_are_complete(fresh):
    """Each prompt gets its group; token ids, log-probabilities and text fit each other."""
    tokenizer = make_tokenizer()
    found = groups(fresh)
    assert sorted(found) == [0, 1, 2, 3]
    for completions in found.values():
        assert len(completions) == 3
        for completion in completions:
            assert 1 <= len(completion.token_ids) == len(completion.logprobs) <= 16
            assert all(logprob <= 0 for logprob in completion.logprobs)
            assert tokenizer.decode(completion.token_ids, skip_special_tokens=True).startswith(completion.text)
            assert completion.finish_reason == (
                "stop" if completion.token_ids[-1] == tokenizer.eos_token_id else "length"
            )


def test_same_seed_draws_the_same(fresh):
    """A seed fixes every token; the completions of a group and the groups of equal prompts differ all the same."""
    found = groups(fresh)
    assert groups(fresh) == found
    assert groups(fresh, sampling=replace(SAMPLING, seed=6)) != found
    twins = groups(fresh, prompts=[PROMPTS[0]] * 2)
    assert len({completion.token_ids for group in twins.values() for completion in group}) == 6


def test_logprobs_are_the_trainers(fresh, directory):
    """Before and after an update, vLLM's log-probabilities are those of the trainer for the same tokens."""
    model = tiny_engine.trainer_model(directory)
    before = groups(fresh)
    assert largest_difference(model, before) < FLOAT32_ERROR
    for seed in range(2):
        fresh.load_weights(weights(shaken(model, seed)))
        after = groups(fresh)
        assert after != before
        assert largest_difference(model, after) < FLOAT32_ERROR


def test_prefixes_of_old_weights_are_forgotten(fresh, directory):
    """After an update nothing that the old weights computed for a long prompt is used."""
    model = tiny_engine.trainer_model(directory)
    prompt = PROMPTS[0] * 15  # more than a block of the cache
    first = groups(fresh, prompts=[prompt])
    fresh.load_weights(weights(shaken(model, 7)))
    other = groups(fresh, prompts=[prompt])
    fresh.load_weights(weights(tiny_engine.trainer_model(directory)))
    assert groups(fresh, prompts=[prompt]) == first != other


def test_stops(fresh):
    """Stop texts stay out of the text but in the tokens; stop tokens end a completion as the end token does."""
    long = replace(SAMPLING, max_tokens=64)
    (completion, *_) = groups(fresh, sampling=long)[0]
    text = next(letter for letter in completion.text[2:] if letter.isascii() and letter.isprintable())
    (stopped, *_) = groups(fresh, sampling=replace(long, stop=(text,)))[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == completion.text[: completion.text.index(text)]
    assert stopped.token_ids == completion.token_ids[: len(stopped.token_ids)]
    assert len(stopped.token_ids) == len(stopped.logprobs)
    token = completion.token_ids[3]
    (ended, *_) = groups(fresh, sampling=replace(long, stop_token_ids=(token,)))[0]
    assert ended.finish_reason == "stop"
    assert ended.token_ids == completion.token_ids[: completion.token_ids.index(token) + 1]


def test_logprobs_are_of_what_was_sampled_from(fresh):
    """With one token to choose from its probability is 1, and temperature 0 takes the same token."""
    found = groups(fresh, sampling=replace(SAMPLING, top_k=1))
    assert all(abs(p) < FLOAT32_ERROR for group in found.values() for each in group for p in each.logprobs)
    greedy = groups(fresh, sampling=replace(SAMPLING, temperature=0.0))
    assert [each.token_ids for each in greedy[1]] == [each.token_ids for each in found[1]]
    assert len(greedy[1]) == 3


def test_leaving_early_aborts(fresh):
    """What nobody waits for any more is not generated, and the next weights can be loaded."""
    drawn = fresh.generate(PROMPTS, 3, replace(SAMPLING, max_tokens=200))
    next(drawn)
    drawn.close()
    assert not fresh._llm.llm_engine.has_unfinished_requests()
    assert len(groups(fresh)) == 4


def test_sleep_on_a_cpu_gives_nothing_up(fresh):
    """Asleep twice and awake again, the engine draws the same."""
    found = groups(fresh)
    fresh.sleep()
    fresh.sleep()
    fresh.wake()
    assert groups(fresh) == found


def test_too_long_a_prompt_is_refused(fresh):
    """A prompt past the model's length raises, and what was asked with it is aborted."""
    with pytest.raises(RolloutError, match="256"):
        groups(fresh, prompts=[PROMPTS[0], PROMPTS[0] * 100])
    assert len(groups(fresh)) == 4


def test_missing_weights_are_told(fresh, directory):
    """An update without some of the weights raises, rather than go on with old ones among new ones."""
    model = tiny_engine.trainer_model(directory)
    with pytest.raises(RolloutError, match="7 weights of the model did not come"):
        fresh.load_weights(each for each in weights(model) if ".layers.1." not in each[0])


def test_adapter_ranks_are_vllms():
    """The slots for adapters are those that vLLM offers."""
    with tiny_engine.vllm_warnings():
        from vllm.config.lora import MaxLoRARanks  # noqa: PLC0415 - heavy
    assert set(vllm_arguments.LORA_RANKS) == set(get_args(MaxLoRARanks)) - {1}
    assert [vllm_arguments.lora_rank(rank) for rank in (1, 8, 9, 512)] == [8, 8, 16, 512]
    with pytest.raises(RolloutError, match="513"):
        vllm_arguments.lora_rank(513)


def test_memory_options_reach_vllm():
    """What a run says of memory and batches is what the engine is told; a CPU has a fixed cache and no graphs."""
    told = vllm_arguments.engine_arguments(
        replace(CONFIG, max_batched_tokens=512, gpu_memory_utilization=0.3, tensor_parallel=2),
        adapter_rank=0,
        on_cpu=False,
    )
    assert told["kv_cache_memory_bytes"] == 1 << 28
    assert (told["max_num_seqs"], told["max_num_batched_tokens"], told["max_model_len"]) == (64, 512, 256)
    assert (told["gpu_memory_utilization"], told["tensor_parallel_size"]) == (0.3, 2)
    assert "enforce_eager" not in told
    on_cpu = vllm_arguments.engine_arguments(replace(CONFIG, kv_cache_gib=None), adapter_rank=0, on_cpu=True)
    assert (on_cpu["dtype"], on_cpu["enforce_eager"], on_cpu["kv_cache_memory_bytes"]) == ("float32", True, 1 << 30)


def test_end_token_is_the_tokenizers(fresh, directory):
    """A response that ends by itself carries its end token, which is not in the text."""
    model = tiny_engine.trainer_model(directory)
    end = make_tokenizer().convert_tokens_to_ids(END)
    with torch.no_grad():
        model.model.embed_tokens.weight[end] *= 40  # of all tokens the likeliest or the least likely, by context
    fresh.load_weights(weights(model))
    found = groups(fresh, sampling=replace(SAMPLING, temperature=1.0))
    ended = [each for group in found.values() for each in group if each.finish_reason == "stop"]
    assert ended
    assert {each.token_ids[-1] for each in ended} == {end}
    assert not any(END in each.text for each in ended)
