"""`pip install` without extras gives a working client."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from importlib.abc import MetaPathFinder

ALLOWED = {"grpc", "google", "trainer_client", "reward", "typing_extensions"} | set(sys.stdlib_module_names)

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"{name} is not in the base install", name=name)

sys.meta_path.insert(0, Refuse())
import trainer_client
task = {"taskId": "sum", "mathAnswer": {"expected": "4"}}
with trainer_client.RewardClient(sys.argv[1]) as client:
    (verdict,) = client.score([trainer_client.Sample(task, "0.5")])
    print(client.health(), trainer_client.reward(verdict))
assert "torch" not in sys.modules and "grpc_health" not in sys.modules
"""


def test_base_install(server):
    """Importing the client and scoring with it needs grpcio, protobuf and the standard library, and nothing else."""
    command = [sys.executable, "-c", PROGRAM, server.address]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("True 0.5\n", 0), done.stderr
