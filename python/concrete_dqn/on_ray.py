"""Trains the runs of an experiment on the nodes of a Ray cluster; docs/cluster.md describes it.

The file stands alone: the program runs it as `python3 -c SOURCE` and writes a line of JSON to its standard input, which
says what to run. For everything that happens it writes a line of JSON to its standard output. It ends when all is done,
or early when its standard input is closed.
"""

import collections
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

PACKAGES = "ray==2.60.0"
INTERRUPTED = 130  # The program's exit code after SIGINT or SIGTERM: it has saved, and can be resumed.
LOOK = 0.5  # Seconds from one look for a new checkpoint to the next.
PARTING = 20  # Seconds in which a run has to save and end.
ANSWERING = 10  # Seconds in which a cluster has to answer at its address.
CONNECTING = 120  # Seconds in which it has to take the driver in.


# ---- On the node of a run


def train(job, given):
    """One run, begun or resumed. Yields a dictionary at once, whenever there is a new checkpoint, and at the end.

    Where the node has the experiment's folder too, the run is written there. Otherwise it is trained in a folder of the
    node's own, `given` is a reference to the files that there are of it, and what it writes is part of what is yielded.
    """
    shared = not job["scratch"] and os.path.exists(job["mark"])
    folder, process = None, None
    try:
        folder = job["output"] if shared else own_folder(job["scratch"])
        yield {"begun": True, "shared": shared, "update": None}
        if not shared:
            Path(folder, "experiment.toml").write_text(job["experiment"])
            if given:
                import ray

                unpack(Path(folder), ray.get(given[0]))
        process = start(job, folder)
        said = collections.deque(maxlen=20)
        watch = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        watch.start()
        run = process.stdout.readline().strip()
        threading.Thread(target=process.stdout.read, daemon=True).start()
        shipment, saved, stopped = Shipment(Path(folder), Path(run)) if run and not shared else None, None, False
        while True:
            try:
                code = process.wait(LOOK)
                break
            except subprocess.TimeoutExpired:
                pass
            if shared and not stopped and not os.path.exists(job["mark"]):
                # The driver ends early.
                stopped = True
                process.send_signal(signal.SIGINT)
            step = newest_step(run) if run else None
            if step != saved:
                update = shipment.changes() if shipment else None
                if update or shared:
                    saved = step
                    yield {"saved": step, "shared": shared, "update": update, "run": run}
        watch.join()
        update = shipment.changes(whole=True) if shipment else None
        yield {"ended": code, "said": "".join(said), "shared": shared, "node": socket.gethostname(), "update": update, "run": run}
    except UnfitNode as error:
        yield {"ended": 1, "said": f"error: {error}", "shared": shared, "node": socket.gethostname(), "update": None}
    except OSError as error:
        yield {"ended": None, "said": str(error), "shared": shared, "node": socket.gethostname(), "update": None}
    finally:
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PARTING)
            except subprocess.TimeoutExpired:
                process.kill()
        if folder and not shared:
            shutil.rmtree(folder, ignore_errors=True)


class UnfitNode(Exception):
    """No run can be trained on this node, however often it is tried."""


def own_folder(scratch):
    """A new folder of this node to train in."""
    try:
        if scratch:
            os.makedirs(scratch, exist_ok=True)
        return tempfile.mkdtemp(prefix="concrete-dqn-", dir=scratch)
    except OSError as error:
        raise UnfitNode(
            f"the node {socket.gethostname()} can't make a folder to train in ({error}); --scratch names the one that it is "
            "made in, which every node has to be able to write to"
        ) from error


