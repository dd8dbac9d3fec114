"""The trainer: vLLM samples, the reward server scores, torch updates. Needs the extra `train`; the client does not."""
