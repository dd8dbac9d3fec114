"""Eight lines: start a server, grade a group of three responses to one task, take the rewards."""

from reward_server.child import child_server
from trainer_client import RewardClient, Sample, reward

task = {"mathAnswer": {"expected": "3/4"}}
responses = [r"So the probability is \boxed{0.75}.", "The answer is 1/4.", "I do not know."]
with child_server() as address, RewardClient(address) as client:
    for result in client.score([Sample(task, response) for response in responses]):
        print(reward(result), result)
