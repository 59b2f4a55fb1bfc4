"""Does what docs/deploying.md and docs/operating.md say, line by line, on a machine that is thrown away.

test_manual.py starts it in namespaces of its own: no file, process or port of it is left behind.
There is no systemd in them, and no network: see shims().
"""

import os
import pty
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.manual import visitor
from tests.manual.documents import DOCUMENTS, ROOT, Block, blocks
from tests.manual.systemctl import STATE, pid_of
from tests.manual.visitor import Visitor, wait_until_ready

SITE = Path("/srv/newsite")
BACKUPS = Path("/var/backups/newsite")
SHIMS = Path("/etc/walk/bin")
ORIGIN = Path("/srv/origin.git")
ENVIRONMENT = {"PATH": f"{SHIMS}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "dumb"}
PASSWORD = "correct horse battery"

STORY = """
from django.utils import timezone
from articles.models import Article, Section
section = Section.objects.create(name="News", slug="news")
story = Article.objects.create(title="A story", slug="a-story", body="Text.", section=section,
    status="published", published_at=timezone.now() - timezone.timedelta(hours=1))
print(story.get_absolute_url())
"""
COUNTS = """
from django.apps import apps
from comments.models import Comment
models = [m for m in apps.get_models(include_auto_created=True) if m._meta.managed and not m._meta.proxy]
names = ["articles_article", "articles_image", "auth_user", "comments_comment", "comments_change"]
print(sorted((m._meta.db_table, m.objects.count()) for m in models if m._meta.db_table in names),
      sorted(Comment.objects.values_list("body", flat=True)))
"""


def typed(lines: str) -> str:
    """Type lines as root, and stop at the first that fails."""
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=SITE if SITE.exists() else "/root",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        logs = "".join(f"--- {log}\n{log.read_text()[-3000:]}" for log in STATE.glob("*.log"))
        raise AssertionError(f"{lines}\n{result.stdout}\n{logs}")
    return result.stdout


def answered(line: str, answers: list[str]) -> None:
    """Type a line that asks for something, and an answer to each question."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(SITE)
        os.execve("/bin/bash", ["bash", "-c", line], ENVIRONMENT)  # noqa: S606 (it is the shell)
    shown = b""
    for answer in answers:
        while not shown.rstrip().endswith(b":"):
            shown += os.read(terminal, 1024)
        os.write(terminal, f"{answer}\n".encode())
        shown = b""
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:  # the terminal of who has ended
        pass
    assert os.waitpid(child, 0)[1] == 0, line


def put(name: str, content: str) -> None:
    (SHIMS / name).write_text(content)
    (SHIMS / name).chmod(0o755)


def shims() -> None:
    """Stand in for what needs a systemd or the network."""
    SHIMS.mkdir(parents=True)
    put("systemctl", f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m tests.manual.systemctl "$@"\n')
    # The packages were installed before; that there are such packages is seen.
    put("apt", '#!/bin/sh\nexec apt-get --simulate -qq "$@"\n')
    put(
        "certbot",
        "#!/bin/sh\nset -e\ncurl -sfo /dev/null http://news.example/\n"
        "d=/etc/letsencrypt/live/news.example; mkdir -p $d\n"
        "exec openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=news.example "
        "-addext subjectAltName=DNS:news.example -keyout $d/privkey.pem -out $d/fullchain.pem\n",
    )


class Walk:
    def __init__(self):
        self.begun = time.monotonic()
        self.left = [block for name in DOCUMENTS for block in blocks(name)]

    def play(self, section: str, count: int | None = None, **answers: list[str]) -> None:
        """Do the next blocks of a section, or all that are left of it."""
        own = [block for block in self.left if block.section == section][:count]
        assert own, f"There is nothing to do in {section}"
        for block in own:
            seconds = time.monotonic() - self.begun
            print(f"--- {seconds:.0f} s: {block.section}: {block.lines.splitlines()[0]}", flush=True)
            self.left.remove(block)
            do(block, answers)

    def again(self, section: str, number: int) -> None:
        document = section.partition(":")[0]
        do([block for block in blocks(document) if block.section == section][number], {})


def do(block: Block, answers: dict[str, list[str]]) -> None:
    if block.file:
        with Path(block.file).open("a" if block.is_added else "w") as file:
            file.write(block.lines)
        return
    lines = block.lines.replace("ADDRESS", str(ORIGIN))
    if "newsite-20261129-033000" in lines:
        lines = lines.replace("newsite-20261129-033000", max(p.name for p in BACKUPS.iterdir()))
    for asks, given in answers.items():
        # What asks for something is typed by itself, and is the last of its block.
        if asks in lines:
            lines, found = lines.rstrip().rsplit("\n", 1)
            typed(lines)
            answered(found, given)
            return
    typed(lines)


def shell(code: str) -> str:
    return subprocess.run(
        ["sudo", "-u", "newsite", ".venv/bin/python", "manage.py", "shell", "--no-imports", "-c", code],
        cwd=SITE, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip


def everything() -> tuple:
    media = SITE / "media"
    pictures = {
        str(path.relative_to(media)): path.read_bytes()
        for path in media.rglob("*")
        if path.is_file() and not path.relative_to(media).parts[0].startswith(".")
    }
    assert pictures
    return shell(COUNTS), pictures


class Load(threading.Thread):
    """Posts comments, one after the other, until it is told to stop."""

    def __init__(self, story: str):
        super().__init__()
        self.story, self.stopped, self.answers = story, threading.Event(), []

    def run(self) -> None:
        while not self.stopped.is_set():
            text = f"Under load {len(self.answers)}"
            try:
                self.answers.append((text, Visitor().comment(self.story, text).status))
            except OSError as error:
                self.answers.append((text, repr(error)))
            time.sleep(0.05)

    def end(self) -> list[str]:
        self.stopped.set()
        self.join()
        assert {status for _text, status in self.answers} == {303}, self.answers
        return [text for text, _status in self.answers]


def set_up(walk: Walk) -> str:
    walk.play("deploying: Install", createsuperuser=["ada", "ada@news.example", PASSWORD, PASSWORD])
    story = shell(STORY)
    walk.play("deploying: The service", 2)
    subprocess.run(["nginx"], check=True)
    walk.play("deploying: The web server")
    wait_until_ready()
    return story


def looks_right(story: str) -> None:
    editor = Visitor()
    assert editor.sign_in("ada", PASSWORD).location == "/admin/"
    picture = (ROOT / "docs/screenshot.png").read_bytes()
    added = editor.upload("/admin/articles/image/add/", "lead.png", picture)
    assert added.location == "/admin/articles/image/", added
    url = "/media/" + shell("from articles.models import Image; print(Image.objects.get().file.name)")
    assert Visitor().ask(url).status == 200
    assert [Visitor().ask(f"/media/{name}").status for name in (".x/y", "../var/secret_key")] == [404, 404]
    assert Visitor().comment(story, "Before the backup").status == 303
    assert Visitor().ask("/comments/mine/link/SECRET/").status in {200, 403, 404, 410}
    assert Visitor().ask(story).status == 200
    log = Path("/var/log/nginx/newsite.log").read_text()
    assert ("SECRET" in log, f"GET {story} " in log) == (False, True)
    assert visitor.status_for_a_foreign_host() == b""
    # The web server's user reads the pictures, and neither the database nor the settings.
    for path, is_read in [(f"{SITE}{url}", 0), (f"{SITE}/var/newsite.sqlite3", 1), (f"{SITE}/.env", 1)]:
        result = subprocess.run(["sudo", "-u", "www-data", "test", "-r", path])
        assert result.returncode == is_read, path


def destroy() -> None:
    for path in (SITE / "var").glob("newsite.sqlite3*"):
        path.unlink()
    for path in (SITE / "media").iterdir():
        shutil.rmtree(path)


def back_up_and_restore(walk: Walk, story: str) -> None:
    walk.play("operating: Back up")
    assert len(list(BACKUPS.iterdir())) == 2
    before = everything()
    Visitor().comment(story, "After the backup")
    destroy()
    walk.play("operating: Restore", 1)
    wait_until_ready()
    assert everything() == before
    typed("systemctl stop newsite")
    destroy()
    (SITE / ".env").unlink()
    (SITE / "var/secret_key").unlink()
    walk.play("operating: Restore")
    typed("systemctl start newsite")
    wait_until_ready()
    assert everything() == before


def lose_a_backup(walk: Walk) -> None:
    thief = Visitor()
    thief.sign_in("ada", PASSWORD)
    assert thief.ask("/admin/").status == 200
    walk.play("operating: What a backup gives to a thief")
    wait_until_ready()
    assert thief.ask("/admin/").status == 302


def workers() -> set[str]:
    pid = pid_of("newsite")
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def upgrade(walk: Walk, story: str, newest: str) -> None:
    load = Load(story)
    load.start()
    typed(f"sudo -u newsite git -C {ORIGIN} update-ref refs/heads/main {newest}")
    older = workers()
    walk.play("operating: Upgrade", 1)
    while older & workers():
        time.sleep(0.1)
    sent = load.end()
    assert typed("sudo -u newsite git rev-parse HEAD").strip() == newest
    stored = set(re.findall(r"Under load \d+", everything()[0]))
    assert (len(sent) > 20, set(sent) - stored) == (True, set())
    walk.play("operating: Upgrade")
    wait_until_ready()


def move(walk: Walk, story: str) -> None:
    before = everything()
    walk.play("deploying: PostgreSQL")
    wait_until_ready()
    assert shell("from django.db import connection; print(connection.vendor)") == "postgresql"
    assert everything() == before
    time.sleep(1)  # the next backup needs a name of its own
    assert Visitor().comment(story, "On PostgreSQL").status == 303
    before = everything()
    walk.again("operating: Back up", 1)
    Visitor().comment(story, "After the backup")
    walk.again("operating: Restore", 0)
    wait_until_ready()
    assert everything() == before


def main(older: str, newest: str, wheels: str) -> None:
    STATE.mkdir()
    shims()
    # Where the site's user may read them.
    shutil.copytree(wheels, "/srv/wheels")
    Path("/etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /srv/wheels\n")
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write("\n127.0.0.1 news.example\n")
    walk = Walk()
    subprocess.run(["git", "config", "--system", "safe.directory", "*"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", ROOT, ORIGIN], check=True)
    subprocess.run(["git", "-C", ORIGIN, "update-ref", "refs/heads/main", older], check=True)
    subprocess.run(["git", "-C", ORIGIN, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["chmod", "-R", "a+rwX", ORIGIN], check=True)
    story = set_up(walk)
    looks_right(story)
    back_up_and_restore(walk, story)
    lose_a_backup(walk)
    upgrade(walk, story, newest)
    with (SITE / ".env").open("a") as settings:
        settings.write("EMAIL_URL=smtp://127.0.0.1:2525\n")
    server = subprocess.Popen([sys.executable, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:2525"])
    time.sleep(2)
    walk.play("operating: Try the mail")
    server.terminate()
    walk.play("deploying: The service")
    wait_until_ready()
    move(walk, story)
    assert walk.left == [], "Nothing does these blocks: teach the walk to."
    print("All was done as the documents say.")


if __name__ == "__main__":
    main(*sys.argv[1:])
