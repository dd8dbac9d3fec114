"""A tokenizer of characters and a language model of a few thousand parameters, made on the spot."""

import string
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<pad>", "<|im_start|>", "<|im_end|>")


def tokenizer(characters: str = string.printable) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are ``characters``."""
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, "<unk>", *characters])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[2],
        unk_token="<unk>",
        additional_special_tokens=[SPECIAL[1]],
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def model(vocabulary: int) -> Qwen2ForCausalLM:
    """Return a model with random weights."""
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=vocabulary,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=256,
            pad_token_id=0,
            eos_token_id=2,
        )
    )


def saved(folder: Path, characters: str = string.printable) -> str:
    """Save both to ``folder`` and return its name."""
    made = tokenizer(characters)
    made.save_pretrained(folder)
    model(len(made)).save_pretrained(folder)
    return str(folder)
