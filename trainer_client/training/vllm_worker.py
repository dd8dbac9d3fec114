"""What runs inside vLLM's workers: weights received in place. vLLM mixes the class into its own worker.

The functions of vLLM used here are those of its own weight transfer.
"""

from collections.abc import Iterable
from typing import Any

import torch
from safetensors import safe_open


class WeightReceiver:
    """Methods for `collective_rpc`; ``self`` is vLLM's worker as well."""

    model_runner: Any
    vllm_config: Any

    def receive_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Load all weights, by their checkpoint names, into the tensors that are there; captured graphs stay valid.

        Raises ValueError for weights that the model lacks, and for those of the model that did not come.
        """
        from vllm.config import set_current_vllm_config  # noqa: PLC0415 - this process may be the trainer's
        from vllm.model_executor.model_loader import reload  # noqa: PLC0415

        model = self.model_runner.get_model()
        with set_current_vllm_config(self.vllm_config):
            reload.initialize_layerwise_reload(model)
            loaded = model.load_weights(weights)
            reload.finalize_layerwise_reload(model, self.vllm_config.model_config)  # type: ignore[no-untyped-call] # theirs
        self.model_runner.reset_lora_state()
        _pack_output_layer(model)
        expected = {name.replace(".base_layer.", ".") for name, _ in model.named_parameters()}
        if missing := sorted(expected - loaded):
            raise ValueError(f"{len(missing)} weights of the model did not come: {', '.join(missing[:3])} …")

    def receive_weights_file(self, path: str) -> None:
        """Load all weights from a safetensors file."""
        with safe_open(path, framework="pt") as file:
            self.receive_weights((name, file.get_tensor(name)) for name in file.keys())  # noqa: SIM118 - no mapping


def _pack_output_layer(model: torch.nn.Module) -> None:
    """Renew the copies that layers keep beside their weights.

    On CPU vLLM multiplies by a packed copy. Most layers drop the original and are packed again as they load. The output
    layer keeps both, and where it shares its weights with the input embedding it is not loaded itself, so that its copy
    would stay the old model's.
    """
    for layer in model.modules():
        weight: Any = getattr(layer, "weight", None)
        method: Any = getattr(layer, "quant_method", None)
        if hasattr(layer, "cpu_linear") and weight.numel():
            method.process_weights_after_loading(layer)
