"""What an edit of a shop and a call to SP-API cost a process, and how many a second it makes of them.

    python -m benchmarks.pushing [--part edits calls] [--sizes 1 4 16] [--edits 480] [--calls 240]
                                 [--before FOLDER] [--postgresql]

The process that works is one of its own, wired as a run's; the emulator is in this one. Processor time (user and
system) is of the working process alone: figures a second are what is left when the emulator, which has to answer each
call, uses the machine's other core. `--before`: a checkout of the program (`git worktree add`) to measure by turns with
this one; the ratio is this one's processor time to its. `--postgresql`: state in a server started for it, fsync off,
with the packages of requirements-fleet-dev.txt (docs/fleet.md). Not for: rates that are kept (benchmarks.fetch).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ecauto_pipeline.emulator.credentials import base_account_id, base_app
from ecauto_pipeline.emulator.server import EmulatorServer

HERE = Path(__file__).resolve().parent
SHOPS = 16
RATE, BURST = 500.0, 50
OPERATIONS = ("getCompetitivePricing", "getItemOffersBatch", "getItemOffers", "getCompetitiveSummary")
HEAD = (
    "| what | {} | a second | client ms each | emulator ms each | commits each | ratio |\n|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """So many done; `cpu_s` of the process that did, `emulator_s` of the one that answered."""

    done: int
    cpu_s: float
    seconds: float
    commits: int
    emulator_s: float


class World:
    """The emulator, and folders of installations that work against it."""

    def __init__(self, folder: Path, emulator: EmulatorServer, new_state: Callable[[], str]) -> None:
        """`new_state`: the address of a state with nothing in it; "" = a file in the installation's folder."""
        self._folder, self._emulator, self._new_state, self._made = folder, emulator, new_state, 0

    def measure(self, program: Path, what: str, size: int, count: int) -> Measured:
        """`count` edits or calls by one process of this checkout, over `size` shops or SP-API accounts."""
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        config, wanted = folder / "ecauto.toml", folder / "items.json"
        config.write_text(self._toml(what, size), encoding="utf-8")
        wanted.write_text(json.dumps(self._items(folder, what, size, count)), encoding="utf-8")
        command = [sys.executable, str(HERE / "pushing_client.py"), what, str(config), str(wanted)]
        environment = {**os.environ, "PYTHONPATH": str(program)}
        ours_s = time.process_time()
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        figures = json.loads(done.stdout.splitlines()[-1])
        if figures["done"] < count:
            raise SystemExit(f"{what}: {figures['done']} of {count} done")
        share = 0.5 if what == "calls" else 1.0  # every call is made twice, the second is counted
        return Measured(**figures, emulator_s=(time.process_time() - ours_s) * share)

    def _items(self, folder: Path, what: str, size: int, count: int) -> dict[str, list[str]]:
        control = self._emulator.control
        if what == "calls":
            return {"asins": control.asins()[: count * 20]}
        tokens = folder / "data" / "tokens"
        items = {}
        for number in range(1, size + 1):
            account = base_account_id(number)
            mine = [str(10_000 * number + n) for n in range(count // size)]
            for item in mine:
                if control.item(account, int(item)) is None:
                    control.add_item(account, int(item), f"品 {item}", 2000)
            items[account] = mine
            tokens.mkdir(parents=True, exist_ok=True)
            (tokens / f"{account}.json").write_text(json.dumps(control.issue_base_tokens(account)), encoding="utf-8")
        return items

    def _toml(self, what: str, size: int) -> str:
        url = self._emulator.url
        parts = [f'[sp_api]\nendpoint = "{url}"\nlwa_endpoint = "{url}"\naudit_share = 0.0']
        parts += [f'[base]\nendpoint = "{url}/1"\n[base.limits]\nper_hour = 90000']
        state_url = self._new_state()
        parts += [f'[state]\nurl = "{state_url}"'] if state_url else []
        parts += [f"[sp_api.limits.{name}]\nrate_per_s = {RATE}\nburst = {BURST}" for name in OPERATIONS]
        if what == "calls":
            parts += [f'[[sp_api.accounts]]\nid = "sp_{n}"' for n in range(1, size + 1)]
        for number in range(1, (size if what == "edits" else 1) + 1):
            account = base_account_id(number)
            token, back = f"data/tokens/{account}.json", base_app(account).redirect_uri
            parts.append(f'[[base.accounts]]\nid = "{account}"\ntoken_file = "{token}"\nredirect_uri = "{back}"')
        return "\n".join(parts) + "\n"


def _databases(stack: ExitStack) -> Callable[[], str]:
    from proofs.fleet.servers import PostgreSQL

    server = PostgreSQL()
    stack.callback(server.close)
    server.start()
    return lambda: server.url(server.new_database())


def line(name: str, size: int, one: Measured, before: Measured | None) -> str:
    each = one.cpu_s / one.done
    ratio = "" if before is None else f"{each / (before.cpu_s / before.done):.2f}"
    return (
        f"| {name} | {size} | {one.done / one.seconds:.0f} | {1000 * each:.1f} "
        f"| {1000 * one.emulator_s / one.done:.1f} | {one.commits / one.done:.2f} | {ratio} |"
    )


def main() -> int:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=("edits", "calls"), nargs="+", default=["edits", "calls"])
    options.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 16], help="shops, or SP-API accounts")
    options.add_argument("--edits", type=int, default=480)
    options.add_argument("--calls", type=int, default=240)
    options.add_argument("--before", type=Path, help="a checkout to measure by turns with this one")
    options.add_argument("--postgresql", action="store_true", help="state in a PostgreSQL started for it")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wanted = chosen.calls * 22 + 400 if "calls" in chosen.part else SHOPS
        emulator = stack.enter_context(EmulatorServer(seed=7, listings=wanted, accounts=SHOPS, speed=1.0))
        emulator.control.set_base_limits(per_hour=1_000_000)
        for operation in OPERATIONS:
            emulator.control.set_rate(operation, 1000.0, 1000)
        world = World(folder, emulator, _databases(stack) if chosen.postgresql else lambda: "")
        for part in chosen.part:
            print("\n" + HEAD.format("shops" if part == "edits" else "accounts"), flush=True)
            count = chosen.edits if part == "edits" else chosen.calls
            for size in chosen.sizes:
                old = None
                if chosen.before is not None:
                    old = world.measure(chosen.before.resolve(), part, size, count)
                    print(line(f"{part} before", size, old, None), flush=True)
                print(line(part, size, world.measure(HERE.parent, part, size, count), old), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
