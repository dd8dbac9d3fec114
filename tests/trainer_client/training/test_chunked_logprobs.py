"""Chunked log-probabilities and entropies are those of the whole logits, and the whole logits never exist."""

import pytest
import torch
from tensor_watch import TensorWatch
from torch import Tensor

from trainer_client.training.chunked_logprobs import chunked_logprobs

TOKENS, HIDDEN, WORDS = 13, 6, 17


def inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(TOKENS, HIDDEN, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    weight = torch.randn(WORDS, HIDDEN, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    return hidden, weight, torch.randint(WORDS, (TOKENS,), generator=generator)


def plain(hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    logs = (hidden @ weight.T / temperature).log_softmax(-1)
    return logs.gather(1, targets[:, None]).squeeze(1), -(logs.exp() * logs).sum(-1)


@pytest.mark.parametrize("chunk_tokens", [1, 5, 13, 100])
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_values_and_gradients_are_those_of_the_whole(chunk_tokens: int, temperature: float):
    """For log-probability and entropy, towards hidden states and output weights, to float64's precision."""
    hidden, weight, targets = inputs()
    found = chunked_logprobs(hidden, weight, targets, temperature=temperature, chunk_tokens=chunk_tokens)
    expected = plain(hidden, weight, targets, temperature)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    slopes = torch.randn(2, TOKENS, dtype=torch.float64)
    for one, other in zip(
        torch.autograd.grad((torch.stack(found) * slopes).sum(), (hidden, weight)),
        torch.autograd.grad((torch.stack(expected) * slopes).sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_gradients_pass_the_numerical_check():
    """By finite differences, without any formula of ours."""
    hidden, weight, targets = inputs()
    assert torch.autograd.gradcheck(
        lambda *tensors: chunked_logprobs(*tensors, targets, temperature=0.8, chunk_tokens=4), (hidden, weight)
    )


def test_sixteen_bits_are_summed_in_thirty_two():
    """Products are in bfloat16; what is made of them is as exact as their float32 copies allow."""
    hidden, weight, targets = inputs(torch.bfloat16)
    logprobs, entropy = chunked_logprobs(hidden, weight, targets, chunk_tokens=4)
    assert logprobs.dtype == entropy.dtype == torch.float32
    logs = (hidden @ weight.T).float().log_softmax(-1)
    torch.testing.assert_close(logprobs, logs.gather(1, targets[:, None]).squeeze(1))
    logprobs.sum().backward()
    assert hidden.grad is not None
    assert hidden.grad.dtype == weight.grad.dtype == torch.bfloat16


def test_a_frozen_output_layer_gets_no_gradient():
    """As with an adapter: only hidden states lead on."""
    hidden, weight, targets = inputs()
    chunked_logprobs(hidden, weight.detach(), targets)[0].sum().backward()
    assert hidden.grad is not None
    assert weight.grad is None


def test_no_completion_token_is_no_trouble():
    """Rows without a completion token have no values, and a gradient of zeros."""
    hidden, weight, targets = inputs()
    logprobs, entropy = chunked_logprobs(hidden[:0], weight, targets[:0])
    assert logprobs.shape == entropy.shape == (0,)
    (logprobs.sum() + entropy.sum()).backward()
    assert not hidden.grad.any()


def test_whole_logits_never_exist():
    """Neither forward nor backward makes a tensor larger than a chunk of logits, or the weights."""
    tokens, words, chunk = 512, 1000, 16
    hidden = torch.randn(tokens, 8, requires_grad=True)
    weight = torch.randn(words, 8, requires_grad=True)
    with TensorWatch() as watch:
        logprobs, entropy = chunked_logprobs(hidden, weight, torch.zeros(tokens).long(), chunk_tokens=chunk)
        (logprobs.sum() + entropy.sum()).backward()
    assert watch.largest == chunk * words