def start(job, folder):
    here = os.environ.get("CONCRETE_DQN")
    program = here or (job["program"] if os.access(job["program"], os.X_OK) else shutil.which("concrete-dqn"))
    if not program:
        raise UnfitNode(
            f"the node {socket.gethostname()} has no concrete-dqn: neither {job['program']} nor one on its PATH, and "
            "CONCRETE_DQN names none there"
        )
    # Environments of Gymnasium are in the Python of this node.
    environment = {"CONCRETE_DQN_PYTHON": sys.executable, **os.environ}
    command = [program, "experiment", f"{folder}/experiment.toml", "--output", folder, "--cell", job["name"]]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            preexec_fn=begin_child,
        )
    except OSError as error:
        raise UnfitNode(f"the node {socket.gethostname()} can't run {program} ({error})") from error


def begin_child():
    """A run can be asked to save and end, and a node that dies takes its runs with it, so that none is trained twice."""
    # Ray's workers block it, and a child inherits that.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def is_checkpoint(name):
    return name.startswith("step-") and name.removeprefix("step-").isdigit()


def checkpoints(run):
    try:
        return sorted(name for name in os.listdir(Path(run, "checkpoints")) if is_checkpoint(name))
    except FileNotFoundError:
        return []


def newest_step(run):
    names = checkpoints(run)
    return int(names[-1].removeprefix("step-")) if names else None


class Shipment:
    """What a run has written, as far as it has not been sent yet."""

    def __init__(self, folder, run):
        self.folder, self.run, self.sent = folder, run, {}

    def changes(self, whole=False):
        """The files that have changed, and which of its checkpoints' files there are. None where they changed while they
        were read; plots and page only where all of it is wanted."""
        for _ in range(5):
            try:
                return self._changes(whole)
            except FileNotFoundError:
                continue  # The program has removed an old checkpoint meanwhile.
        return None

    def _changes(self, whole):
        steps = checkpoints(self.run)
        if not steps and not whole:
            return None
        # Tables and replay after the checkpoints, which need at least so much of them.
        names = [f"checkpoints/{step}/{name}" for step in steps for name in os.listdir(self.run / "checkpoints" / step)]
        for parent, folders, files in os.walk(self.run):
            inner = os.path.relpath(parent, self.run)
            folders[:] = [name for name in folders if not name.startswith("step-") and (whole or name != "plots")]
            names += [os.path.normpath(f"{inner}/{name}") for name in files if whole or name != "report.html"]
        files, sent = {}, {}
        for name in names:
            if name.endswith((".partial", ".tmp", ".lock")):
                continue
            status = (self.run / name).stat()
            sent[name] = (status.st_mtime_ns, status.st_size)
            if self.sent.get(name) != sent[name]:
                files[name] = (self.run / name).read_bytes()
        self.sent.update(sent)
        kept = [name for name in names if name.startswith("checkpoints/")]
        return {"run": str(self.run.relative_to(self.folder)), "files": files, "checkpoints": kept}


# ---- Where the experiment is


