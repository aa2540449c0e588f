"""How a run travels from a node to the experiment's folder, without Ray."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import types

import pytest

from concrete_dqn import on_ray


def checkpoint(run, step, segments):
    """What the program writes: the folder, under its name once it is whole, and the replay that it needs."""
    for segment in segments:
        path = run / "checkpoints" / "replay" / segment
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(f"transitions of {segment}")
    folder = run / "checkpoints" / f"step-{step:012}"
    folder.mkdir()
    (folder / "state.json").write_text(",".join(segments))
    (folder / "tensors.safetensors").write_text(str(step))


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def moments(run):
    """A run as it grows, moment after moment."""
    (run / "plots").mkdir(parents=True)
    (run / "config.toml").write_text("settings")
    (run / "episodes.csv").write_text("1\n")
    (run / ".lock").write_text("")
    yield
    checkpoint(run, 10, ["a"])
    (run / "episodes.csv").write_text("1\n2\n")
    yield
    checkpoint(run, 20, ["a", "b"])
    (run / "checkpoints" / "step-000000000030.partial").mkdir()
    (run / ".model.partial").write_text("half")
    yield
    for step in (10, 20):
        shutil.rmtree(run / "checkpoints" / f"step-{step:012}")
    (run / "checkpoints" / "replay" / "a").unlink()
    checkpoint(run, 40, ["b", "c"])
    shutil.rmtree(run / "checkpoints" / "step-000000000030.partial")
    (run / ".model.partial").unlink()
    (run / ".lock").unlink()
    (run / "plots" / "return.svg").write_text("a picture")
    (run / "report.html").write_text("a page")
    yield


def assert_resumable(run):
    """Every checkpoint that has its name is whole, and has the replay that it needs."""
    for step in on_ray.checkpoints(run):
        folder = run / "checkpoints" / step
        assert (folder / "tensors.safetensors").read_text() == str(int(step.removeprefix("step-")))
        for segment in (folder / "state.json").read_text().split(","):
            assert (run / "checkpoints" / "replay" / segment).read_text() == f"transitions of {segment}"
        assert (run / "config.toml").read_text() == "settings"


def test_what_arrives_is_what_was_written_and_nothing_is_sent_twice(tmp_path):
    node, home = tmp_path / "node", tmp_path / "home"
    run = node / "runs" / "it" / "x"
    shipment, sent = on_ray.Shipment(node, run), []
    for _ in moments(run):
        update = shipment.changes()
        if update is None:
            assert not on_ray.checkpoints(run), "without a checkpoint there is nothing to resume"
            continue
        sent += [name for name in update["files"] if name.startswith("checkpoints/")]
        on_ray.unpack(home, update)
        assert_resumable(home / "runs" / "it" / "x")
    assert len(sent) == len(set(sent)) and sent
    assert "report.html" not in tree(home / "runs" / "it" / "x")
    on_ray.unpack(home, shipment.changes(whole=True))
    assert tree(home) == tree(node)

    # And from there to the next node.
    other = tmp_path / "other"
    on_ray.unpack(other, on_ray.Shipment(home, home / "runs" / "it" / "x").changes(whole=True))
    assert tree(other) == tree(home)


def test_a_driver_that_dies_while_it_writes_leaves_what_can_be_resumed(tmp_path, monkeypatch):
    write = on_ray.write
    for last in itertools.count():
        node, home = tmp_path / f"node-{last}", tmp_path / f"home-{last}"
        run = node / "runs" / "it" / "x"
        shipment, written = on_ray.Shipment(node, run), itertools.count()

        def dying(path, content):
            if next(written) == last:
                raise KeyboardInterrupt
            write(path, content)

        monkeypatch.setattr(on_ray, "write", dying)
        try:
            for _ in moments(run):
                if update := shipment.changes():
                    on_ray.unpack(home, update)
        except KeyboardInterrupt:
            assert_resumable(home / "runs" / "it" / "x")
            continue
        assert last > 10
        return


def test_files_that_vanish_while_they_are_read_are_read_again(tmp_path, monkeypatch):
    run = tmp_path / "runs" / "it" / "x"
    for _ in moments(run):
        pass
    checkpoints, asked = on_ray.checkpoints, []

    def vanishing(folder):
        asked.append(folder)
        # The first time with one that the program removes before it is read.
        return (["step-000000000005"] if len(asked) == 1 else []) + checkpoints(folder)

    monkeypatch.setattr(on_ray, "checkpoints", vanishing)
    update = on_ray.Shipment(tmp_path, run).changes(whole=True)
    assert len(asked) == 2 and "checkpoints/step-000000000040/state.json" in update["files"]


def test_a_node_without_the_program_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("CONCRETE_DQN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    job = {"program": str(tmp_path / "none"), "name": "it, cartpole, seed 0", "scratch": None, "mark": str(tmp_path)}
    *_, ended = on_ray.train(job | {"output": str(tmp_path), "experiment": ""}, None)
    assert ended["ended"] == 1 and "has no concrete-dqn" in ended["said"]
    with pytest.raises(on_ray.UnfitNode, match="CONCRETE_DQN names none there"):
        on_ray.start(job, tmp_path)


def test_the_folder_of_scratch_is_made_where_it_can_be(tmp_path):
    job = {"program": sys.executable, "name": "it, cartpole, seed 0", "mark": str(tmp_path / "none"), "experiment": ""}
    (tmp_path / "file").touch()
    *_, ended = on_ray.train(job | {"scratch": str(tmp_path / "file" / "scratch")}, None)
    assert ended["ended"] == 1 and "can't make a folder to train in" in ended["said"] and "--scratch" in ended["said"]
    first, *_ = on_ray.train(job | {"scratch": str(tmp_path / "new" / "scratch")}, None)
    assert first["begun"] and not any((tmp_path / "new" / "scratch").iterdir())


def test_an_address_at_which_nothing_answers_is_told_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert on_ray.out_of_reach(address) is None and on_ray.out_of_reach(f"ray://{address}") is None
    assert "nothing answers there" in on_ray.out_of_reach(address)
    for address in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:port"):
        assert "HOST:PORT" in on_ray.out_of_reach(address)
    assert on_ray.out_of_reach(None) is None and on_ray.out_of_reach("auto") is None


def test_a_missing_token_is_told_as_such():
    said = on_ray.refusal(ConnectionError("no"), "W gcs_client.cc:210: Unauthenticated: RPC error: InvalidAuthToken: ...")
    assert "RAY_AUTH_MODE=token" in said
    assert on_ray.refusal(ConnectionError("\x1b[36mno\n way\x1b[39m"), "") == "no way"


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause):
        super().__init__(f"\x1b[36mray::train()\x1b[39m\n{type(cause).__name__}: {cause}")
        self.cause = cause


class BrokenRay:
    """A Ray all of whose tasks end with this error."""

    exceptions = types.SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, error):
        self.error = error

    def remote(self, **how):
        return lambda train: types.SimpleNamespace(remote=lambda *job: iter([None]))

    def wait(self, running, timeout):
        return running, []

    def get(self, item):
        raise self.error


@pytest.mark.parametrize(
    "error, times",
    [(RayError("node died"), 3), (RayTaskError(RayError("object lost")), 3), (RayTaskError(ValueError("a fault")), 1)],
)
def test_what_trying_again_does_not_mend_is_not_tried_again(tmp_path, capsys, error, times):
    request = {"output": str(tmp_path), "cells": [{"name": "it", "run": None}], "at_once": None, "retries": 2}
    request |= {"experiment": "", "program": "", "scratch": None}
    on_ray.Driver(BrokenRay(error), request, threading.Event()).run()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in told] == ["lost"] * (times - 1) + ["ended"]
    assert "\x1b" not in told[-1]["said"] and str(error).rsplit(maxsplit=1)[-1] in told[-1]["said"]


def test_a_checkpoint_that_was_there_before_does_not_count_as_getting_on(tmp_path, capsys):
    (tmp_path / "run/checkpoints/step-000000000100").mkdir(parents=True)
    request = {"output": str(tmp_path), "cells": [{"name": "it", "run": "run"}], "at_once": None, "retries": 2}
    request |= {"experiment": "", "program": "", "scratch": None}
    driver = on_ray.Driver(BrokenRay(None), request, threading.Event())
    cell = driver.waiting.popleft()
    saved = {"saved": 100, "shared": True, "update": None}
    died = {"ended": -9, "said": "", "shared": True, "node": "it", "update": None}
    for _ in range(3):
        driver.running[None] = cell
        driver.take(None, cell, saved)
        driver.take(None, cell, died)
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told[-1] == "ended" and told.count("lost") == 2
    driver.running[None] = cell
    driver.take(None, cell, saved | {"saved": 200})
    assert (cell.losses, cell.step) == (0, 200)


def test_a_run_that_was_lost_where_the_folder_is_seen_goes_on_where_it_is_not(tmp_path):
    (tmp_path / "runs/run/checkpoints/step-000000000100").mkdir(parents=True)
    request = {"output": str(tmp_path), "cells": [{"name": "it", "run": None}], "at_once": None, "retries": 2}
    ray = BrokenRay(None)
    ray.put = lambda files: files
    driver = on_ray.Driver(ray, request, threading.Event())
    cell = driver.waiting.popleft()
    assert driver.given(cell) is None
    driver.take(None, cell, {"saved": 100, "shared": True, "update": None, "run": str(tmp_path / "runs/run")})
    assert driver.given(cell)[0]["run"] == "runs/run"


def test_a_driver_whose_program_was_killed_takes_in_what_arrives(tmp_path):
    source = "import on_ray\nfor step in range(3): on_ray.tell('saved', step=step)\nopen('over', 'w')\n"
    folder = os.path.dirname(on_ray.__file__)
    driver = subprocess.Popen(
        [sys.executable, "-c", source], cwd=tmp_path, env={"PYTHONPATH": folder}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    driver.stdout.close()
    assert driver.stderr.read() == b"" and driver.wait() == 0 and (tmp_path / "over").exists()


def drive(tmp_path, init, address=None):
    """A driver, with a Ray that does this when it is to connect."""
    (tmp_path / "ray.py").write_text(f"import time\ndef init(**how):\n    {init}\n")
    request = {"output": str(tmp_path), "address": address, "cells": []}
    driver = subprocess.Popen(
        [sys.executable, on_ray.__file__], env={"PYTHONPATH": str(tmp_path)}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    driver.stdin.write(json.dumps(request) + "\n")
    driver.stdin.flush()
    return driver


def test_a_driver_that_waits_for_its_cluster_can_be_ended(tmp_path):
    driver = drive(tmp_path, "print('{}', flush=True); time.sleep(600)")
    assert driver.stdout.readline() == "{}\n"
    said, _ = driver.communicate("", timeout=30)
    assert json.loads(said) == {"event": "done"}


def test_a_cluster_that_refuses_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        driver = drive(tmp_path, "raise RuntimeError('full')", address)
        refused = json.loads(driver.stdout.readline())
    driver.communicate("", timeout=30)
    assert refused == {"event": "refused", "what": f"there is no Ray cluster to be reached at {address}: full"}


def test_one_driver_at_a_time_writes_into_a_folder(tmp_path):
    code = "import sys; from concrete_dqn import on_ray; print(on_ray.is_held_by_another(sys.argv[1]), flush=True); sys.stdin.read()"
    first = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "False\n"
    assert on_ray.is_held_by_another(tmp_path, patience=0.2)
    assert (tmp_path / ".driver").read_text().startswith(f"process {first.pid} of ")
    first.communicate("")
    assert not on_ray.is_held_by_another(tmp_path, patience=0.2)
