from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_engine import CHECKPOINT_UPDATES, RECORDER, FakeExperiment

from bim_explorer.service.process import WorkerProcess, step_back
from bim_explorer.store.reader import RunReader

pytestmark = pytest.mark.skipif(os.name == "nt", reason="tells by POSIX signals")

TESTS = Path(__file__).parents[1]


def gone(pid: int) -> bool:
    """Whether a process, not a child of this one, has ended."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def stopped(client) -> RunReader:
    client.stop()
    client.join()
    return RunReader(client.folder)


def undisturbed(reader: RunReader, updates: int) -> np.ndarray:
    """The weight after so many updates without a crash, changes at their updates."""
    experiment, changes = FakeExperiment(reader.values), dict(reader.changes())
    for update in range(1, updates + 1):
        experiment.apply(changes.get(update, {}))
        experiment.advance()
    return experiment.weight


def test_a_killed_worker_comes_back_and_ends_as_if_nothing_had_happened(
    client, values, wait
) -> None:
    client.start(values)
    wait(lambda: client.update > 10)
    client.set({"learning_rate": 0.5})
    wait(lambda: len(client.history.marks) == 1)
    wait(lambda: client.update > CHECKPOINT_UPDATES + 10)
    client.set({"learning_rate": 0.25})
    wait(lambda: len(client.history.marks) == 2)
    died = client.update
    os.kill(client.pid, signal.SIGKILL)
    wait(lambda: client.restarts == 1 and client.status == "running")
    assert client.message.startswith("The engine died at update ")
    assert "went on from its checkpoint at update " in client.message
    wait(lambda: client.update > died + 20)
    updates, _ = client.history.curve("loss")
    assert list(updates) == list(range(1, len(updates) + 1))
    assert len(client.history.marks) == 2

    reader = stopped(client)
    rows = [row["update"] for row in reader.metrics()]
    assert rows == list(range(1, client.update + 1))
    assert len(reader.changes()) == 2
    weight = reader.checkpoint("last")[0]["weight"]
    assert np.array_equal(weight, undisturbed(reader, client.update))


def test_a_change_that_the_lost_worker_never_saw_is_asked_for_again(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 10)
    os.kill(client.pid, signal.SIGSTOP)
    client.set({"balance": 0.125})
    time.sleep(0.1)
    os.kill(client.pid, signal.SIGKILL)
    wait(lambda: client.values["balance"] == 0.125)
    assert client.restarts == 1


def test_a_silent_worker_is_replaced(make_client, values, wait) -> None:
    client = make_client(heartbeat=2.0)
    client.start(values, paused=True)
    wait(lambda: client.status == "paused")
    client.step(3)
    wait(lambda: client.update == 3)
    os.kill(client.pid, signal.SIGSTOP)
    wait(lambda: client.restarts == 1 and client.status == "paused")
    assert "stopped answering at update 3" in client.message


def test_a_worker_killed_while_it_starts_is_started_again(client, values, wait, tmp_path) -> None:
    client.start(values, tmp_path / "run")
    os.kill(client.pid, signal.SIGKILL)
    wait(lambda: client.status == "running")
    assert client.folder.parent == tmp_path
    assert client.history.generation >= 1


def test_what_kills_every_worker_is_given_up_in_one_sentence(make_client, values, wait) -> None:
    client = make_client("fake_engine:DyingRecorder")
    client.start(values)
    wait(lambda: client.status == "failed")
    assert "died 3 times in a row" in client.message
    assert client.restarts == 2


def test_an_engine_that_cannot_be_loaded_says_so(make_client, values, wait) -> None:
    client = make_client("fake_engine:NoRecorder")
    client.start(values)
    wait(lambda: client.status == "failed")
    assert client.message.startswith("The engine cannot be loaded: ")
    assert client.restarts == 0


@pytest.mark.parametrize(
    ("seed", "message"),
    [(13, "The engine failed at update 20: ValueError: thirteen"), (14, "there is no data")],
)
def test_a_failing_experiment_sends_its_text_and_the_worker_lives_on(
    client, values, wait, seed: int, message: str
) -> None:
    client.start({**values, "seed": seed})
    wait(lambda: client.status == "failed")
    assert client.message.startswith(message)
    assert "Traceback" not in client.message
    client.start(values)
    wait(lambda: client.status == "running")
    assert client.restarts == 0
    assert client.message == ""


def test_divergence_is_told_and_a_reset_mends_it(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 10)
    client.set({"learning_rate": 1.0})
    wait(lambda: client.status == "diverged")
    assert client.message == "learning left its bounds: lower learning_rate."
    folder, update = client.folder, client.update
    client.reset({"learning_rate": 0.5})
    wait(lambda: client.status == "running" and client.update > 0)
    reader = RunReader(folder)
    assert [e["update"] for e in reader.events() if e["kind"] == "diverged"] == [update]
    assert reader.checkpoint("last")[1]["values"]["learning_rate"] < 1.0


def test_a_full_disk_pauses_the_run_and_costs_no_row(client, values, wait) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("the limits of another process can be set on Linux only")
    client.start(values)
    wait(lambda: client.update > 20)
    pid, limit = client.pid, resource.RLIMIT_FSIZE
    unlimited = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, ((client.folder / "metrics.jsonl").stat().st_size, unlimited[1]))
    wait(lambda: client.status == "paused")
    assert "cannot be written" in client.message
    assert "make room" in client.message
    resource.prlimit(pid, limit, unlimited)
    held = client.update
    client.resume()
    wait(lambda: client.update > held + 10)
    rows = [row["update"] for row in stopped(client).metrics()]
    assert rows == list(range(1, client.update + 1))


def test_a_folder_that_cannot_be_written_is_one_sentence(client, values, wait, tmp_path) -> None:
    (tmp_path / "file").touch()
    client.start(values, tmp_path / "file" / "run")
    wait(lambda: client.status == "failed")
    assert "cannot be written" in client.message


def test_a_damaged_checkpoint_is_one_sentence(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 5)
    reader = stopped(client)
    (reader.folder / "last.safetensors").write_bytes(b"torn")
    client.open(reader.folder)
    wait(lambda: client.status == "failed")
    assert "last.safetensors is damaged" in client.message


def server(script: str, tmp_path: Path) -> tuple[subprocess.Popen, dict]:
    """A process of its own that runs `client` and prints its worker's number and its folder."""
    path = tmp_path / "server.py"
    path.write_text(
        "import json, os, signal, sys, time\n"
        "from functools import partial\n"
        "from fake_engine import RECORDER\n"
        "from bim_explorer.service.client import RunClient\n"
        "from bim_explorer.service.hub import Hub\n"
        "from bim_explorer.service.process import WorkerProcess\n"
        "def main():\n"
        # what runs in the background of a script is born deaf to it
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    client = RunClient(partial(WorkerProcess, recorder=RECORDER))\n"
        f"    client.start({{'seed': 1}}, {str(tmp_path / 'run')!r})\n"
        "    while client.update < 5: time.sleep(0.01)\n"
        "    print(json.dumps({'pid': client.pid}), flush=True)\n"
        f"    {script}\n"
        "if __name__ == '__main__': main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def last_row_is_checkpointed(folder: Path) -> bool:
    reader = RunReader(folder)
    return reader.checkpoint("last")[1]["update"] == reader.metrics()[-1]["update"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_parents_death_ends_the_worker_with_a_checkpoint(tmp_path, wait, number: int) -> None:
    process, told = server("time.sleep(60)", tmp_path)
    process.send_signal(number)
    process.wait(10)
    wait(lambda: gone(told["pid"]), seconds=10)
    assert last_row_is_checkpointed(tmp_path / "run")


def test_the_end_of_a_script_ends_its_workers_with_a_checkpoint(tmp_path, wait) -> None:
    process, told = server("pass", tmp_path)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
    assert gone(told["pid"])
    assert last_row_is_checkpointed(tmp_path / "run")


def test_ctrl_c_ends_server_and_worker_with_a_checkpoint(tmp_path, wait) -> None:
    process, told = server("time.sleep(60)", tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert errors.count("KeyboardInterrupt") == 1
    wait(lambda: gone(told["pid"]), seconds=10)
    assert last_row_is_checkpointed(tmp_path / "run")


def test_a_worker_told_to_terminate_loses_no_update(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > CHECKPOINT_UPDATES + 5)
    os.kill(client.pid, signal.SIGTERM)
    wait(lambda: client.restarts == 1 and client.status == "running")
    died, again = map(int, re.findall(r"at update (\d+)", client.message))
    assert again >= died


def test_a_script_without_a_guard_is_told_how(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        "import time\n"
        "from bim_explorer.service.client import RunClient\n"
        "client = RunClient()\n"
        "client.start({'seed': 1})\n"
        "while client.standing: time.sleep(0.01)\n"
        "print(client.message)\n"
    )
    environment = {**os.environ, "BIM_RUNS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60, env=environment
    )
    assert 'below `if __name__ == "__main__":`' in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_a_server_that_steps_back_leaves_its_workers_their_priority():
    def serve() -> None:
        step_back()
        begun.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        begun.append(WorkerProcess(1, RECORDER))

    begun: list[Any] = []
    server = threading.Thread(target=serve)
    server.start()
    server.join()
    priority, worker = begun
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert priority > mine == os.getpriority(os.PRIO_PROCESS, worker.pid)
    worker.ask_to_end()
    worker.wait()
    assert not worker.alive
