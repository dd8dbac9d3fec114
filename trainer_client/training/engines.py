"""Opens the engine that a configuration asks for; each is imported only when it is wanted."""

from trainer_client.training.rollout import Rollout, RolloutConfig


def open_rollout(model: str, config: RolloutConfig, *, adapter_rank: int = 0) -> Rollout:
    """Start or reach the engine that ``config`` asks for, with the weights of ``model``: a directory or a hub's name.

    ``adapter_rank``: the largest rank of the LoRA adapters to come; 0 for none. Raises `RolloutError`.
    """
    if config.engine == "server":
        from trainer_client.training.vllm_server import open_server  # noqa: PLC0415 - needs httpx

        return open_server(model, config, adapter_rank=adapter_rank)
    from trainer_client.training.vllm_engine import ColocatedEngine  # noqa: PLC0415 - importing vLLM takes seconds

    return ColocatedEngine(model, config, adapter_rank=adapter_rank)