def unpack(folder, update):
    """Writes what a run has sent. At any moment what is there can be resumed: a checkpoint gets its name when it is whole,
    and after what it needs."""
    run = folder / update["run"]
    steps = collections.defaultdict(dict)
    for name, content in update["files"].items():
        parts = name.split("/")
        if parts[0] == "checkpoints" and is_checkpoint(parts[1]):
            steps[parts[1]][parts[2]] = content
        else:
            write(run / name, content)
    for step, files in sorted(steps.items()):
        whole = run / "checkpoints" / step
        partial = whole.with_name(f"{step}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        for name, content in files.items():
            write(partial / name, content)
        if not whole.exists():
            partial.rename(whole)
    kept = set(update["checkpoints"])
    for step in checkpoints(run):
        if not any(name.startswith(f"checkpoints/{step}/") for name in kept):
            shutil.rmtree(run / "checkpoints" / step)
    for segment in (run / "checkpoints" / "replay").glob("*"):
        if f"checkpoints/replay/{segment.name}" not in kept:
            segment.unlink()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        # A checkpoint counts on as much of the tables as it names, whatever becomes of the machine.
        os.fsync(file.fileno())
    new.replace(path)


def tell(event, **more):
    try:
        print(json.dumps({"event": event, **more}), flush=True)
    except BrokenPipeError:
        # The program was killed. What its runs send as they end is taken in all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Cell:
    """A run that is to be done."""

    def __init__(self, index, name, run, step):
        self.index, self.name = index, name
        self.run = run  # Its folder below that of the experiment, where there is one.
        self.losses = 0  # How often it was lost since its last new checkpoint,
        self.step = step or 0  # which was of this step.
        self.shared = False


class Driver:
    def __init__(self, ray, request, stopping):
        self.ray, self.request, self.stopping = ray, request, stopping
        self.output = Path(request["output"])
        self.mark = self.output / f".seen-{uuid.uuid4().hex}"
        self.waiting = collections.deque(
            Cell(index, cell["name"], cell["run"], cell["run"] and newest_step(self.output / cell["run"]))
            for index, cell in enumerate(request["cells"])
        )
        self.running = {}
        # Not Ray's retries, which would hand the task the checkpoint that it was first started with.
        self.task = ray.remote(num_cpus=1, max_retries=0, num_returns="streaming")(train)

    def run(self):
        self.mark.touch()
        try:
            while self.waiting or self.running:
                if self.stopping.is_set():
                    return self.stop()
                self.submit()
                self.look()
        finally:
            self.mark.unlink(missing_ok=True)

    def submit(self):
        at_once = self.request["at_once"] or float("inf")
        while self.waiting and len(self.running) < at_once:
            cell = self.waiting.popleft()
            job = {key: self.request[key] for key in ("experiment", "output", "program", "scratch")}
            job |= {"name": cell.name, "mark": str(self.mark)}
            self.running[self.task.remote(job, self.given(cell))] = cell

    def given(self, cell):
        """What there is of a run, for a node that does not see it."""
        if not cell.run or not (self.output / cell.run).is_dir():
            return None
        files = Shipment(self.output, self.output / cell.run).changes(whole=True)
        # Within a list, so that it is sent only where it is asked for.
        return [self.ray.put(files)]

    def look(self, timeout=1.0):
        ready, _ = self.ray.wait(list(self.running), timeout=timeout)
        for generator in ready:
            cell = self.running[generator]
            try:
                self.take(generator, cell, self.ray.get(next(generator)))
            except StopIteration:
                if self.running.pop(generator, None):
                    self.lost(cell, "its task ended without a word")
            except self.ray.exceptions.RayError as error:
                self.running.pop(generator)
                # What the task raised by itself trying again doesn't mend; a node or an object that is gone it does.
                if isinstance(error, self.ray.exceptions.RayTaskError) and not isinstance(error.cause, self.ray.exceptions.RayError):
                    tell("ended", cell=cell.index, code=None, said=plain(error).rsplit("\n", 1)[-1])
                else:
                    self.lost(cell, " ".join(plain(error).split())[:300])

    def take(self, generator, cell, item):
        cell.shared = item["shared"]
        if update := item["update"]:
            unpack(self.output, update)
            cell.run = update["run"]
        elif cell.shared and item.get("run"):
            cell.run = os.path.relpath(item["run"], self.output)
        if "saved" in item:
            # One that was there before says nothing of whether the run gets on.
            if item["saved"] > cell.step:
                cell.losses, cell.step = 0, item["saved"]
            tell("saved", cell=cell.index, step=item["saved"])
        if "ended" not in item:
            return
        # What follows is the generator's end.
        self.running.pop(generator)
        code = item["ended"]
        if code is None or code < 0 or code == INTERRUPTED:
            how = item["said"] if code is None else f"it was ended on the node {item['node']}"
            self.lost(cell, how)
        else:
            run = item.get("run") if cell.shared else cell.run and str(self.output / cell.run)
            tell("ended", cell=cell.index, code=code, said=item["said"], run=run)

    def lost(self, cell, how):
        if self.stopping.is_set():
            return
        cell.losses += 1
        if cell.losses > self.request["retries"]:
            tell("ended", cell=cell.index, code=None, said=f"it was lost {cell.losses} times without a new checkpoint; {how}")
        else:
            tell("lost", cell=cell.index, how=how)
            self.waiting.appendleft(cell)

    def stop(self):
        """Has the runs save and end whose nodes see that the mark is gone, and ends the others."""
        self.mark.unlink()
        for generator, cell in list(self.running.items()):
            # What has not begun is not seen to be shared.
            if not cell.shared:
                self.ray.cancel(generator, force=True)
                self.running.pop(generator)
        asked = time.monotonic()
        while self.running and time.monotonic() - asked < PARTING:
            self.look()


def plain(error):
    """What an error says, without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()


def is_held_by_another(folder, patience=10):
    """Holds the folder of the experiment for as long as this process lives, or says that another driver does, which goes on
    taking in what its runs send for a while after its program was killed. `.driver` names the one that holds it."""
    descriptor, latest = os.open(Path(folder, ".driver"), os.O_RDWR | os.O_CREAT, 0o644), time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > latest:
                return True
            time.sleep(0.1)
        except OSError:
            break  # A file system without locks.
    os.truncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} of {socket.gethostname()}".encode())
    return False


def out_of_reach(address):
    """Why no cluster can be at an address; None where something answers, or where Ray itself is to find one."""
    if address in (None, "auto", "local"):
        return None
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        return "an address is HOST:PORT, such as 10.0.0.1:6379"
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERING).close()
    except OSError as error:
        return f"nothing answers there ({error})"
    return None


def refusal(error, log):
    """What a connection that failed is told as, given what Ray has logged."""
    if "AuthenticationError" in type(error).__name__ or "InvalidAuthToken" in log:
        return (
            "it asks for a token; copy ~/.ray/auth_token of its head to this machine, and set RAY_AUTH_MODE=token wherever "
            "`ray start` and `experiment` are called"
        )
    return " ".join(plain(error).split())


def main():
    request = json.loads(sys.stdin.readline())
    if is_held_by_another(request["output"]):
        return tell("refused", what=f"another driver writes into {request['output']}; wait for its end, or give another folder")
    stopping, connected = threading.Event(), threading.Event()

    def give_up(event, **more):
        # Ray does not let go of a connection that it is about to make.
        tell(event, **more)
        os._exit(0)

    def listen():
        sys.stdin.read()
        stopping.set()
        if not connected.is_set():
            give_up("done")

    threading.Thread(target=listen, daemon=True).start()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # It makes no difference for a task that asks for no accelerator, and warns of it every time.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Where Ray starts a cluster of this machine alone, runs share it as they do without Ray.
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
    except ImportError as error:
        how = f"{sys.executable} has no Ray ({error}); `{sys.executable} -m pip install {PACKAGES}` installs it"
        return tell("refused", what=how)
    address = request["address"] or os.environ.get("RAY_ADDRESS")
    where = f"there is no Ray cluster to be reached at {address or 'this machine'}: "
    if why := out_of_reach(address):
        return tell("refused", what=where + why)
    late = threading.Timer(
        CONNECTING, give_up, ["refused"], {"what": f"{where}it has not answered for {CONNECTING} s; ray.log has what Ray said"}
    )
    late.daemon = True
    late.start()
    try:
        ray.init(address=request["address"], log_to_driver=False, logging_level="error")
    except Exception as error:
        log = Path(request["output"], "ray.log")
        return tell("refused", what=where + refusal(error, log.read_text(errors="replace") if log.exists() else ""))
    finally:
        late.cancel()
    connected.set()
    nodes = [node for node in ray.nodes() if node["Alive"]]
    tell("connected", nodes=len(nodes), cpus=int(ray.cluster_resources().get("CPU", 0)))
    Driver(ray, request, stopping).run()
    tell("done")


if __name__ == "__main__":
    main()
