"""TRL's side of `trainer.py`: its GRPOTrainer, timed from outside."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trainer_load import Clock, Load, synchronize, worth
from transformers import AutoTokenizer
from trl import GRPOConfig, GRPOTrainer


def trl(directory: Path, load: Load) -> dict[str, Any]:
    """Return what was measured. Without a GPU it draws with transformers: its vLLM mode is made for GPUs."""
    gpu = torch.cuda.is_available()
    clock = Clock()
    tokens: list[int] = []

    def reward(completion_ids: list[list[int]], **_: Any) -> list[float]:
        tokens.append(sum(map(len, completion_ids)))
        return [worth(each) for each in completion_ids]

    options = GRPOConfig(
        output_dir=str(directory / "trl"),
        per_device_train_batch_size=load.at_once,
        gradient_accumulation_steps=load.prompts * load.group // load.at_once,
        num_generations=load.group,
        max_completion_length=load.completion_tokens,
        max_steps=load.steps + 1,
        learning_rate=1e-6,
        lr_scheduler_type="constant",
        loss_type="dapo",
        epsilon_high=0.28,
        vllm_importance_sampling_mode="token_truncate",
        vllm_importance_sampling_clip_max=2.0,
        use_vllm=gpu,
        vllm_mode="colocate",
        vllm_max_model_length=load.prompt_tokens + load.completion_tokens,
        vllm_gpu_memory_utilization=0.4,
        vllm_enable_sleep_mode=True,
        model_init_kwargs={"dtype": "float32", "attn_implementation": "sdpa"},
        bf16=gpu,
        use_cpu=not gpu,
        gradient_checkpointing=True,
        save_strategy="no",
        report_to="none",
        shuffle_dataset=False,
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=str(directory),
        reward_funcs=reward,
        args=options,
        train_dataset=Dataset.from_list([{"prompt": text} for text in load.texts()]),
        processing_class=AutoTokenizer.from_pretrained(directory),
    )
    if gpu:
        engine = trainer.vllm_generation
        engine.sync_weights = clock.measured("sync", engine.sync_weights)
        engine.generate = clock.measured("generation", engine.generate)
    else:
        trainer._generate_single_turn = clock.measured("generation", trainer._generate_single_turn)  # noqa: SLF001 - the only place to time it
    begun: list[float] = []
    prepare = trainer._prepare_inputs  # noqa: SLF001 - called first of all in a micro-batch

    def first(inputs: Any) -> Any:
        if trainer._step % options.gradient_accumulation_steps == 0:  # noqa: SLF001 - to know where a step begins
            synchronize()
            begun.append(time.perf_counter())
        return prepare(inputs)

    trainer._prepare_inputs = first  # noqa: SLF001 - as above
    trainer.train()
    synchronize()
    begun.append(time.perf_counter())
    seconds = clock.seconds | {"step": [end - start for start, end in pairwise(begun)]}
    seconds.setdefault("sync", [0.0] * len(seconds["step"]))
    spent = zip(seconds["step"], seconds["generation"], seconds["sync"], strict=False)
    seconds["update"] = [step - generation - sync for step, generation, sync in spent]
    return {"seconds": seconds, "tokens": tokens, "peak_bytes": clock.peak_bytes}
