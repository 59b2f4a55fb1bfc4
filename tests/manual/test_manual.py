"""What the documents tell an owner to type is right as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsite.logs import TOKENS
from tests.manual.documents import DOCUMENTS, ROOT, blocks, written

NEEDED = [
    "apt-get",
    "curl",
    "git",
    "ip",
    "make",
    "nginx",
    "openssl",
    "pg_ctlcluster",
    "setpriv",
    "sudo",
    "unshare",
]
UNITS = ["newsite.service", "newsite-worker.service", "newsite-backup.service", "newsite-backup.timer"]

# Files, users, processes, memory and ports of its own: nothing is left of them, whoever is killed.
UNSHARE = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
UNSHARE += ["--mount-proc", "--net", "--ipc", "bash", "-c"]
ISOLATED = """set -e
mount -t tmpfs none /mnt
for folder in etc srv var run root tmp; do
    mkdir -p /mnt/$folder/upper /mnt/$folder/work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work /$folder
done
mount -t tmpfs none /dev/shm
ip link set lo up
# The folder in which it began may be below one of them.
cd "$PWD"
exec "$@"
"""


def isolated(*command: str | Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*UNSHARE, ISOLATED, "walk", *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def git(*arguments: str) -> str:
    return subprocess.run(
        # The clone may be another user's, as it often is where a container runs as root.
        ["git", "-c", "safe.directory=*", *arguments],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def works(*command: str | Path) -> bool:
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def why_not() -> str:
    """Return why the walk is no test here. Whoever develops Newsite never starts it by mistake."""
    if os.environ.get("CI") != "true":
        return "It takes minutes, and is done where CI=true."
    if os.geteuid() != 0:
        return "Only root can do what the documents say."
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        return f"{', '.join(missing)} not found"
    if Path("/srv/newsite").exists():
        return "A site is installed here."
    if not works("/usr/bin/python3", "-c", "import ensurepip, venv"):
        return "The system's Python makes no environments."
    if not works("git", "-c", "safe.directory=*", "rev-parse", "HEAD"):
        return "This is no clone."
    if not works("apt-get", "--simulate", "-qq", "install", "certbot"):
        return "apt knows no packages: apt-get update"
    # Containers often may not, and a volume may be missing from what an overlay shows.
    if isolated(sys.executable, "-c", "import django, tests.manual").returncode:
        return "Nobody can make namespaces and overlays here."
    return ""


def download(requirements: Path, wheels: Path) -> None:
    """Fetch what the system's Python will install, or skip the test where there is no network."""
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--dest", wheels]
        + ["--only-binary=:all:", "--python-version", version, "-r", requirements, "--retries", "1"],
        capture_output=True,
        text=True,
    )
    if "after connection broken by" in result.stderr and result.returncode:
        pytest.skip("There is no network.")
    assert result.returncode == 0, result.stderr


@pytest.mark.long
def test_everything_is_done_as_the_documents_say(tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    # A shallow clone has no commit before: then the upgrade changes nothing.
    older, newest = git("rev-list", "--max-count=2", "--reverse", "HEAD").split()[0], git("rev-parse", "HEAD")
    for commit in (older, newest):
        requirements = tmp_path / f"{commit}.txt"
        requirements.write_text(git("show", f"{commit}:requirements.txt") + "\n")
        download(requirements, tmp_path / "wheels")

    walk = (sys.executable, "-m", "tests.manual.walk", older, newest, tmp_path / "wheels")
    result = isolated(*walk, timeout=15 * 60)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("ci", "user"), [("", 0), ("false", 0), ("true", 1000)])
def test_nobody_begins_the_walk_by_mistake(monkeypatch, ci, user):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(os, "geteuid", lambda: user)

    assert why_not() in {
        "It takes minutes, and is done where CI=true.",
        "Only root can do what the documents say.",
    }


def test_the_web_server_keeps_the_same_links_out_of_its_log_as_the_site():
    (own,) = re.findall(r"\(/comments/\(\?:([\w|]+)\)/\)", TOKENS.pattern)
    (servers,) = re.findall(r"~\^/comments/\(([\w|]+)\)/ +0;", written("/etc/nginx/sites-available/newsite"))

    assert servers == own


def test_every_server_of_the_example_leaves_tokens_out_of_its_log():
    servers = written("/etc/nginx/sites-available/newsite").split("\nserver {")[1:]

    logs = [re.findall(r"access_log .*", server) for server in servers]
    assert logs == [
        ["access_log /var/log/nginx/newsite.log newsite if=$newsite_is_logged;"],
        ["access_log off;"],
        ["access_log off;"],
    ]
    assert "$http_referer" not in written("/etc/nginx/sites-available/newsite")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="There is no systemd.")
def test_systemd_takes_the_units(tmp_path):
    for name in UNITS:
        text = written(f"/etc/systemd/system/{name}")
        # What it runs is not installed here.
        text = re.sub(r"(ExecStart(?:Pre)?)=/srv/newsite/.venv/bin/python", rf"\1={sys.executable}", text)
        (tmp_path / name).write_text(text.replace("User=newsite", "User=root"))

    result = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *(tmp_path / name for name in UNITS)],
        capture_output=True,
        text=True,
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_done_as_the_sites_user_is_said_in_each_line(document):
    """What root writes, the site could not change."""
    lines = [line for block in blocks(document) if not block.file for line in block.lines.splitlines()]

    wrong = [line for line in lines if ".venv" in line and not line.startswith("sudo -u newsite ")]
    assert (wrong, any(".venv" in line for line in lines)) == ([], True)


def test_no_other_page_has_lines_for_production():
    """They would be done by nobody before an owner does them."""
    pages = [ROOT / "README.md", *Path(ROOT, "docs").glob("*.md")]
    others = [page for page in pages if page.stem not in DOCUMENTS]

    found = [
        page.name
        for page in others
        if re.search(r"^    (sudo|systemctl|pg_dump|tar) ", page.read_text(), re.M)
    ]
    assert found == []
