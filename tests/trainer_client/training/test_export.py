"""Checkpoints as plain model folders: what transformers, peft and vLLM load is what was trained."""

import json

import pytest
import torch
from peft import PeftModel
from tiny_engine import CONFIG, FLOAT32_ERROR, groups, largest_difference, running
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from trainer_client.__main__ import app
from trainer_client.training.checkpoint import Checkpoints
from trainer_client.training.config import load
from trainer_client.training.run_log import describe_run
from trainer_client.training.session import load_learner

PAIR = ((1, 5, 9), (20, 30, 40, 50))
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}>"


def make_run(folder, model, *, adapter="none", watch=None):
    """Leave what a run of two saved updates leaves; return its folder and the learner as it is after the second."""
    (folder / "template.jinja").write_text(TEMPLATE, "utf-8")
    text = f'[model]\nname = "{model}"\nadapter = "{adapter}"\nlora_rank = 4\nlora_alpha = 8\n'
    text += 'attention = "sdpa"\ngradient_checkpointing = false\n[data]\nchat_template = "template.jinja"\n'
    text += "[optimizer]\nlearning_rate = 1e-2\n"
    (folder / "train.toml").write_text(text, "utf-8")
    config = load(folder / "train.toml")
    learner = load_learner(config)
    run = folder / "run"
    run.mkdir()
    described = config.to_json()
    describe_run(run, "test", described)
    checkpoints = Checkpoints(run / "checkpoints", keep=9)
    for step in (1, 2):
        for _ in range(3):
            learner.supervise([PAIR])
        checkpoints.save(step, {"run_id": "test", "watch": watch or {}}, learner.save)
    return run, learner


def exported(run, folder, *options):
    done = CliRunner().invoke(app, ["export", str(run), "--output", str(folder), *options])
    return done.exit_code, " ".join(done.output.split())


def logits(model):
    with torch.no_grad():
        return model(torch.tensor([[*PAIR[0], *PAIR[1]]])).logits


def test_a_whole_model(tmp_path, tiny_model):
    """The newest checkpoint of a run without evaluations: its weights, tokenizer and chat template."""
    run, learner = make_run(tmp_path, tiny_model)
    status, said = exported(run, tmp_path / "out")
    assert (status, "step 2 (the newest, since nothing was evaluated)" in said) == (0, True), said
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert torch.equal(logits(made), logits(learner.policy.model.eval()))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    asked = [{"role": "user", "content": "2+2?"}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == "2+2?>"


def test_the_best_or_another(tmp_path, tiny_model):
    """Evaluations choose the step; --step chooses another; weights can be written in 16 bits."""
    run, _ = make_run(tmp_path, tiny_model, watch={"best_step": 1, "best_mean": 0.5})
    assert "step 1 (the best: pass@1 0.500 on held-out tasks)" in exported(run, tmp_path / "best")[1]
    status, said = exported(run, tmp_path / "asked", "--step", "2", "--dtype", "bfloat16")
    assert (status, "step 2 (as asked)" in said) == (0, True), said
    assert json.loads((tmp_path / "asked" / "config.json").read_text("utf-8"))["dtype"] == "bfloat16"
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "asked")
    assert {parameter.dtype for parameter in made.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("adapter", ["lora", "qlora"])
def test_an_adapter_alone_or_merged(tmp_path, tiny_model, adapter):
    """An adapter is written for peft; merged it is a model without one that says the same.

    A QLoRA run's is merged into the base that was not rounded to 4 bits: what it was trained over is near.
    """
    run, learner = make_run(tmp_path, tiny_model, adapter=adapter)
    assert "a LoRA adapter; its base is" in exported(run, tmp_path / "adapter")[1]
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    alone = logits(base)
    wanted = logits(PeftModel.from_pretrained(base, tmp_path / "adapter"))
    trained = logits(learner.policy.model.eval())
    moved, rounded = ((wanted - other).abs().max().item() for other in (alone, trained))
    assert moved > 1.0
    assert rounded < 0.5
    assert adapter == "qlora" or rounded < 1e-5
    status, said = exported(run, tmp_path / "merged", "--merge")
    assert (status, said.endswith("a whole model")) == (0, True), said
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert torch.allclose(logits(made), wanted, atol=1e-5)
    assert not (tmp_path / "merged" / "adapter_config.json").exists()


def test_vllm_serves_it(tmp_path, tiny_model):
    """A merged folder is all that vLLM needs, and its log-probabilities are those of transformers."""
    run, _ = make_run(tmp_path, tiny_model, adapter="lora")
    exported(run, tmp_path / "merged", "--merge")
    with running(tmp_path / "merged", CONFIG) as engine:
        found = groups(engine)
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert largest_difference(made, found) < FLOAT32_ERROR


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--step", "7"], "has no checkpoint of step 7, but of 1, 2"),
        (["--best"], "was never evaluated on evaluation.held_out"),
        (["--best", "--step", "1"], "--best and --step: one of them"),
        (["--merge"], "there is no adapter to merge"),
        (["--dtype", "int4"], "int4"),
    ],
)
def test_what_cannot_be_exported(tmp_path, tiny_model, options, message):
    """What is not there, or makes no sense, ends with status 2 and a sentence, and writes nothing."""
    run, _ = make_run(tmp_path, tiny_model)
    status, said = exported(run, tmp_path / "out", *options)
    assert (status, message in said) == (2, True), said
    assert not (tmp_path / "out").exists()


def test_places_that_do_not_fit(tmp_path, tiny_model):
    """No run, no checkpoint, a base that has gone, and a folder that is in use are told apart."""
    assert "there is no run here" in exported(tmp_path / "nothing", tmp_path / "out")[1]
    run, _ = make_run(tmp_path, tiny_model)
    (run / "sft").mkdir()
    (run / "checkpoints").rename(run / "gone")
    said = exported(run, tmp_path / "out")[1]
    assert "has no checkpoint; its warm start is a run of its own" in said
    (run / "gone").rename(run / "checkpoints")
    assert "is there already" in exported(run, run)[1]
    described = (run / "run.json").read_text("utf-8").replace(str(tiny_model), "/nowhere/at/all")
    (run / "run.json").write_text(described, "utf-8")
    assert "/nowhere/at/all" in exported(run, tmp_path / "out")[1]
