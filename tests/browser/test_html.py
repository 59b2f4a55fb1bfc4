"""The Nu HTML checker finds no error on any kind of page, of readers or of the staff."""

import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from comments.models import Change, Comment, Firing, Standing
from mail.models import Mail
from newsite.views import server_error, site_context
from staff import notices
from tests.browser import newspaper
from tests.factories import make_comment, make_editor, make_report, make_user
from tests.givens import announced

# What Django's own admin does wrong. A select with autocompletion is left without an empty choice, or
# with one that has no name; the row of a hidden field, which is not shown either, has a label.
NO_CHOICE = (
    "“select” element with a “required” attribute, and without a “multiple” attribute, and without a “size” "
    "attribute whose value is greater than “1”, must have"
)
KNOWN_OF_DJANGO = {
    f"A {NO_CHOICE} a descendant “option” element.",
    f"The first “option” element in a {NO_CHOICE} either an empty “value” attribute, or must have no text "
    "content. Consider either adding a placeholder option label, or adding a “size” attribute with a value "
    "equal to the number of “option” elements.",
    "Element “option” without attribute “label” must not be empty.",
    "The value of the “for” attribute of the “label” element must be the ID of a non-hidden form control.",
}
CHECKER = Path(settings.BASE_DIR) / "var/tools/node_modules/vnu-jar/build/dist/vnu.jar"


@pytest.fixture
def check():
    java = shutil.which("java")
    if java is None:
        pytest.skip("there is no Java here (on Debian: apt install default-jre-headless)")
    if not CHECKER.exists():
        pytest.skip("the Nu HTML checker is not here (with npm, `make test` fetches it)")

    def run(pages: list[Path], known: Collection[str] = ()) -> list[str]:
        # One process for all pages, because starting Java takes longer than checking.
        command = [java, "-jar", CHECKER, "--errors-only", "--format", "json", "--exit-zero-always", *pages]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        return [
            f"{unquote(Path(error['url']).stem)}, line {error.get('lastLine')}: {error['message']} "
            f"{error.get('extract', '')!r}"
            for error in json.loads(answer.stderr)["messages"]
            if error["message"] not in known
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
        "session ended": client.get(f"{mine}erase/"),
    }
    assert [page.status_code for page in pages.values()] == [422, 200, 200, 200, 410, 200, 422, 200, 403]
    return {name: page.content for name, page in pages.items()}


def own_comment(news: newspaper.Newspaper) -> dict[str, bytes]:
    """What follows on a change of one's own comment, to the list of a browser and the end."""
    browser, same_origin = Client(), {"Sec-Fetch-Site": "same-origin"}
    text = {"body": "Another.", "name": "Mira", "email": "mira@example.com"}
    page = browser.post(f"{news.quiet.get_absolute_url()}reply/", text, headers=same_origin)["Location"]
    choice = {"scope": "story", "rhythm": "daily"}
    pages = {
        "mails saved": browser.post(f"{page}mails/", choice, headers=same_origin, follow=True),
        "edit saved": browser.post(
            f"{page}edit/", {"body": "As *it* was."}, headers=same_origin, follow=True
        ),
    }
    pages["list of a browser"] = browser.get("/comments/mine/")
    pages["deleted"] = browser.post(f"{page}delete/", headers=same_origin, follow=True)
    assert [page.status_code for page in pages.values()] == [200] * 4
    return {name: page.content for name, page in pages.items()}


def mails(client: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """What links in mails show after their button was pressed, and the mails themselves."""
    stop = f"/comments/mail/stop/{news.subscriber.stop_token()}/"
    confirmed = client.post(f"/comments/mail/confirm/{news.subscriber.confirm_token}/").content
    answer = make_comment(article=news.story, parent=news.top, name="<Bo>", body="So *it* is.")
    announced(answer)
    notices.tell(make_editor(username="new"), notices.Kind.NEW_PLACE)
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
        "mails to moderators ended": client.post(news.links_to_decide["Unsubscribe from these emails"]),
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


def errors_of(pages: dict[str, bytes], check, folder: Path, known: Collection[str] = ()) -> str:
    for name, content in pages.items():
        assert content.lstrip().startswith(b"<!DOCTYPE html>"), name
        (folder / f"{name}.html").write_bytes(content)
    return "\n".join(check(sorted(folder.iterdir()), known))


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
        **given_back(),
        **moderating(editor, news),
        **settings_tried(editor),
        "sign-in": client.get("/sign-in/").content,
        "sign-in refused": client.post("/sign-in/", {"username": "nobody", "password": "x"}).content,
        **mails(client, news),
        **decisions_by_mail(client, news),
        **my_comments(client),
        **own_comment(news),
    }
    assert errors_of(pages, check, tmp_path) == ""


def given_back() -> dict[str, bytes]:
    """What tells that nothing was saved, with what a form has sent, and without the end of it."""
    sent = {
        "body": "<Well>",
        "name": "Ada",
        "password": "x",
        "code": "1",
        "file": SimpleUploadedFile("<a>", b"x"),
    }
    of_ours, of_others = (
        RequestFactory().post("/reply/", sent, headers={"Sec-Fetch-Site": site})
        for site in ("same-origin", "cross-site")
    )
    return {
        "given back": server_error(of_ours).content,
        "given back to copy": server_error(of_others).content,
        "arrived in part": render_to_string("408.html", site_context(of_ours)).encode(),
    }


