"""Attention over samples laid end to end, each seeing itself alone, without a mask and without flash-attn installed.

On a GPU, in 16 bits: torch's own variable-length flash attention. Elsewhere: one causal
`scaled_dot_product_attention` per sample. The work is the sum of the squared lengths, not the square of their sum.
Registered with transformers as an attention implementation called ``packed``.
"""

from inspect import signature
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

NAME = "packed"
_TAKES_GROUPS = "enable_gqa" in signature(varlen_attn).parameters
"""Whether torch's kernel shares keys among heads when told; before torch 2.12 it is given a copy for each head."""
_UNSUPPORTED = ("softcap", "s_aux", "position_bias")
"""What some architectures ask of attention and the kernels here do not do."""


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    **others: Any,
) -> tuple[Tensor, None]:
    """Return what each token reads (1, L, heads, width), by transformers' interface.

    ``query`` (1, heads, L, width), ``key`` and ``value`` (1, key heads, L, width). ``cu_seq_lens_q`` (S + 1,) int32:
    where each sample starts, and the end. ``sliding_window``: how many tokens back a token sees, itself included.
    """
    del attention_mask
    if asked := [name for name in _UNSUPPORTED if others.get(name) is not None]:
        raise ValueError(
            f'{type(module).__name__} needs {", ".join(asked)}, which attention = "packed" does not do: '
            'choose attention = "flash_attention_2" or "sdpa"'
        )
    dtype = _computed_in(value)
    if query.is_cuda and dtype in (torch.bfloat16, torch.float16):
        query, key, value = (part.squeeze(0).transpose(0, 1).to(dtype) for part in (query, key, value))
        share = query.shape[1] // key.shape[1]
        options: dict[str, Any] = {}
        if share > 1 and _TAKES_GROUPS:
            options["enable_gqa"] = True
        elif share > 1:
            key, value = (part.repeat_interleave(share, dim=1) for part in (key, value))
        read = varlen_attn(
            query,
            key,
            value,
            cu_seq_lens_q,
            cu_seq_lens_q,
            max_length_q,
            max_length_q,
            scale=scaling,
            window_size=(-1 if sliding_window is None else sliding_window - 1, 0),
            **options,
        )
        assert isinstance(read, Tensor)  # noqa: S101 - no auxiliary output was asked for
        return read.unsqueeze(0), None
    bounds = cu_seq_lens_q.tolist()
    parts = [
        _causal(query[:, :, start:end], key[:, :, start:end], value[:, :, start:end], scaling, sliding_window)
        for start, end in pairwise(bounds)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2), None


def _computed_in(tensor: Tensor) -> torch.dtype:
    """Return what attention is computed in: under autocast its dtype, though rotated queries arrive in float32."""
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else tensor.dtype


def _causal(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None) -> Tensor:
    """Return one sample's attention (1, heads, length, width)."""
    length, grouped = query.shape[2], query.shape[1] != key.shape[1]
    if window is None or length <= window:
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=grouped)
    band = torch.ones(length, length, dtype=torch.bool, device=query.device).tril().triu(1 - window)
    return scaled_dot_product_attention(query, key, value, attn_mask=band, scale=scaling, enable_gqa=grouped)


def _no_mask(*_arguments: Any, **_options: Any) -> None:
    """Return no mask: the boundaries of samples are all it takes."""


def register() -> None:
    """Make the implementation known to transformers under `NAME`. Twice is once."""
    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, _no_mask)
