"""W&B as a mirror: what it receives, and that no trouble of it reaches the run."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from snnlab.cli import main
from snnlab.config.schema import LoggerConfig
from snnlab.dashboards.reachable import answers
from snnlab.dashboards.several import Dashboards
from snnlab.dashboards.wandb_log import WandbLog, has_key
from snnlab.errors import ConfigError
from snnlab.runs.load import load
from tests.tiny_runs import TINY

OFFLINE_RUN = """
import builtins, getpass, sys
from pathlib import Path

def ask(*_, **__):
    raise AssertionError("asked on the terminal")

builtins.input = getpass.getpass = ask
from PIL import Image
from snnlab.config.schema import LoggerConfig
from snnlab.dashboards.reachable import answers
from snnlab.dashboards.several import Dashboards
from snnlab.dashboards.wandb_log import WandbLog

folder = Path(sys.argv[1])
picture = folder / "curves.png"
Image.new("RGB", (4, 4)).save(picture)
cfg = LoggerConfig(wandb=sys.argv[2], project="lab", tags=("a", "b"))
config = {"loss": {"name": "tmc"}}
log = WandbLog(cfg, folder, "0123abcd-s0", "quick/lif-0123abcd", "seed0", config, ("b", "quick"))
print(log.mode, log.url)
for step in (20, 10, 30):
    log.row({"step": step, "epoch": step // 10, "split": "test", "test/acc_cum/t3": step / 100})
log.pictures([picture])
log.finish("done")
log.finish("done")
"""


def run_offline(tmp_path: Path, mode: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    clean |= {"HOME": str(tmp_path / "home"), "NETRC": str(tmp_path / "no-netrc"), **environment}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", OFFLINE_RUN, str(tmp_path), mode],
        cwd=Path(__file__).parents[2],
        env=clean,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def records(path: Path):
    """Decodes a .wandb file: behind 7 bytes, a LevelDB log (blocks of 32 KiB) of protobuf records."""
    from wandb.proto import wandb_internal_pb2

    data, place, body = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        part = data[place + 7 : place + 7 + length]
        place += 7 + length
        body = body + part if kind in (3, 4) else part
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(body)
            yield record


def test_offline_run_holds_what_was_logged(tmp_path):
    done = run_offline(tmp_path, "auto")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "offline None\n"
    assert "W&B" not in done.stderr
    (file,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    found = list(records(file))
    rows = [
        {"/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    assert [row["step"] for row in rows[:3]] == [20, 10, 30]
    assert [row["test/acc_cum/t3"] for row in rows[:3]] == [0.2, 0.1, 0.3]
    assert "plots/curves/_type" in rows[3]
    metrics = [record.metric for record in found if record.WhichOneof("record_type") == "metric"]
    assert any(metric.glob_name == "*" and metric.step_metric == "step" for metric in metrics)
    hidden = [metric.glob_name for metric in metrics if metric.options.hidden]
    assert "test/acc_cum/*" in hidden, "115 panels of a value each"
    run = next(record.run for record in found if record.WhichOneof("record_type") == "run")
    assert (run.run_id, run.run_group, run.display_name) == ("0123abcd-s0", "quick/lif-0123abcd", "seed0")
    assert (run.project, list(run.tags)) == ("lab", ["a", "b", "quick"])
    config = {item.key: json.loads(item.value_json) for item in run.config.update if item.key}
    assert config["loss"] == {"name": "tmc"}
    assert len(list((tmp_path / "wandb").glob("offline-run-*/files/media/images/plots/curves*.png"))) == 1


def test_online_without_a_key_is_offline_and_never_asks(tmp_path):
    done = run_offline(tmp_path, "online")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "offline None\n"
    assert "no key is set" in done.stderr


def test_a_bad_key_is_offline_with_one_warning(tmp_path):
    done = run_offline(tmp_path, "auto", WANDB_API_KEY="short")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "offline None\n"
    assert "this run is logged offline" in done.stderr


class FakeRun:
    url = "https://example/run"

    def __init__(self, fails=()):
        self.fails, self.calls = fails, []

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            if name in self.fails:
                raise RuntimeError(f"{name} failed\nwith details")

        return call

    def names(self):
        return [name for name, _, _ in self.calls if name != "define_metric"]


class FakeWandb:
    """Stands for the wandb module; `init_errors` are raised by the first calls of init, one each."""

    def __init__(self, init_errors=(), key="k", fails=()):
        self.init_errors, self.run, self.inits, self.teardowns = list(init_errors), FakeRun(fails), [], 0
        self.settings = SimpleNamespace(api_key=key, base_url="https://api.wandb.ai")

    Settings = SimpleNamespace
    Image = str

    def setup(self, settings=None):
        return self

    def teardown(self):
        self.teardowns += 1

    def init(self, **arguments):
        self.inits.append(arguments)
        if self.init_errors:
            raise self.init_errors.pop(0)
        return self.run


@pytest.fixture
def fake(monkeypatch):
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)

    monkeypatch.setattr("snnlab.dashboards.wandb_log.answers", lambda address: True)

    def install(**options):
        module = FakeWandb(**options)
        monkeypatch.setitem(sys.modules, "wandb", module)
        return module

    return install


def start(tmp_path, mode="online"):
    warnings = []
    log = WandbLog(
        LoggerConfig(wandb=mode), tmp_path, "id-s0", "group", "seed0", {"a": 1}, (), warnings.append
    )
    return log, warnings


def test_off_does_not_import_wandb(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    log, warnings = start(tmp_path, "off")
    log.row({"step": 1})
    log.pictures([tmp_path / "x.png"])
    log.finish("done")
    assert (log.mode, log.url, warnings) == ("off", None, [])


def test_missing_wandb_is_one_warning(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    log, warnings = start(tmp_path)
    log.row({"step": 1})
    log.finish("done")
    assert log.mode == "off"
    assert len(warnings) == 1


def test_online_start(tmp_path, fake):
    wandb = fake()
    log, warnings = start(tmp_path)
    assert (log.mode, log.url, warnings) == ("online", "https://example/run", [])
    (arguments,) = wandb.inits
    assert arguments["mode"] == "online"
    assert arguments["resume"] == "allow"
    assert arguments["id"] == "id-s0"
    assert arguments["dir"] == str(tmp_path)


def test_step_is_never_passed(tmp_path, fake):
    wandb = fake()
    log, _ = start(tmp_path)
    log.row({"step": 3, "test/acc": 0.5})
    log.pictures([tmp_path / "plots" / "curves.png"])
    calls = [(args, kwargs) for name, args, kwargs in wandb.run.calls if name == "log"]
    assert calls == [
        (({"step": 3, "test/acc": 0.5},), {}),
        (({"plots/curves": str(tmp_path / "plots" / "curves.png")},), {}),
    ]


@pytest.mark.parametrize(
    ("variable", "key", "expected"),
    [
        (None, "k", "online"),
        (None, None, "offline"),
        ("offline", "k", "offline"),
        ("disabled", "k", "off"),
        ("online", None, "offline"),
    ],
)
def test_auto_follows_the_environment_then_the_key(tmp_path, fake, monkeypatch, variable, key, expected):
    fake(key=key)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    if variable is not None:
        monkeypatch.setenv("WANDB_MODE", variable)
    log, warnings = start(tmp_path, "auto")
    assert (log.mode, warnings) == (expected, [])


def test_key_in_a_netrc_file(tmp_path, fake, monkeypatch):
    wandb = fake(key=None)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_key(wandb)
    (tmp_path / "netrc").write_text("machine elsewhere.org login user password x\n")
    assert not has_key(wandb)
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert has_key(wandb)
    (tmp_path / "netrc").write_text("not a netrc file {")
    assert not has_key(wandb)


def test_failing_server_becomes_offline(tmp_path, fake):
    wandb = fake(init_errors=[TimeoutError("no answer")])
    log, warnings = start(tmp_path)
    assert log.mode == "offline"
    assert [arguments["mode"] for arguments in wandb.inits] == ["online", "offline"]
    assert wandb.teardowns == 1
    assert warnings == ["W&B: TimeoutError: no answer; this run is logged offline"]


def test_a_server_that_does_not_answer_is_not_waited_for_and_named_once(tmp_path, fake, monkeypatch):
    wandb = fake()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        wandb.settings.base_url = address
        monkeypatch.setattr("snnlab.dashboards.wandb_log.answers", lambda asked: answers(asked, patience=0.2))
        log, warnings = start(tmp_path)
    assert log.mode == "offline"
    assert [arguments["mode"] for arguments in wandb.inits] == ["offline"]
    assert warnings == [f"W&B: {address} does not answer; this run is logged offline, `wandb sync` sends it"]


def test_a_server_that_answers_with_an_error_is_there_and_a_proxy_that_cannot_reach_it_is_not():
    for code, expected in ((404, True), (401, True), (502, False)):
        with socket.create_server(("127.0.0.1", 0)) as server:

            def reply(server=server, code=code):
                connection, _ = server.accept()
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n".encode())
                connection.close()

            threading.Thread(target=reply, daemon=True).start()
            assert answers(f"http://127.0.0.1:{server.getsockname()[1]}") == expected
    assert not answers("http://127.0.0.1:1"), "nobody listens"
    assert not answers("no address")


def test_names_that_are_too_long_for_wandb_are_cut(tmp_path, fake):
    wandb = fake()
    long = "e" * 300
    WandbLog(LoggerConfig(wandb="online"), tmp_path, "i", long + "1", long + "2", {}, (long, "short", ""))
    (arguments,) = wandb.inits
    assert [len(tag) for tag in arguments["tags"]] == [64, 5]
    assert len(arguments["group"]) == len(arguments["name"]) == 128
    assert arguments["group"] != arguments["name"]


def test_a_reason_of_many_lines_is_one_line(tmp_path, fake):
    fake(init_errors=[ValueError("1 validation error for Settings\nrun_tags\n  too long")])
    _, warnings = start(tmp_path, "offline")
    (warning,) = warnings
    assert warning.startswith("W&B: ValueError: 1 validation error for Settings run_tags too long; off for")


@pytest.mark.parametrize("key", ["tags=[a,b{}]", "project=p{}", "entity=e{}", "project=a/b", "tags=['']"])
def test_keys_of_the_logger_are_checked_before_training(key):
    with pytest.raises(ConfigError, match=f"logger.{key.partition('=')[0]}"):
        load([f"logger.{key.format('x' * 130)}"])


def test_init_that_always_fails_leaves_the_run_alone(tmp_path, fake):
    fake(init_errors=[OSError("disk full")])
    log, warnings = start(tmp_path, "offline")
    log.row({"step": 1})
    log.finish("done")
    assert log.mode == "off"
    assert len(warnings) == 1
    assert "disk full" in warnings[0]


def test_failure_while_logging_warns_once_and_stops(tmp_path, fake):
    wandb = fake(fails=("log",))
    log, warnings = start(tmp_path)
    for step in range(5):
        log.row({"step": step})
    log.pictures([tmp_path / "x.png"])
    log.finish("done")
    assert wandb.run.names() == ["log"]
    assert len(warnings) == 1
    assert warnings[0].startswith("W&B: RuntimeError: log failed with details; off from here on")


def test_failure_at_the_end_is_a_warning(tmp_path, fake):
    fake(fails=("finish",))
    log, warnings = start(tmp_path)
    log.finish("done")
    log.finish("done")
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("status", "code", "names"),
    [("done", 0, ["finish"]), ("failed", 1, ["finish"]), ("preempted", 75, ["mark_preempting", "finish"])],
)
def test_status_reaches_wandb(tmp_path, fake, status, code, names):
    wandb = fake()
    log, _ = start(tmp_path)
    log.finish(status)
    assert wandb.run.names() == names
    assert wandb.run.calls[-1][2] == {"exit_code": code}


def test_a_server_that_is_lost_is_asked_for_at_the_end_and_not_waited_for(tmp_path, fake, monkeypatch):
    wandb = fake()
    never = threading.Event()
    wandb.run.finish = lambda exit_code: never.wait(20)
    monkeypatch.setattr("snnlab.dashboards.wandb_log.ASK_SECONDS", 0.05)
    log, warnings = start(tmp_path)
    asked = []
    monkeypatch.setattr(
        "snnlab.dashboards.wandb_log.answers", lambda address: asked.append(1) or len(asked) < 4
    )
    begin = time.monotonic()
    log.finish("done")
    never.set()
    assert time.monotonic() - begin < 10
    assert len(asked) == 4, "uploads go on as long as the server answers"
    (warning,) = warnings
    assert "does not answer any more" in warning
    assert f"wandb sync {tmp_path}/wandb/run-*-id-s0" in warning


@pytest.mark.parametrize(
    ("chosen", "continues", "expected"),
    [("auto", True, "allow"), ("auto", False, None), ("must", False, "must")],
)
def test_a_run_begun_anew_begins_its_log_anew(tmp_path, fake, chosen, continues, expected):
    wandb = fake()
    old, other = (tmp_path / "wandb" / f"offline-run-2026-{name}" for name in ("id-s0", "id-s1"))
    old.mkdir(parents=True)
    other.mkdir()
    cfg = LoggerConfig(wandb="online", resume=chosen, group="g", name="n", notes="words", job_type="try")
    WandbLog(cfg, tmp_path, "id-s0", "group", "seed0", {}, continues=continues)
    (arguments,) = wandb.inits
    assert [arguments[key] for key in ("resume", "group", "name", "notes", "job_type")] == [
        expected,
        "g",
        "n",
        "words",
        "try",
    ]
    assert old.exists() == continues
    assert other.exists(), "another seed's"


@pytest.mark.parametrize("sweep", [None, "abc123"])
def test_a_stored_result_is_logged_to_the_agent_that_asked_for_the_run(tmp_path, monkeypatch, sweep):
    command = ["train", *TINY, f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'data'}", "logger=none"]
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)
    assert main(command) == 0
    (file,) = tmp_path.glob("*/*/seed0/result.json")
    last = json.loads(file.read_text())["last"]
    if sweep is not None:
        monkeypatch.setenv("WANDB_SWEEP_ID", sweep)
    one = SimpleNamespace(name="one", rows=[], ended=[], words=list)
    one.row, one.finish = one.rows.append, one.ended.append
    monkeypatch.setattr(
        "snnlab.train.mirror.dashboards_for", lambda *args, **named: Dashboards([one], args[2])
    )
    assert main(command) == 0
    assert one.rows == ([] if sweep is None else [{"step": 6, "epoch": 1, "split": "test", **last}])
    assert one.ended == ([] if sweep is None else ["done"])
