"""Measure the trainer against TRL's GRPOTrainer: the same model, prompts, lengths and batch, in turn on this machine.

    python benchmarks/trainer.py [--model half-billion|tiny] [--steps 5] [--json FILE] [--peak-tflops 989]

The model has random weights and is made here: nothing is downloaded. Both sides draw the completions with vLLM in their
own process (TRL says at its start which versions of it it supports), reward them by a rule that costs nothing, so that
graders are not measured, and take one DAPO step in bfloat16 over float32 weights. Each side runs in a process of its
own, after one step that is not counted.

Figures are of the machine they were measured on. On a machine without a GPU only ``--model tiny`` makes sense: it shows
that the script works, and says nothing about speed on a GPU.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from trainer_load import Clock, Load, worth

PEAK_TFLOPS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "L40S": 362.0, "L4": 121.0, "RTX 4090": 165.0}
"""Dense bfloat16, by the makers' data sheets, by a part of the device's name."""
SHAPES: dict[str, dict[str, int]] = {
    "half-billion": {
        "vocab_size": 151_936,
        "hidden_size": 896,
        "intermediate_size": 4_864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
    },
    "tiny": {
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    },
}
LOADS = {
    "half-billion": {"prompts": 32, "group": 8, "prompt_tokens": 256, "completion_tokens": 512, "at_once": 16},
    "tiny": {"prompts": 4, "group": 4, "prompt_tokens": 16, "completion_tokens": 24, "at_once": 4},
}


def make_model(directory: Path, name: str) -> None:
    """Save a model with random weights, and a tokenizer of bytes."""
    from transformers import Qwen2Config, Qwen2ForCausalLM  # noqa: PLC0415 - each side loads what it needs

    from trainer_client.training.tiny_model import make_tokenizer  # noqa: PLC0415

    tokenizer = make_tokenizer()
    config = Qwen2Config(
        **SHAPES[name],
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def ours(directory: Path, load: Load) -> dict[str, Any]:
    """Run this project's engine and learner."""
    from transformers import AutoTokenizer  # noqa: PLC0415

    from trainer_client.training.engines import open_rollout  # noqa: PLC0415
    from trainer_client.training.learner import Learner  # noqa: PLC0415
    from trainer_client.training.model_loading import ModelConfig  # noqa: PLC0415
    from trainer_client.training.optimizer import OptimizerConfig  # noqa: PLC0415
    from trainer_client.training.policy import Policy  # noqa: PLC0415
    from trainer_client.training.presets import loss_config  # noqa: PLC0415
    from trainer_client.training.rollout import RolloutConfig, SamplingParameters  # noqa: PLC0415
    from trainer_client.training.scoring import Episode, ScoredGroup  # noqa: PLC0415

    clock = Clock()
    length = load.prompt_tokens + load.completion_tokens
    engine = open_rollout(
        str(directory),
        RolloutConfig(group_size=load.group, max_model_len=length, max_sequences=load.prompts * load.group),
    )
    engine.sleep()
    policy = Policy(ModelConfig(name=str(directory)), reference=False)
    learner = Learner(
        policy,
        OptimizerConfig(tokens_per_micro_batch=load.at_once * length),
        loss_config("dapo", mask_truncated=False),
        longest_completion=load.completion_tokens,
    )
    sampling = SamplingParameters(max_tokens=load.completion_tokens)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    prompts = [tokenizer(text)["input_ids"] for text in load.texts()]
    tokens = []
    for step in range(load.steps + 1):
        part = prompts[step * load.prompts : (step + 1) * load.prompts]
        with clock.measure("step"):
            with clock.measure("sync"):
                engine.wake()
                engine.load_weights(policy.weights())
            with clock.measure("generation"):
                drawn = list(engine.generate(part, load.group, sampling))
                engine.sleep()  # as TRL's generation does at its end
            groups = [
                ScoredGroup(
                    task_index=place,
                    episodes=tuple(
                        Episode(
                            task_index=place,
                            prompt_token_ids=tuple(part[place]),
                            completion=completion,
                            result=None,
                            reward=worth(completion.token_ids),
                        )
                        for completion in group
                    ),
                )
                for place, group in drawn
            ]
            with clock.measure("update"):
                learner.update(groups)
        tokens.append(sum(len(completion.token_ids) for _, group in drawn for completion in group))
    engine.close()
    return {"seconds": clock.seconds, "tokens": tokens, "peak_bytes": clock.peak_bytes}


