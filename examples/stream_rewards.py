"""How a trainer uses a server: rewards arrive while other responses are still running, and failures are masked.

reward-server serve                  # in another terminal
python examples/stream_rewards.py [ADDRESS]
"""

import asyncio
import sys

from trainer_client import AsyncRewardClient, Sample, reward

TASK = {
    "taskId": "double",
    "codeTests": {
        "entryPoint": "double",
        "callTests": [{"args": ["2"], "expected": "4"}, {"args": ["'ab'"], "expected": "'abab'"}],
    },
}
GROUP = [
    "```python\ndef double(x):\n    return x * 2\n```",
    "```python\ndef double(x):\n    return 2 ** x\n```",
    "```python\ndef double(x):\n    while True: pass\n```",
]


async def main(address: str) -> None:
    """Score one group and print its advantages."""
    samples = [Sample(TASK, response, sample_id=str(i)) for i, response in enumerate(GROUP)]
    rewards: list[float | None] = [None] * len(samples)
    async with AsyncRewardClient(address, run_id="example") as client:
        async for result in client.stream(samples, timeout_seconds=60):
            rewards[int(result.sample_id)] = reward(result)
            print(f"response {result.sample_id}: {reward(result)}")
    graded = [value for value in rewards if value is not None]
    mean = sum(graded) / len(graded)
    print("advantages:", [None if value is None else round(value - mean, 3) for value in rewards])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"))
