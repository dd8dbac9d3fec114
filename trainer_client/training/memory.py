"""How much GPU memory a run takes, roughly, before anything is loaded: a formula, and the shapes of common models.

For each GPU of `gpus` that share the weights (FSDP2), in bytes, with P parameters, A of them trained, L layers,
H hidden size, V vocabulary, T tokens_per_micro_batch, C chunk_tokens and G the engine's share:

    weights     P x bytes / gpus                       4 if all are trained, 2 frozen; layers in 4 bits 0.55
    adapter     4 A / gpus                             none when all are trained
    gradients   4 A / gpus
    optimizer   8 A / gpus                             AdamW's two moments
    reference   4 P / gpus                             when the loss has a KL term and no adapter: a frozen copy
    activations 2 T H (L + 20)                         one hidden state a layer, recomputed; 20 for the layer at hand
    logits      12 C V + 4 V H                         float32, with gradient and softmax; the output layer's gradient
    copies      2 P / gpus                             autocast's 16-bit weights, when all are trained
    engine      G x the GPU's memory while generating  2 P / tensor_parallel of it for weights; asleep: none

The learner and the engine take turns, so what is needed is the larger of the two, not the sum, plus what the learner
keeps while the engine generates: weights and optimizer state. CUDA's own context and fragmentation take 2 GiB or so.
"""

from dataclasses import dataclass

from trainer_client.training.config import Config

GIB = 1 << 30
_LEAST_CACHE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a model's size the formula needs."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    tied: bool

    @property
    def layer_parameters(self) -> int:
        """Weights of the linear layers of one decoder layer."""
        queries = self.heads * self.head_size
        keys_values = 2 * self.key_value_heads * self.head_size
        return self.hidden * (2 * queries + keys_values + 3 * self.intermediate)

    @property
    def parameters(self) -> int:
        """All weights."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return self.layers * (self.layer_parameters + 2 * self.hidden) + embeddings

    def adapter_parameters(self, rank: int) -> int:
        """Weights of a LoRA adapter on every linear layer."""
        queries = self.heads * self.head_size
        keys_values = self.key_value_heads * self.head_size
        ends = 2 * (self.hidden + queries) + 2 * (self.hidden + keys_values) + 3 * (self.hidden + self.intermediate)
        return self.layers * rank * ends


def _qwen3(layers: int, hidden: int, intermediate: int, heads: int, *, tied: bool) -> Shape:
    return Shape(
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        key_value_heads=8,
        head_size=128,
        vocabulary=151_936,
        tied=tied,
    )


SHAPES = {
    "Qwen/Qwen3-0.6B": _qwen3(28, 1024, 3072, 16, tied=True),
    "Qwen/Qwen3-1.7B": _qwen3(28, 2048, 6144, 16, tied=True),
    "Qwen/Qwen3-4B": _qwen3(36, 2560, 9728, 32, tied=True),
    "Qwen/Qwen3-8B": _qwen3(36, 4096, 12288, 32, tied=False),
    "Qwen/Qwen3-14B": _qwen3(40, 5120, 17408, 40, tied=False),
    "Qwen/Qwen3-32B": _qwen3(64, 5120, 25600, 64, tied=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """GiB on each GPU."""

    kept: float
    """Weights, reference and optimizer state, which stay while the engine generates."""
    learning: float
    """All that is there at once during an update."""
    engine_least: float
    """The engine's weights and a cache of 2 GiB: less than this does not run."""

    def __str__(self) -> str:
        return (
            f"{self.learning:.1f} GiB while learning; {self.kept:.1f} GiB of it stay while the engine generates, "
            f"which needs {self.engine_least:.1f} GiB at least"
        )


def estimate(shape: Shape, config: Config, gpus: int) -> Estimate:
    """Return what a run takes on each of ``gpus`` GPUs."""
    full = config.model.adapter == "none"
    trained = shape.parameters if full else shape.adapter_parameters(config.model.lora_rank)
    kept = _weights_bytes(shape, config) + trained * (8 if full else 12)
    if full and config.loss.needs_reference:
        kept += 4 * shape.parameters
    tokens = config.optimizer.tokens_per_micro_batch
    activations = 2 * tokens * shape.hidden * (shape.layers + 20)
    logits = (12 * config.model.chunk_tokens + 4 * shape.hidden) * shape.vocabulary
    copies = 2 * shape.parameters if full else 0
    return Estimate(
        kept=kept / gpus / GIB,
        learning=((kept + copies + 4 * trained) / gpus + activations + logits) / GIB,
        engine_least=2 * shape.parameters / config.rollout.tensor_parallel / GIB + _LEAST_CACHE,
    )


def _weights_bytes(shape: Shape, config: Config) -> float:
    match config.model.adapter:
        case "none":
            return 4.0 * shape.parameters
        case "lora":
            return 2.0 * shape.parameters
        case "qlora":
            layers = shape.layers * shape.layer_parameters
            return 0.55 * layers + 2.0 * (shape.parameters - layers)
