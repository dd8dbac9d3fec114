"""The trainer: vLLM samples, the reward server scores, torch updates. Needs the extra `train`; the client does not."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # peft imports it; on a CPU it warns of kernels it could have
