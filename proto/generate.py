"""Generate the Python stubs of the contract, or check that the committed ones are current.

    python proto/generate.py            write proto/reward/v1/*_pb2*.py[i]
    python proto/generate.py --check    exit 1 and name the files that differ

The compiler is the one in grpcio-tools 1.76.0: stubs of later releases refuse protobuf 6, which vLLM still admits.
"""

import argparse
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
COMPILER = "1.76.0"


def generate(destination: Path) -> None:
    """Write the stubs of every proto file below ``destination``."""
    if version("grpcio-tools") != COMPILER:
        raise SystemExit(f"stubs are generated with grpcio-tools {COMPILER}, not {version('grpcio-tools')}")
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "reward").rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--python_out={destination}",
            f"--grpc_python_out={destination}",
            f"--pyi_out={destination}",
            *protos,
        ]
    )
    if status != 0:
        raise SystemExit(status)
    for stub in destination.rglob("*_pb2_grpc.py"):
        if "Servicer" not in stub.read_text():
            stub.unlink()  # a file without a service: the compiler writes an empty stub


def stale() -> list[str]:
    """Return the committed stubs that differ from freshly generated ones, relative to ``proto/``."""
    with tempfile.TemporaryDirectory() as fresh_name:
        fresh = Path(fresh_name)
        generate(fresh)
        names = {path.relative_to(base) for base in (fresh, ROOT) for path in base.rglob("*_pb2*.py*")}
        return sorted(str(name) for name in names if _read(fresh / name) != _read(ROOT / name))


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> None:
    """Run the command line described at the top of this file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="write nothing; fail when a stub is not current")
    if not arguments.parse_args().check:
        generate(ROOT)
    elif differing := stale():
        sys.exit("not current, run `make proto`: " + ", ".join(differing))


if __name__ == "__main__":
    main()