def training_flops(load: Load, tokens: float) -> float:
    """Return the floating-point operations of an update, forward and backward, recomputation not counted.

    Six for each weight and token, the embedding's table once (it is the output layer); and attention, half of it
    behind the causal mask.
    """
    shape = SHAPES[load.model]
    hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
    head = hidden // shape["num_attention_heads"]
    keys = 2 * hidden * head * shape["num_key_value_heads"]
    layer = 2 * hidden**2 + keys + 3 * hidden * shape["intermediate_size"]
    length = load.prompt_tokens + load.completion_tokens
    rows = load.prompts * load.group
    body = 6 * (layers * layer) * (tokens + rows * load.prompt_tokens) + 6 * hidden * shape["vocab_size"] * tokens
    return float(body + 6 * layers * hidden * length**2 * rows)


def figures(load: Load, measured: dict[str, Any], peak_tflops: float | None) -> dict[str, float]:
    """Return medians over the counted steps."""
    median = {name: statistics.median(values[1:]) for name, values in measured["seconds"].items()}
    tokens = statistics.median(measured["tokens"][1:])
    found = {
        "generated tokens per second": tokens / median["generation"],
        "generation seconds": median["generation"],
        "update seconds": median["update"],
        "weight sync seconds": median["sync"],
        "step seconds": median["step"],
        "samples per second, whole step": load.prompts * load.group / median["step"],
        "peak memory GiB": measured["peak_bytes"] / 2**30,
    }
    if peak_tflops:
        found["update MFU"] = training_flops(load, tokens) / median["update"] / (peak_tflops * 1e12)
    return found


def device() -> tuple[str, float | None]:
    """Return the device in words, and its peak, where it is known."""
    if not torch.cuda.is_available():
        return f"no GPU: {platform.processor() or platform.machine()}, {os.cpu_count()} cores", None
    name = torch.cuda.get_device_name()
    return name, next((peak for part, peak in PEAK_TFLOPS.items() if part in name), None)


def run(side: str, directory: Path, load: Load) -> dict[str, Any]:
    """Run one side in a process of its own."""
    file = directory / f"{side}.json"
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--directory",
        str(directory),
        "--load",
        json.dumps(asdict(load)),
    ]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-4_000:]}")
    measured: dict[str, Any] = json.loads(file.read_text())
    return measured


def main() -> None:
    """Measure both sides and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", choices=list(SHAPES), default="half-billion" if torch.cuda.is_available() else "tiny"
    )
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--peak-tflops", type=float)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--side", choices=["ours", "trl"], help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        load = Load(**json.loads(chosen.load))
        if chosen.side == "trl":
            from trainer_peer import trl  # noqa: PLC0415 - this side alone needs TRL

            measured = trl(chosen.directory, load)
        else:
            measured = ours(chosen.directory, load)
        (chosen.directory / f"{chosen.side}.json").write_text(json.dumps(measured))
        return
    load = Load(model=chosen.model, steps=chosen.steps, **LOADS[chosen.model])
    name, peak = device()
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), chosen.model)
        found = {
            side: figures(load, run(side, Path(folder), load), chosen.peak_tflops or peak) for side in ("ours", "trl")
        }
    print(f"{name}; {load}")
    print(f"{'':34}{'ours':>12}{'TRL':>12}{'TRL / ours':>12}")
    for row, value in found["ours"].items():
        other = found["trl"][row]
        print(f"{row:34}{value:12.4g}{other:12.4g}{other / value:12.2f}")
    if not torch.cuda.is_available():
        print("No GPU: this shows that the script works, and no more; TRL drew with transformers here, not with vLLM.")
    if chosen.json:
        chosen.json.write_text(json.dumps({"device": name, "load": asdict(load), **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
