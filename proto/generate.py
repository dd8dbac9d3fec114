"""Generate the Python stubs of the contract and its OpenAPI description, or check that the committed ones are current.

    python proto/generate.py            write proto/reward/v1/*_pb2*.py[i] and reward_server/gateway/openapi.json
    python proto/generate.py --check    exit 1 and name the files that differ

The compiler is the one in grpcio-tools 1.76.0: stubs of later releases refuse protobuf 6, which vLLM still admits.
"""

import argparse
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import openapi
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
OPENAPI = ROOT.parent / "reward_server" / "gateway" / "openapi.json"
COMPILER = "1.76.0"


def generate(destination: Path) -> str:
    """Write the stubs of every proto file below ``destination``; return the OpenAPI document."""
    if version("grpcio-tools") != COMPILER:
        raise SystemExit(f"stubs are generated with grpcio-tools {COMPILER}, not {version('grpcio-tools')}")
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "reward").rglob("*.proto"))
    described = destination / "described.binpb"
    status = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--python_out={destination}",
            f"--grpc_python_out={destination}",
            f"--pyi_out={destination}",
            f"--descriptor_set_out={described}",
            "--include_source_info",
            "--include_imports",
            *protos,
        ]
    )
    if status != 0:
        raise SystemExit(status)
    for stub in destination.rglob("*_pb2_grpc.py"):
        if "Servicer" not in stub.read_text():
            stub.unlink()  # a file without a service: the compiler writes an empty stub
    document = openapi.document(FileDescriptorSet.FromString(described.read_bytes()))
    described.unlink()
    return document


def stale() -> list[str]:
    """Return the committed files that differ from freshly generated ones."""
    with tempfile.TemporaryDirectory() as fresh_name:
        fresh = Path(fresh_name)
        document = generate(fresh)
        names = {path.relative_to(base) for base in (fresh, ROOT) for path in base.rglob("*_pb2*.py*")}
        differing = sorted(str(name) for name in names if _read(fresh / name) != _read(ROOT / name))
        return differing + ([] if _read(OPENAPI) == document.encode() else [OPENAPI.name])


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> None:
    """Run the command line described at the top of this file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="write nothing; fail when a stub is not current")
    if not arguments.parse_args().check:
        OPENAPI.write_text(generate(ROOT), "utf-8")
    elif differing := stale():
        sys.exit("not current, run `make proto`: " + ", ".join(differing))


if __name__ == "__main__":
    main()
