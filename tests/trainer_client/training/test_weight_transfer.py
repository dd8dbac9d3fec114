"""How weights leave the trainer: as a file, and as the stream that vLLM's NCCL transfer reads."""

from pathlib import Path

import pytest
import tiny_engine
import torch
from safetensors.torch import load_file

from trainer_client.training.weight_transfer import FileTransfer, _Source, weights_file

WEIGHTS = [
    ("a", torch.arange(6.0).reshape(2, 3)),
    ("b", torch.ones(4, dtype=torch.bfloat16)),
    ("a.t", torch.eye(3)[:, :2]),
]


def same(found):
    return [name for name, _ in found] == [name for name, _ in WEIGHTS] and all(
        torch.equal(one, other) and one.dtype == other.dtype
        for (_, one), (_, other) in zip(found, WEIGHTS, strict=True)
    )


def test_a_file_is_there_as_long_as_it_is_read(tmp_path):
    """Servers are told of a file with all weights; afterwards it is gone, from shared memory too."""
    seen = []

    def post_all(path, **options):
        file = Path(options["json"]["kwargs"]["path"])
        seen.append((path, options["json"]["method"], file, load_file(file)))

    for directory in (tmp_path, None):
        FileTransfer(directory, post_all).send(iter(WEIGHTS))
    for path, method, file, held in seen:
        assert (path, method) == ("/collective_rpc", "receive_weights_file")
        assert same([(name, held[name]) for name, _ in WEIGHTS])
        assert not file.parent.exists()
    assert seen[0][2].is_relative_to(tmp_path)


def test_no_file_is_left_when_reading_fails(tmp_path):
    """A server that breaks leaves no weights behind on the disk."""
    with pytest.raises(RuntimeError, match="broke"), weights_file(iter(WEIGHTS), tmp_path):
        raise RuntimeError("broke")
    assert not list(tmp_path.iterdir())


def test_the_stream_is_what_vllm_was_told():
    """Shapes and weights agree in vLLM's own check, round after round, and from the second round on nothing is held."""
    with tiny_engine.vllm_warnings():
        from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerWeightTransferEngine  # noqa: PLC0415 - heavy
    source = _Source()
    for round_ in range(2):
        stream = iter(WEIGHTS)
        source.take(stream)
        told = source.metadata()
        if round_:
            assert source._weights is stream
        sent = list(NCCLTrainerWeightTransferEngine._checked_iter(source, told))
        assert same(sent)
        assert all(tensor.is_contiguous() for _, tensor in sent)


def test_other_weights_than_the_first_are_noticed():
    """Weights that change their shape between rounds are refused, rather than split wrongly on the way."""
    with tiny_engine.vllm_warnings():
        from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerWeightTransferEngine  # noqa: PLC0415 - heavy
    source = _Source()
    source.take(iter(WEIGHTS))
    told = source.metadata()
    source.take(iter([WEIGHTS[1], WEIGHTS[0], WEIGHTS[2]]))
    with pytest.raises(ValueError, match="disagrees"):
        list(NCCLTrainerWeightTransferEngine._checked_iter(source, told))
