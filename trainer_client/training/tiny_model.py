"""A language model that is made on the spot: Qwen2's architecture, random weights, no downloads.

It serves tests and the demonstration. It goes through the same files and the same code as a model of a hub.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_BYTES = 256
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tokenizer(texts: Iterable[str] = (), *, merges: int = 0) -> PreTrainedTokenizerFast:
    """Return a tokenizer over bytes, so that every text has tokens and comes back unchanged.

    ``merges``: how many longer tokens to learn from ``texts``; 0 leaves a token a byte.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_BYTES + 3 + merges,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts if merges else (), trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)  # type: ignore[no-untyped-call] # theirs
    made.chat_template = _CHAT_TEMPLATE
    return made


def make_tiny_model(
    directory: Path,
    *,
    tokenizer: PreTrainedTokenizerFast | None = None,
    hidden_size: int = 64,
    layers: int = 2,
    tied: bool = True,
    seed: int = 0,
) -> Path:
    """Save a model with random float32 weights and its tokenizer in ``directory``, and return it.

    ``tied``: input and output embedding are one tensor, as in the small models of the hubs.
    """
    tokenizer = tokenizer or make_tokenizer()
    heads = max(2, hidden_size // 32)  # head size 32 is the smallest that vLLM's kernels take
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=hidden_size * 3,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        max_position_embeddings=2048,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)  # type: ignore[no-untyped-call] # theirs
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
