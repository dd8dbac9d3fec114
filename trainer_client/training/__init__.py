"""The trainer: vLLM samples, the reward server scores, torch updates. Needs the extra `train`, as the client does not."""