QUEUE = "/admin/comments/comment/"


def with_statuses(pages: dict[str, tuple[int, HttpResponse]]) -> dict[str, bytes]:
    """Return what pages hold, each of which has to be answered with the status beside it."""
    expected = {name: status for name, (status, page) in pages.items()}
    assert {name: page.status_code for name, (status, page) in pages.items()} == expected
    return {name: page.content for name, (status, page) in pages.items()}


def the_queue(editor: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """Each tab of the queue, with a parent, a report and rules, and without any comment."""
    pages = {f"queue: {tab}": (200, editor.get(f"{QUEUE}?status={tab}")) for tab in [*Comment.Status, "all"]}
    pages |= {
        "queue: reported": (200, editor.get(f"{QUEUE}?status=reported")),
        "queue: empty": (200, editor.get(f"{QUEUE}?status=held&q=nothing+like+it")),
        "queue: no such filter": (422, editor.get(f"{QUEUE}?status=held&story=0")),
        "queue: narrowed": (
            200,
            editor.get(f"{QUEUE}?status=all&email={news.top.email}&ip=192.0.2.7"),
        ),
    }
    shown = with_statuses(pages)
    assert b"queue-parent" in shown["queue: approved"]
    assert b"&lt;b&gt;Look" in shown["queue: reported"]
    assert b"&lt;word&gt;" in shown["queue: all"]
    return shown


def one_comment(editor: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    """The pages about one comment: as it came, with a history, and with what was typed wrong."""
    held = Comment.objects.get(name="Hilde")
    top, waits = f"{QUEUE}{news.top.pk}/", f"{QUEUE}{held.pk}/"
    wrong = {"body": "", "name": "", "email": "nobody", "seen": "9999"}
    return with_statuses(
        {
            "comment held": (200, editor.get(f"{waits}change/")),
            "comment with a history": (200, editor.get(f"{top}change/")),
            "comment to delete": (200, editor.get(f"{top}delete/")),
            "edit": (200, editor.get(f"{top}edit/")),
            "edit with errors": (422, editor.post(f"{top}edit/", wrong)),
            "everything": (200, editor.get(f"{top}everything/")),
            "address": (200, editor.get(f"{QUEUE}address/")),
            "address with something": (200, editor.post(f"{QUEUE}address/", {"addresses": held.email})),
            "address with errors": (422, editor.post(f"{QUEUE}address/", {"addresses": "<nobody>"})),
            "ban": (200, editor.get(f"{top}ban/")),
            "ban with errors": (422, editor.post(f"{top}ban/", {"kind": "name", "days": "x"})),
        }
    )


def what_was_decided(editor: Client) -> dict[str, bytes]:
    on_all = {
        "decision": "hold",
        "scope": "all",
        "filters": "status=approved",
        "newest": str(Comment.objects.newest()),
        "seen": str(Change.objects.newest()),
    }
    asked = editor.post(f"{QUEUE}many/", on_all)
    done = editor.post(f"{QUEUE}many/", {**on_all, "confirmed": "1"}, follow=True)
    ban = {**on_all, "decision": "ban"}
    ban_wrongly = {**ban, "confirmed": "1", "until": "2001-01-01", "note": "<b>"}
    return with_statuses(
        {
            "all that match": (200, asked),
            "all that match decided": (200, done),
            "trust all that match": (200, editor.post(f"{QUEUE}many/", {**on_all, "decision": "trust"})),
            "ban all that match": (200, editor.post(f"{QUEUE}many/", ban)),
            "ban all that match with errors": (422, editor.post(f"{QUEUE}many/", ban_wrongly)),
            "queue after a decision": (200, editor.get(QUEUE)),
            "decisions": (200, editor.get(f"{QUEUE}decisions/")),
            "history": (200, editor.get("/admin/comments/change/")),
            "history with errors": (422, editor.get("/admin/comments/change/?comment=0")),
            "history searched": (200, editor.get("/admin/comments/change/?q=Hilde&actor=moderator")),
            "numbers": (200, editor.get(f"{QUEUE}numbers/")),
        }
    )


def banned_and_trusted(editor: Client) -> dict[str, bytes]:
    people = "/admin/comments/standing/"
    standing = Standing.objects.create(standing="banned", kind="name", value="troll", note="<b>")
    everyone = {"standing": "banned", "kind": "name", "value": ""}
    return with_statuses(
        {
            "banned and trusted": (200, editor.get(people)),
            "banned and trusted: none found": (200, editor.get(f"{people}?q=nothing")),
            "new ban": (200, editor.get(f"{people}add/")),
            "new ban with errors": (200, editor.post(f"{people}add/", everyone)),
            "one ban": (200, editor.get(f"{people}{standing.pk}/change/")),
            "ban to lift": (200, editor.get(f"{people}{standing.pk}/delete/")),
        }
    )


def stories_and_outbox(editor: Client, news: newspaper.Newspaper) -> dict[str, bytes]:
    stories, mail = "/admin/articles/article/", Mail.objects.first()
    accounts, deletion = "/admin/auth/user/", {"action": "delete_selected"}
    quiet, talker = make_user(), Comment.objects.exclude(user=None).first().user
    return with_statuses(
        {
            "stories": (200, editor.get(stories)),
            "new story": (200, editor.get(f"{stories}add/")),
            "new story with errors": (200, editor.post(f"{stories}add/", {"title": ""})),
            "story to change": (200, editor.get(f"{stories}{news.story.pk}/change/")),
            "story to delete": (200, editor.get(f"{stories}{news.story.pk}/delete/")),
            "section to change": (200, editor.get(f"/admin/articles/section/{news.section.pk}/change/")),
            "images": (200, editor.get("/admin/articles/image/")),
            "log": (200, editor.get("/admin/admin/logentry/")),
            "account to delete": (200, editor.get(f"{accounts}{quiet.pk}/delete/")),
            "accounts to delete": (200, editor.post(accounts, {**deletion, "_selected_action": quiet.pk})),
            "account that has commented": (200, editor.get(f"{accounts}{talker.pk}/delete/")),
            "outbox": (200, editor.get("/admin/mail/mail/")),
            "mail to look at": (200, editor.get(f"/admin/mail/mail/{mail.pk}/change/")),
        }
    )


def own_account(editor: Client) -> dict[str, bytes]:
    """What is open under somebody's own account, with a second factor set up on the way."""
    password, factor = {"password": "correct horse"}, "/admin/account/second-factor/"
    pages = {
        "front page": (200, editor.get("/admin/")),
        "choice of mails": (200, editor.get("/admin/comments/mailchoice/add/")),
        "refused": (403, editor.get("/admin/comments/mailchoice/1/delete/")),
        "account": (200, editor.get("/admin/account/")),
        "password once more": (200, editor.get("/admin/account/password/")),
        "password once more refused": (422, editor.post("/admin/account/password/", {"password": "x"})),
        "second factor": (200, editor.get(factor)),
        "second factor refused": (422, editor.post(factor, {"password": "wrong"})),
        "second factor to set up": (200, editor.post(factor, {**password, "set_up": ""}, follow=True)),
        "wrong code": (422, editor.post(f"{factor}set-up/", {"code": "000000"})),
    }
    device = TOTPDevice.objects.get()
    device.throttle_reset()
    code = {"code": f"{totp(device.bin_key):06}"}
    return with_statuses(
        {
            **pages,
            "recovery codes": (200, editor.post(f"{factor}set-up/", code)),
            "account with a second factor": (200, editor.get("/admin/account/")),
            "second factor to change": (200, editor.get(factor)),
            "new password": (200, editor.get("/admin/password_change/")),
            "new password with errors": (422, editor.post("/admin/password_change/", {"old_password": "x"})),
            "new password set": (200, editor.get("/admin/password_change/done/")),
            "signed out": (200, editor.post("/admin/logout/")),
        }
    )


def signing_in() -> dict[str, bytes]:
    client, login = Client(), "/admin/login/"
    pages = {
        "sign-in of staff": (200, client.get(login)),
        "sign-in of staff refused": (422, client.post(login, {"username": "ed", "password": "x"})),
        "code": (200, client.post(login, {"username": "ed", "password": "correct horse"}, follow=True)),
        "code with errors": (422, client.post("/admin/login/code/", {"code": "x"})),
    }
    for _ in range(4):
        client.post(login, {"username": "eve", "password": "x"})
    return with_statuses(
        {**pages, "locked out": (429, client.post(login, {"username": "eve", "password": "x"}))}
    )


def test_no_page_of_the_staff_has_an_html_error(db, check, tmp_path):
    news = newspaper.found()
    editor = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"})
    editor.force_login(make_editor(username="ed", password="correct horse"))
    reported = make_comment(parent=news.top, name="Rita", open_reports=1)
    make_report(comment=reported, text="<b>Look</b>", reason="other")
    Firing.objects.create(comment=news.deepest, rule="words", verdict="held", detail="<word>")
    for status in Comment.Status:
        make_comment(article=news.story, name=f"<i>{status}", status=status)
    assert editor.post(f"{QUEUE}{news.top.pk}/decide/", {"decision": "hold"}).status_code == 302
    changed = {
        "body": "Other *words*.",
        "name": "Ada L.",
        "email": "ada@example.com",
        "website": "",
        "seen": "9999",
    }
    assert editor.post(f"{QUEUE}{news.top.pk}/edit/", changed).status_code == 302
    pages = {
        **the_queue(editor, news),
        **one_comment(editor, news),
        **what_was_decided(editor),
        **banned_and_trusted(editor),
        **stories_and_outbox(editor, news),
        **own_account(editor),
        **signing_in(),
    }
    assert errors_of(pages, check, tmp_path, KNOWN_OF_DJANGO) == ""
