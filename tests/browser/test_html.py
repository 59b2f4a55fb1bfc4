"""The Nu HTML checker finds no error on any kind of page."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from comments import notifications
from mail.models import Mail
from newsite.views import server_error
from tests.browser import newspaper
from tests.factories import make_comment, make_editor

CHECKER = Path(settings.BASE_DIR) / "var/tools/node_modules/vnu-jar/build/dist/vnu.jar"


@pytest.fixture
def check():
    java = shutil.which("java")
    if java is None:
        pytest.skip("there is no Java here (on Debian: apt install default-jre-headless)")
    if not CHECKER.exists():
        pytest.skip("the Nu HTML checker is not here (with npm, `make test` fetches it)")

    def run(pages: list[Path]) -> list[str]:
        # One process for all pages, because starting Java takes longer than checking.
        command = [java, "-jar", CHECKER, "--errors-only", "--format", "json", "--exit-zero-always", *pages]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return [
            f"{unquote(Path(error['url']).stem)}, line {error.get('lastLine')}: {error['message']} "
            f"{error.get('extract', '')!r}"
            for error in json.loads(answer.stderr)["messages"]
        ]

    return run


def errors_in_form(client: Client, news: newspaper.Newspaper) -> bytes:
    wrong = {
        "body": " ",
        "name": "",
        "email": "nobody",
        "website": "https://x.example",
        "parent": news.top.pk,
    }
    response = client.post(news.reply_address, wrong, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 422
    return response.content


def preview(client: Client, news: newspaper.Newspaper) -> bytes:
    text = {"body": "Quite *so*.", "name": "Mira", "email": "mira@example.com", "preview": "Preview"}
    response = client.post(news.reply_address, text, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 200
    return response.content


def refusal(client: Client, news: newspaper.Newspaper) -> bytes:
    wrong = {"body": "Too late", "name": "Mira", "email": "mira@example.com"}
    address = f"{news.closed.get_absolute_url()}reply/"
    response = client.post(address, wrong, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 403
    return response.content


def my_comments(client: Client) -> dict[str, bytes]:
    """Everything on the way of a link in a mail, from the request for it to the end."""
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    mine = "/comments/mine/"
    link = newspaper.link_in_a_mail()
    pages = {
        "no address": client.post(mine, {"email": "hilde"}, headers=same_origin),
        "link asked for": client.post(mine, {"email": "hilde@example.com"}, headers=same_origin),
        "link": client.get(link),
        "link pressed": client.post(link, headers=same_origin, follow=True),
        "link used up": client.get(link),
        "before erasing": client.get(f"{mine}erase/"),
        "no choice": client.post(f"{mine}erase/", headers=same_origin),
        "erased": client.post(f"{mine}erase/", {"texts": "keep"}, headers=same_origin),
        "closed again": client.get(f"{mine}erase/"),
    }
    assert [page.status_code for page in pages.values()] == [422, 200, 200, 200, 410, 200, 422, 200, 403]
    return {name: page.content for name, page in pages.items()}


def mails(client: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """What links in mails show after their button was pressed, and the mails themselves."""
    stop = f"/comments/mail/stop/{news.subscriber.stop_token()}/"
    confirmed = client.post(f"/comments/mail/confirm/{news.subscriber.confirm_token}/").content
    answer = make_comment(article=news.story, parent=news.top, name="<Bo>", body="So *it* is.")
    notifications.announce([answer])
    written = {f"mail {mail.pk}": mail.html.encode() for mail in Mail.objects.all()}
    assert len(written) > 1
    stop_here = client.post(news.addresses["mails to end"]).content
    pages = {
        "all mails to end": client.get(stop),
        "mails ended": client.post(stop),
        "link to confirm expired": client.get(news.addresses["mails to confirm"]),
        "link to end mails broken": client.get("/comments/mail/stop/nothing/"),
    }
    assert [page.status_code for page in pages.values()] == [200, 200, 410, 403]
    return {
        "confirmed": confirmed,
        "mails about a story ended": stop_here,
        **written,
        **{name: page.content for name, page in pages.items()},
    }


def decisions_by_mail(client: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """What a moderator sees behind the links of a mail, from the first button to an expired link."""
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    trash = news.links_to_decide["Trash"]
    pages = {
        "decision from elsewhere": client.post(trash),
        "decided": client.post(trash, headers=same_origin),
        "decided already": client.post(news.links_to_decide["Spam"], headers=same_origin),
        "decision broken": client.get("/comments/moderate/nothing/"),
        "mails to moderators ended": client.post(news.links_to_decide["No more of these mails"]),
    }
    assert [page.status_code for page in pages.values()] == [403, 200, 410, 403, 200]
    return {name: page.content for name, page in pages.items()}


def report_with_errors(client: Client, news: newspaper.Newspaper) -> bytes:
    address = f"{news.top.get_absolute_url()}report/"
    response = client.post(address, {"reason": "other"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 422
    return response.content


def moderating(editor: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """What moderators answer and erase, before and after a button was pressed too early."""
    comment = f"/admin/comments/comment/{news.top.pk}/"
    pages = {
        "answer": editor.get(f"{comment}reply/"),
        "empty answer": editor.post(f"{comment}reply/"),
        "everything from an address": editor.get(f"{comment}everything/"),
        "nothing chosen to erase": editor.post(f"{comment}erase/"),
    }
    assert [page.status_code for page in pages.values()] == [200, 422, 200, 422]
    return {name: page.content for name, page in pages.items()}


def settings_tried(editor: Client) -> dict[str, bytes]:
    """The owner's settings, tried on the past, and refused."""
    settings = "/admin/comments/discussionsettings/"
    opened = editor.get(f"{settings}1/change/")
    values = opened.context["adminform"].form.initial
    sent = {name: value for name, value in values.items() if value is not False} | {"holds_everything": "on"}
    tried, refused = editor.post(f"{settings}try/", sent), editor.post(f"{settings}try/", {})
    assert (tried.status_code, refused.status_code) == (200, 422)
    return {"settings": opened.content, "settings tried": tried.content, "settings refused": refused.content}


def test_no_page_has_an_html_error(db, client, check, tmp_path):
    news = newspaper.found()
    editor = Client()
    editor.force_login(make_editor())
    pages = {name: client.get(address).content for name, address in news.addresses.items()} | {
        "form with errors": errors_in_form(client, news),
        "preview of a comment": preview(client, news),
        "form of a conversation just closed": refusal(client, news),
        "reply to a comment that is gone": client.get(f"{news.reply_address}?to=0").content,
        "expired link": client.get("/comments/yours/nothing/").content,
        "report with errors": report_with_errors(client, news),
        "signed-in form": editor.get(f"{news.reply_address}signed-in/?to={news.top.pk}").content,
        "preview of a story": editor.get(f"/preview/{news.draft.pk}/").content,
        "500": server_error(RequestFactory().get("/")).content,
        **moderating(editor, news),
        **settings_tried(editor),
        "sign-in": client.get("/sign-in/").content,
        "sign-in refused": client.post("/sign-in/", {"username": "nobody", "password": "x"}).content,
        **mails(client, news),
        **decisions_by_mail(client, news),
        **my_comments(client),
    }
    for name, content in pages.items():
        assert content.lstrip().startswith(b"<!DOCTYPE html>"), name
        (tmp_path / f"{name}.html").write_bytes(content)
    errors = check(sorted(tmp_path.iterdir()))
    assert not errors, "\n".join(errors)
