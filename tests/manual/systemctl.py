"""systemctl's part of the walk, where there is no systemd: it starts what the unit files say."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
STATE = Path("/etc/walk")
USER = "newsite"


def read(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def started(unit: dict[str, list[str]], line: str, log) -> subprocess.Popen:
    return subprocess.Popen(
        shlex.split(line),
        cwd=unit["WorkingDirectory"][0],
        user=unit["User"][0],
        group=unit["User"][0],
        extra_groups=[],
        umask=int(unit.get("UMask", ["0022"])[0], 8),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": unit["WorkingDirectory"][0]},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def start(name: str) -> None:
    if name == "postgresql":
        for cluster in Path("/etc/postgresql").glob("*/main"):
            subprocess.run(["pg_ctlcluster", cluster.parent.name, "main", "start"], check=True)
        return
    if name.endswith(".timer"):
        # It is not waited for the night.
        return start(name.replace(".timer", ".service"))
    name = name.removesuffix(".service")
    unit = read(f"{name}.service")
    with (STATE / f"{name}.log").open("a") as log:
        for line in unit.get("ExecStartPre", []):
            if started(unit, line, log).wait():
                sys.exit(f"{line} failed: see the log")
        process = started(unit, unit["ExecStart"][0], log)
    if unit.get("Type") == ["oneshot"]:
        sys.exit(process.wait())
    (STATE / f"{name}.pid").write_text(str(process.pid))


def pid_of(name: str) -> int:
    return int((STATE / f"{name}.pid").read_text())


def stop(name: str) -> None:
    pid = pid_of(name)
    os.kill(pid, signal.SIGTERM)
    for _second in range(300):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.1)
    sys.exit(f"{name} does not end")


def main(verb: str, *names: str) -> None:
    for name in names:
        if name == "--now":
            continue
        if (verb, name) == ("reload", "nginx"):
            subprocess.run(["nginx", "-s", "reload"], check=True)
        elif verb == "reload":
            line = read(f"{name}.service")["ExecReload"][0].replace("$MAINPID", str(pid_of(name)))
            subprocess.run(shlex.split(line), check=True)
        elif verb in {"enable", "start"}:
            start(name)
        elif verb == "stop":
            stop(name)
        elif verb == "restart":
            stop(name)
            start(name)
        else:
            sys.exit(f"systemctl {verb}?")


if __name__ == "__main__":
    main(*sys.argv[1:])
