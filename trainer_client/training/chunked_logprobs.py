"""Log-probabilities and entropies out of hidden states, a few tokens at a time: the matrix (T, V) never exists.

With 150,000 words and 16,000 tokens that matrix takes 10 GB in float32, and its softmax and gradient as much again.
Here a chunk's logits are made, used and dropped, and made again in the backward pass.
"""

from typing import Any

import torch
from torch import Tensor


def chunked_logprobs(
    hidden: Tensor, weight: Tensor, targets: Tensor, *, temperature: float = 1.0, chunk_tokens: int = 512
) -> tuple[Tensor, Tensor]:
    """Return the log-probability of each target and the entropy it was drawn with: both (T,), both differentiable.

    ``hidden`` (T, H) and ``weight`` (V, H), the output layer's, are of one dtype, which the product is taken in;
    everything after is in float32 at least. Logits are divided by ``temperature``. Gradients of gradients are not
    supported.
    """
    if not len(targets):  # so that a row without a completion still has a (zero) gradient
        nothing = hidden.sum(dim=-1).float()
        return nothing, nothing
    values: tuple[Tensor, Tensor] = _ChunkedLogprobs.apply(hidden, weight, targets, temperature, chunk_tokens)  # type: ignore[no-untyped-call] # torch's
    return values


class _ChunkedLogprobs(torch.autograd.Function):
    """With z the logits over the temperature, p = softmax(z) and H the entropy.

    d log p_target / dz = onehot(target) - p, and dH / dz = -p (log p + H).
    """

    @staticmethod
    def forward(
        context: Any, hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float, chunk_tokens: int
    ) -> tuple[Tensor, Tensor]:
        precise = torch.promote_types(hidden.dtype, torch.float32)
        logprobs = torch.empty(len(targets), dtype=precise, device=hidden.device)
        normalizers, entropies = torch.empty_like(logprobs), torch.empty_like(logprobs)
        for start in range(0, len(targets), chunk_tokens):
            part = slice(start, start + chunk_tokens)
            logits = _logits(hidden[part], weight, temperature, precise)
            normalizers[part] = logits.logsumexp(dim=-1)
            logprobs[part] = logits.gather(1, targets[part, None]).squeeze(1) - normalizers[part]
            probabilities = (logits - normalizers[part, None]).exp_()
            entropies[part] = normalizers[part] - probabilities.mul_(logits).sum(dim=-1)
        context.save_for_backward(hidden, weight, targets, normalizers, entropies)
        context.temperature, context.chunk_tokens = temperature, chunk_tokens
        return logprobs, entropies

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        of_logprobs, of_entropies = gradients
        hidden, weight, targets, normalizers, entropies = context.saved_tensors
        to_hidden = torch.empty_like(hidden) if context.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight, dtype=normalizers.dtype) if context.needs_input_grad[1] else None
        for start in range(0, len(targets), context.chunk_tokens):
            part = slice(start, start + context.chunk_tokens)
            logs = _logits(hidden[part], weight, context.temperature, normalizers.dtype)
            logs -= normalizers[part, None]
            slopes = logs.exp()
            slopes *= logs.add_(entropies[part, None]).mul_(of_entropies[part, None]).add_(of_logprobs[part, None])
            slopes.neg_().scatter_add_(1, targets[part, None], of_logprobs[part, None])
            slopes /= context.temperature
            slopes = slopes.to(hidden.dtype)
            if to_hidden is not None:
                to_hidden[part] = slopes @ weight
            if to_weight is not None:
                to_weight += slopes.T @ hidden[part]
        return to_hidden, None if to_weight is None else to_weight.to(weight.dtype), None, None, None


def _logits(hidden: Tensor, weight: Tensor, temperature: float, dtype: torch.dtype) -> Tensor:
    """Return a chunk's logits over the temperature, in ``dtype``: (chunk, V)."""
    return (hidden @ weight.T).to(dtype).div_(temperature)
