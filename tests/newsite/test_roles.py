"""Who may do what: every role with every address of the admin that reads or changes something."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core import mail as django_mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from articles.models import Article, Author, Byline, RelatedRead
from comments import decisions, last_look, moderator_mails, people, posting, queue
from comments.discussion import DiscussionSettings
from comments.models import Comment, Decision, Firing, Standing
from comments.moderation import Submission
from comments.moderator_texts import Link
from comments.staff_notices import MailChoice
from mail import delivery
from mail.models import Mail
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_image,
    make_section,
    make_staff,
    make_topic,
    make_user,
    set_discussion,
)
from tests.givens import SAME_ORIGIN

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
migration = import_module("comments.migrations.0014_roles")

# Someone on the staff with no role may do nothing.
NOBODY = "Nobody"
M, A, E, X = "Moderator", "Author", "Editor", "Administrator"
ROLES = [NOBODY, M, A, E, X]

QUEUE = "/admin/comments/comment/"
STORIES = "/admin/articles/article/"
PICTURE = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


def story(**fields) -> dict:
    """What the page of a story sends without JavaScript."""
    empty = {
        f"{name}-{key}": "0"
        for name in ("bylines", "related_reads")
        for key in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    return {
        "title": "As sent",
        "slug": "as-sent",
        "body": "One.",
        "status": "draft",
        "discussion": "follow",
        **empty,
        **fields,
    }


class World:
    """A story by the person who is signed in, stories by someone else, and what there is besides."""

    def __init__(self, user: User):
        byline, other = make_author(name="Me", user=user), make_author(name="Someone Else")
        self.section = make_section().pk
        self.topic, self.image, self.byline = make_topic().pk, make_image().pk, other.pk
        own = make_article(title="Mine", authors=[byline], section_id=self.section)
        others = make_article(title="Theirs", authors=[other], section_id=self.section)
        draft = make_article(
            title="Their secret", authors=[other], status="draft", published_at=None, section_id=self.section
        )
        quiet = make_article(title="Quiet", authors=[byline], section_id=self.section)
        self.own, self.others, self.draft, self.quiet = own.pk, others.pk, draft.pk, quiet.pk
        self.below_own = make_comment(article=own, status="held", name="Near").pk
        self.below_others = make_comment(article=others, status="held", name="Far").pk
        someone = make_editor(username="someone")
        self.account = someone.pk
        self.their_decision = make_comment(article=others).trash(by=someone).decision.pk
        self.standing = Standing.objects.create(standing="banned", kind="name", value="troll").pk
        self.mail = Mail.objects.create(
            recipient="a@example.com", subject="Hello", text="Hello", state="given-up"
        ).pk
        self.role = Group.objects.get(name=M).pk


def rows() -> dict:
    """Everything that an action of the matrix could change."""
    models = [
        *apps.get_app_config("articles").get_models(),
        *apps.get_app_config("comments").get_models(),
        *apps.get_app_config("mail").get_models(),
        User,
        Group,
        User.groups.through,
        Group.permissions.through,
    ]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


class Action(NamedTuple):
    name: str
    allowed: set[str]
    address: str
    data: Callable[[World], dict] | None = None
    prepare: Callable[[World], Any] | None = None

    def take(self, client: Client, world: World):
        address = self.address.format(**vars(world))
        return (
            client.get(address, follow=True) if self.data is None else client.post(address, self.data(world))
        )


def decisions_on(where: str, allowed: set[str]) -> list[Action]:
    """The actions on one comment, below one's own story or below another's."""
    at = f"{QUEUE}{{below_{where}}}/"
    kinds = {
        "approve": "held",
        "mark_as_spam": "held",
        "trash": "held",
        "hold": "approved",
        "restore": "spam",
    }

    def waiting_for(kind: str) -> Callable[[World], Any]:
        return lambda world: Comment.objects.filter(pk=getattr(world, f"below_{where}")).update(
            status=kinds[kind]
        )

    def chosen(scope: str, field: str) -> Callable[[World], dict]:
        return lambda world: {
            "decision": "approve",
            "scope": scope,
            field: [world.below_own, getattr(world, f"below_{where}")],
        }

    return [
        *(
            Action(
                f"{kind} below {where}",
                allowed,
                f"{at}decide/",
                lambda world, kind=kind: {"decision": kind},
                waiting_for(kind),
            )
            for kind in kinds
        ),
        Action(f"see below {where}", allowed, f"{at}change/"),
        Action(f"see the admin's log below {where}", allowed, f"{at}history/"),
        Action(f"open reply below {where}", allowed, f"{at}reply/"),
        Action(
            f"reply below {where}",
            allowed,
            f"{at}reply/",
            lambda world: {f"{getattr(world, f'below_{where}')}-body": "Thank you."},
        ),
        Action(f"open edit below {where}", allowed, f"{at}edit/"),
        Action(
            f"edit below {where}",
            allowed,
            f"{at}edit/",
            lambda world: {"body": "Changed", "name": "Far", "email": "far@example.com", "seen": "99999"},
        ),
        Action(f"ticked below {where}", allowed, f"{QUEUE}many/", chosen("ticked", "ticked")),
        Action(f"page below {where}", allowed, f"{QUEUE}many/", chosen("page", "shown")),
    ]


def form_for(world: World) -> dict:
    return {
        "decision": "approve",
        "scope": "all",
        "filters": "status=held",
        "newest": str(Comment.objects.newest()),
        "seen": "99999",
        "confirmed": "1",
    }


def written_with(comment: int) -> str:
    return Comment.objects.get(pk=comment).email


def people_of(kind: str, scope: str) -> Callable[[World], dict]:
    """A decision on whoever wrote many comments, all of them below one's own story."""
    return lambda world: {
        **form_for(world),
        "decision": kind,
        "scope": scope,
        "ticked": [world.below_own],
        "shown": [world.below_own],
        "kind": "name",
        "days": "7",
    }


ALL, EVERYWHERE, STORY_DESK = {M, A, E, X}, {M, E, X}, {A, E, X}
UPLOAD: dict[str, Any] = {"alternative_text": "A dot"}

ACTIONS = [
    # The queue.
    Action("open the queue", ALL, QUEUE),
    Action("more of the queue", ALL, f"{QUEUE}more/?status=held&rows=5"),
    Action("news of the queue", ALL, f"{QUEUE}news/?comments={{below_own}}&seen=0"),
    Action("decide on all that match", ALL, f"{QUEUE}many/", form_for),
    Action("list one's decisions", ALL, f"{QUEUE}decisions/"),
    *decisions_on("own", ALL),
    *decisions_on("others", EVERYWHERE),
    Action("see another's decision", set(), f"{QUEUE}decisions/{{their_decision}}/"),
    Action("carry on another's decision", set(), f"{QUEUE}decisions/{{their_decision}}/", lambda world: {}),
    Action("undo another's decision", set(), f"{QUEUE}decisions/{{their_decision}}/undo/", lambda world: {}),
    # People: they write below all stories.
    Action("trust", EVERYWHERE, f"{QUEUE}{{below_own}}/decide/", lambda world: {"decision": "trust"}),
    Action("open ban", EVERYWHERE, f"{QUEUE}{{below_own}}/ban/"),
    Action("ban", EVERYWHERE, f"{QUEUE}{{below_own}}/ban/", lambda world: {"kind": "name", "days": "7"}),
    *(
        Action(f"{kind} {scope}", EVERYWHERE, f"{QUEUE}many/", people_of(kind, scope))
        for kind in ("trust", "ban")
        for scope in ("ticked", "page", "all")
    ),
    Action("see everything of a person", EVERYWHERE, f"{QUEUE}{{below_own}}/everything/"),
    Action(
        "erase a person",
        {E, X},
        f"{QUEUE}{{below_own}}/erase/",
        lambda world: {"texts": "remove", "sure": "on"},
    ),
    Action("ask by address", EVERYWHERE, f"{QUEUE}address/"),
    Action(
        "erase by address",
        {E, X},
        f"{QUEUE}address/erase/",
        lambda world: {"addresses": written_with(world.below_own), "texts": "remove", "sure": "on"},
    ),
    Action("open delete comment", {E, X}, f"{QUEUE}{{below_own}}/delete/"),
    Action("delete comment", {E, X}, f"{QUEUE}{{below_own}}/delete/", lambda world: {"post": "yes"}),
    Action("list bans and trust", EVERYWHERE, "/admin/comments/standing/"),
    Action("see a ban", EVERYWHERE, "/admin/comments/standing/{standing}/change/"),
    Action(
        "add a ban",
        EVERYWHERE,
        "/admin/comments/standing/add/",
        lambda world: {"standing": "banned", "kind": "name", "value": "bore"},
    ),
    Action(
        "lift a ban", EVERYWHERE, "/admin/comments/standing/{standing}/delete/", lambda world: {"post": "yes"}
    ),
    Action("read the numbers", ALL, f"{QUEUE}numbers/"),
    Action("read the history", ALL, "/admin/comments/change/"),
    Action("export the history", EVERYWHERE, "/admin/comments/change/history.csv"),
    # Stories.
    Action("list stories", STORY_DESK, STORIES),
    Action("open add story", STORY_DESK, f"{STORIES}add/"),
    Action("add story", STORY_DESK, f"{STORIES}add/", lambda world: story(section=world.section)),
    Action("see own story", STORY_DESK, f"{STORIES}{{own}}/change/"),
    Action("see published story", STORY_DESK, f"{STORIES}{{others}}/change/"),
    Action("see draft", {E, X}, f"{STORIES}{{draft}}/change/"),
    Action("see log of draft", {E, X}, f"{STORIES}{{draft}}/history/"),
    Action(
        "change own story",
        STORY_DESK,
        f"{STORIES}{{own}}/change/",
        lambda world: story(section=world.section),
    ),
    Action(
        "change story", {E, X}, f"{STORIES}{{others}}/change/", lambda world: story(section=world.section)
    ),
    Action("change draft", {E, X}, f"{STORIES}{{draft}}/change/", lambda world: story(section=world.section)),
    Action("delete own story", STORY_DESK, f"{STORIES}{{quiet}}/delete/", lambda world: {"post": "yes"}),
    # Comments go with their story, and who may not delete them may not delete it.
    Action(
        "delete own story with comments", {E, X}, f"{STORIES}{{own}}/delete/", lambda world: {"post": "yes"}
    ),
    Action("delete story", {E, X}, f"{STORIES}{{others}}/delete/", lambda world: {"post": "yes"}),
    Action("delete draft", {E, X}, f"{STORIES}{{draft}}/delete/", lambda world: {"post": "yes"}),
    *(
        Action(
            f"{action} {which} story in the list",
            allowed,
            STORIES,
            lambda world, action=action, which=which: {
                "action": action,
                "post": "yes",
                "_selected_action": [world.quiet, getattr(world, which)],
            },
        )
        for action in ("unpublish", "delete_selected")
        for which, allowed in (("quiet", STORY_DESK), ("others", {E, X}))
    ),
    Action("preview own story", STORY_DESK, "/preview/{own}/"),
    Action("preview draft", {E, X}, "/preview/{draft}/"),
    # What stories are made of.
    Action("list images", STORY_DESK, "/admin/articles/image/"),
    Action(
        "upload image",
        STORY_DESK,
        "/admin/articles/image/add/",
        lambda world: {**UPLOAD, "file": SimpleUploadedFile("dot.gif", PICTURE)},
    ),
    Action("change image", {E, X}, "/admin/articles/image/{image}/change/", lambda world: UPLOAD),
    Action("delete image", {E, X}, "/admin/articles/image/{image}/delete/", lambda world: {"post": "yes"}),
    *(
        action
        for name, thing in (("section", "section"), ("topic", "topic"), ("author", "byline"))
        for action in (
            Action(f"list {name}s", {E, X} if name == "author" else STORY_DESK, f"/admin/articles/{name}/"),
            Action(
                f"add {name}",
                {E, X},
                f"/admin/articles/{name}/add/",
                lambda world: {"name": "New", "slug": "new", "position": "1"},
            ),
            Action(
                f"change {name}",
                {E, X},
                f"/admin/articles/{name}/{{{thing}}}/change/",
                lambda world: {"name": "New", "slug": "new", "position": "1"},
            ),
            Action(f"open delete {name}", {E, X}, f"/admin/articles/{name}/{{{thing}}}/delete/"),
        )
    ),
    Action("delete topic", {E, X}, "/admin/articles/topic/{topic}/delete/", lambda world: {"post": "yes"}),
    # The site.
    Action("see the settings", {X}, "/admin/comments/discussionsettings/1/change/"),
    Action(
        "change the settings",
        {X},
        "/admin/comments/discussionsettings/1/change/",
        lambda world: {**model_to_dict(DiscussionSettings.load()), "per_page": "7"},
    ),
    Action("list mails", {X}, "/admin/mail/mail/"),
    Action("see a mail", {X}, "/admin/mail/mail/{mail}/change/"),
    Action(
        "send a mail again",
        {X},
        "/admin/mail/mail/",
        lambda world: {"action": "send_again", "_selected_action": [world.mail]},
    ),
    Action("list accounts", {X}, "/admin/auth/user/"),
    Action("see an account", {X}, "/admin/auth/user/{account}/change/"),
    Action(
        "add an account",
        {X},
        "/admin/auth/user/add/",
        lambda world: {
            "username": "new",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        },
    ),
    Action("make an account inactive", {X}, "/admin/auth/user/{account}/make-inactive/", lambda world: {}),
    Action("open delete account", {X}, "/admin/auth/user/{account}/delete/"),
    Action("delete an account", {X}, "/admin/auth/user/{account}/delete/", lambda world: {"post": "yes"}),
    Action("see the log", {X}, "/admin/admin/logentry/"),
    Action("list second factors", {X}, "/admin/staff/secondfactor/"),
    Action("see a role", {X}, "/admin/auth/group/{role}/change/"),
    Action("change a role", {X}, "/admin/auth/group/{role}/change/", lambda world: {"name": "Renamed"}),
]


REFUSED, SHOWN, DONE = (403, False), (200, False), (302, True)


def outcome_of(action: Action, role: str, user: User, world: World) -> tuple[int, bool]:
    """Return how an attempt is answered and whether it has changed anything; then forget it."""
    with transaction.atomic():
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        if action.prepare:
            action.prepare(world)
        before = rows()
        response = action.take(client, world)
        outcome = response.status_code, rows() != before
        transaction.set_rollback(True)
    return outcome


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_role_does_what_is_its_own_and_nothing_else(action):
    user = make_staff()
    world = World(user)

    outcomes = {role: outcome_of(action, role, user, world) for role in ROLES}

    allowed = SHOWN if action.data is None else DONE
    assert outcomes == {role: allowed if role in action.allowed else REFUSED for role in ROLES}


# --- Rights without staff status ---

IN_PERSON, SUPERUSER = "In person", "Superuser"


def make_former(kind: str, **fields) -> User:
    """Someone with the rights of a role, or given in person, or with all of them, and no staff status."""
    fields = {"email": "former@newsroom.example", "is_staff": False, **fields}
    if kind not in (IN_PERSON, SUPERUSER):
        return make_staff(kind, **fields)
    user = make_user(is_superuser=kind == SUPERUSER, **fields)
    if kind == IN_PERSON:
        user.user_permissions.set(Permission.objects.all())
    return user


def post_below(user: User, article: Article, body: str) -> str:
    """Comment under one's account, and return the status of the comment, or of the refusal."""
    comment = Comment(article=article, body=body)
    people.sign(comment, user)
    try:
        return posting.post(Submission(comment)).status
    except posting.Refused as refused:
        return str(refused.refusal.status)


former = pytest.mark.parametrize("kind", [M, A, E, X, IN_PERSON, SUPERUSER])


@former
def test_without_staff_status_no_right_opens_the_admin_or_a_preview(client, kind):
    user = make_former(kind)
    world = World(user)
    client.force_login(user)
    before = rows()

    answers = {}
    for action in ACTIONS:
        if action.prepare:
            continue  # the same address as others, with a comment that is not held
        address = action.address.format(**vars(world))
        response = client.get(address) if action.data is None else client.post(address, action.data(world))
        answers[action.name] = response.status_code, response.headers.get("Location", "").split("?")[0]

    assert answers == dict.fromkeys(answers, (302, "/admin/login/"))
    assert rows() == before


@former
def test_a_moderator_who_loses_staff_status_decides_by_no_link_from_then_on(client, kind):
    user = make_former(kind, is_staff=True)
    comment = make_comment(article=make_article(authors=[make_author(user=user)]), status="held")
    address = reverse("comments:moderate", args=[Link.to(user, comment.pk, "approve", 0).token])
    before = client.get(address).status_code

    User.objects.filter(pk=user.pk).update(is_staff=False)
    after = [client.get(address), client.post(address, {"seen": "0"}, headers=SAME_ORIGIN)]

    assert (before, [answer.status_code for answer in after]) == (200, [403, 403])
    assert "does not moderate here any more" in text_of(after[0])
    comment.refresh_from_db()
    assert comment.status == "held"


@former
def test_a_moderator_who_loses_staff_status_gets_no_mail_from_then_on(kind):
    set_discussion(held_mails="at-once", comment_mails="at-once", author_mails="never")
    user = make_former(kind, is_staff=True)
    story = make_article(authors=[make_author(user=user)])

    def arrive(name: str) -> None:
        person = {"name": name, "email": f"{name}@example.com"}
        posting.post(Submission(Comment(article=story, body="Well said.", **person)))
        moderator_mails.send_due()

    arrive("early")
    written = Mail.objects.filter(recipient=user.email).count()
    User.objects.filter(pk=user.pk).update(is_staff=False)
    delivery.deliver_due(discard=last_look.discard)
    arrive("late")

    assert (written, len(django_mail.outbox), Mail.objects.count()) == (1, 0, 0)


@former
def test_without_staff_status_an_account_is_a_readers(kind):
    """Their comments wait as others' do, and no exception is made where staff have one."""
    set_discussion(accounts_only=True)
    user = make_former(kind)

    open_story, closed = make_article(), make_article(discussion="closed")
    outcomes = [
        post_below(user, open_story, "One."),
        post_below(user, open_story, "Two."),
        post_below(user, closed, "Three."),
    ]

    assert outcomes == ["held", "429", "403"]
    assert people.mark(Comment.objects.get()) == ""


@former
def test_an_author_without_staff_status_waits_and_is_refused_below_their_own_story_as_readers_are(kind):
    """The byline is theirs, and what they say below it is shown at once. They do not moderate."""
    user = make_former(kind)
    byline = make_author(user=user)

    own, closed = make_article(authors=[byline]), make_article(authors=[byline], discussion="closed")
    outcomes = [
        post_below(user, own, "One."),
        post_below(user, own, "Two."),
        post_below(user, closed, "Three."),
    ]

    assert outcomes == ["approved", "429", "403"]


@former
def test_a_decision_on_many_stops_where_its_moderator_loses_staff_status(kind):
    user = make_former(kind, is_staff=True)
    comment = make_comment(article=make_article(authors=[make_author(user=user)]), status="held")
    newest = Comment.objects.newest()
    begun = decisions.start("approve", user, filters={"status": "held"}, total=1, newest=newest, seen=99999)
    undone = make_comment(article=comment.article).trash(by=user).decision
    User.objects.filter(pk=user.pk).update(is_staff=False)

    decided = decisions.step(Decision.objects.get(pk=begun.pk), queue.matching)
    decisions.undo(undone, User.objects.get(pk=user.pk))

    assert decided.finished_at is not None
    assert set(Comment.objects.values_list("status", flat=True)) == {"held", "trash"}


# --- An author beside others' stories ---


@pytest.fixture
def author(client):
    user = make_staff(A, username="author")
    client.force_login(user)
    return user


@pytest.fixture
def world(author):
    return World(author)


def text_of(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?status=all",
        "?status=reported",
        "?status=all&q=Secret",
        "?status=all&q=far@example.com",
        "?status=all&email=far@example.com",
        "?status=all&ip=192.0.2.44",
        "?status=all&story={others}",
        "?status=all&author={byline}",
        "?status=all&section={section}",
        "?status=all&headline=Theirs",
        "?status=all&rule=links",
        "?status=all&before=99999999999-1",
        "more/?status=all&rows=50",
        "news/?comments={below_own},{below_others}&seen=0,0",
        "decisions/",
    ],
)
def test_no_address_of_the_queue_shows_an_author_what_is_below_others_stories(client, world, address):
    far = Comment.objects.filter(pk=world.below_others)
    far.update(name="Farah", email="far@example.com", ip_address="192.0.2.44", body_html="<p>Secret</p>")
    far.update(open_reports=1, held_because="links", body="Secret")
    Firing.objects.create(comment_id=world.below_others, rule="links", verdict="held")
    for pk in (world.below_own, world.below_others):
        Comment.objects.filter(pk=pk).hold(by=User.objects.get(username="someone"))
        Comment.objects.filter(pk=pk).trash(by=User.objects.get(username="someone"))

    page = text_of(client.get(QUEUE + address.format(**vars(world))))

    found = {
        name for name in ("Farah", "<p>Secret</p>", f'data-comment="{world.below_others}"') if name in page
    }
    assert found == set()


def test_an_author_counts_their_own_comments_alone(client, world):
    tabs = re.findall(r">(\w+ \(\d+\))</a>", text_of(client.get(QUEUE)))
    front = text_of(client.get("/admin/"))

    assert tabs == ["Held (1)", "Reported (0)", "Approved (0)", "Spam (0)", "Trash (0)", "All (1)"]
    assert "Comments (1) waiting for a decision" in strip_tags(front)


@pytest.mark.parametrize(
    "filters",
    ["status=held", "status=held&q=comment", "status=held&author={byline}", "status=held&story={others}"],
)
def test_a_decision_of_an_author_on_all_that_match_ends_at_their_stories(client, world, filters):
    data = {**form_for(world), "filters": filters.format(**vars(world))}
    client.post(f"{QUEUE}many/", data)

    assert Comment.objects.get(pk=world.below_others).status == "held"


def test_a_decision_on_all_goes_by_the_rights_that_its_moderator_has_at_each_step(client, author, world):
    begun = decisions.start(
        "approve",
        make_editor(username="once"),
        filters={"status": "held"},
        total=2,
        newest=Comment.objects.newest(),
        seen=99999,
    )
    Decision.objects.filter(pk=begun.pk).update(by=author)

    client.post(f"{QUEUE}decisions/{begun.pk}/")

    assert [Comment.objects.get(pk=pk).status for pk in (world.below_own, world.below_others)] == [
        "approved",
        "held",
    ]


def test_who_has_lost_a_right_does_not_undo_what_they_decided_with_it(client, author, world):
    """They were a moderator, and are an author now."""
    author.groups.set(Group.objects.filter(name=M))
    moderator = User.objects.get(pk=author.pk)
    both = Comment.objects.filter(pk__in=[world.below_own, world.below_others])
    decided = both.mark_as_spam(by=moderator).decision
    banned = decisions.ban(moderator, kind="name", value="bad", ends_at=None, note="")
    author.groups.set(Group.objects.filter(name=A))

    for made in (decided, banned):
        client.post(f"{QUEUE}decisions/{made.pk}/undo/")

    assert [Comment.objects.get(pk=pk).status for pk in (world.below_own, world.below_others)] == [
        "held",
        "spam",
    ]
    assert Standing.objects.filter(value="bad").exists()


def test_an_author_is_told_no_headline_of_a_draft_that_is_not_theirs(client, world):
    RelatedRead.objects.create(article_id=world.own, target_id=world.others)
    told = [
        client.get(f"{QUEUE}?status=all&story={world.draft}"),
        client.get(STORIES),
        client.get(f"{STORIES}?q=secret"),
        client.get(f"{STORIES}?status__exact=draft"),
        client.get(f"{STORIES}{world.own}/change/"),
        client.get(
            "/admin/autocomplete/",
            {"app_label": "articles", "model_name": "relatedread", "field_name": "target", "term": "e"},
        ),
    ]

    assert ["Their secret" in text_of(response) for response in told] == [False] * len(told)
    assert "Theirs" in text_of(told[-1])


def test_an_author_leads_readers_to_no_draft_of_others(client, world):
    read = {
        "related_reads-TOTAL_FORMS": "1",
        "related_reads-0-label": "also",
        "related_reads-0-target": str(world.draft),
    }
    response = client.post(f"{STORIES}{world.own}/change/", story(section=world.section, **read))

    assert response.status_code == 200
    assert "Their secret" not in text_of(response)
    assert RelatedRead.objects.count() == 0


def test_an_author_keeps_a_related_read_that_an_editor_has_put_there(client, world):
    read = RelatedRead.objects.create(article_id=world.own, target_id=world.draft)
    sent = {
        "related_reads-TOTAL_FORMS": "1",
        "related_reads-INITIAL_FORMS": "1",
        "related_reads-0-id": str(read.pk),
        "related_reads-0-article": str(world.own),
        "related_reads-0-label": "related",
        "related_reads-0-target": str(world.draft),
    }

    response = client.post(f"{STORIES}{world.own}/change/", story(section=world.section, **sent))

    assert response.status_code == 302
    assert list(RelatedRead.objects.values_list("target", "label")) == [(world.draft, "related")]


def test_a_new_story_of_an_author_has_their_byline_whatever_they_send(client, author, world):
    sent = {"bylines-TOTAL_FORMS": "1", "bylines-0-author": str(world.byline), "bylines-0-position": "0"}

    client.post(f"{STORIES}add/", story(section=world.section, **sent))
    client.post(f"{STORIES}{world.own}/change/", story(section=world.section, slug="other", **sent))

    bylines = Byline.objects.filter(article__title="As sent").values_list("article__slug", "author")
    assert sorted(bylines) == [("as-sent", author.author.pk), ("other", author.author.pk)]


def test_an_author_without_a_byline_writes_nothing_and_finds_an_empty_queue(client):
    make_comment(status="held", open_reports=1)
    client.force_login(make_staff(A))

    assert [client.get(address).status_code for address in (STORIES, f"{STORIES}add/")] == [403, 403]
    for tab in queue.Tab.values:
        page = client.get(QUEUE, {"status": tab})
        assert (page.status_code, 'class="queue-text"' in text_of(page)) == (200, False)


def test_two_authors_of_one_story_both_change_it_and_moderate_below_it(client, author, world):
    Byline.objects.create(article_id=world.others, author=author.author)

    answers = [
        client.get(f"{STORIES}{world.others}/change/").status_code,
        client.post(f"{QUEUE}{world.below_others}/decide/", {"decision": "approve"}).status_code,
        client.get(f"{STORIES}{world.draft}/change/").status_code,
    ]

    assert answers == [200, 302, 403]
    assert Comment.objects.get(pk=world.below_others).status == "approved"


@pytest.mark.parametrize("role", [M, A, E])
def test_nobody_but_an_administrator_says_whose_account_a_byline_is(client, role):
    user = make_staff(role)
    world = World(user)
    client.force_login(user)
    account = User.objects.get(username="someone")

    client.post(
        f"/admin/articles/author/{world.byline}/change/",
        {"name": "New", "slug": "new", "user": str(account.pk)},
    )

    assert Author.objects.get(pk=world.byline).user is None


@pytest.mark.parametrize("role", ROLES)
def test_only_an_administrator_tries_settings_on_the_past(client, role):
    client.force_login(make_staff(role))

    response = client.post(
        "/admin/comments/discussionsettings/try/", model_to_dict(DiscussionSettings.load())
    )

    assert response.status_code == (200 if role == X else 403)


@pytest.mark.parametrize("role", ROLES)
def test_the_front_page_of_the_admin_names_what_a_role_has_pages_of(client, role):
    user = make_staff(role)
    World(user)
    client.force_login(user)

    models = set(re.findall(r'<tr class="model-(\w+)', text_of(client.get("/admin/"))))

    comments = {"comment", "change", "mailchoice"}
    everywhere = {*comments, "standing"}
    story_desk = {"article", "image", "section", "topic"}
    named = {
        NOBODY: {"mailchoice"},
        M: everywhere,
        A: {*comments, *story_desk},
        E: {*everywhere, *story_desk, "author"},
    }
    if role == X:
        assert models >= {*everywhere, *story_desk, "author", "discussionsettings", "mail", "user", "group"}
    else:
        assert models == named[role]


# --- What belongs to a person does not keep an administrator from deleting ---


def test_an_administrator_deletes_an_account_with_all_that_is_its_own(client):
    client.force_login(make_staff(X))
    gone = make_staff(M)
    MailChoice.objects.create(user=gone)
    make_comment(status="held").approve(by=gone)

    response = client.post(f"/admin/auth/user/{gone.pk}/delete/", {"post": "yes"})

    assert (response.status_code, User.objects.filter(pk=gone.pk).exists()) == (302, False)


@pytest.mark.parametrize("role", [E, X])
def test_a_story_is_deleted_with_its_comments_and_their_history(client, role):
    client.force_login(make_staff(role))
    comment = make_comment(status="held")
    comment.approve(by=make_editor())

    response = client.post(f"{STORIES}{comment.article_id}/delete/", {"post": "yes"})

    assert (response.status_code, Comment.objects.count()) == (302, 0)


# --- “View on site” ---

REDIRECT = "/admin/r/{}/{}/"


def things_seen_on_the_site() -> dict[str, Any]:
    """One of each kind that has a page of its own, of the person signed in or of someone else."""
    user = User.objects.get(username="viewer")
    own, others = make_author(name="Me", user=user, slug="me"), make_author(name="Someone Else")
    later = {"published_at": timezone.now() + timedelta(days=1)}
    public = make_article(authors=[others])
    draft = make_article(authors=[others], status="draft", published_at=None)
    return {
        "own draft": make_article(authors=[own], status="draft", published_at=None),
        "own scheduled": make_article(authors=[own], **later),
        "other's draft": draft,
        "other's scheduled": make_article(authors=[others], **later),
        "published": public,
        "held": make_comment(article=public, status="held"),
        "held below own": make_comment(article=make_article(authors=[own]), status="held"),
        "approved": make_comment(article=public),
        "approved below own": make_comment(article=make_article(authors=[own])),
        "approved below a draft": make_comment(article=draft),
        "section": make_section(),
        "topic": make_topic(),
        "author": others,
    }


def seen_on_the_site(client: Client, thing) -> str | int | None:
    """Return where the page of a thing says that it can be seen, or the status without a page."""
    response = client.get(reverse(admin_urlname(thing._meta, "change"), args=[thing.pk]))
    link = re.search(r'<a href="([^"]*)" class="viewsitelink"', text_of(response))
    return response.status_code if response.status_code != 200 else link and link[1]


VIEWED: dict[str, set[str]] = {
    "own draft": STORY_DESK,
    "own scheduled": STORY_DESK,
    "other's draft": {E, X},
    "other's scheduled": {E, X},
    "published": STORY_DESK,
    "held": EVERYWHERE,
    "held below own": ALL,
    "approved": EVERYWHERE,
    "approved below own": ALL,
    "approved below a draft": EVERYWHERE,
    "section": STORY_DESK,
    "topic": STORY_DESK,
    "author": {E, X},
}


@pytest.mark.parametrize("role", ROLES)
def test_a_link_to_the_site_leads_straight_to_what_this_role_may_see(client, role):
    client.force_login(make_staff(role, username="viewer"))
    things = things_seen_on_the_site()
    previewed = {"own draft", "own scheduled", "other's draft", "other's scheduled"}
    hidden = {"held", "held below own", "approved below a draft"}

    def expected(name: str, thing) -> str | int | None:
        if role not in VIEWED[name]:
            return 403
        if name in hidden:
            return None
        return f"/preview/{thing.pk}/" if name in previewed else thing.get_absolute_url()

    assert {name: seen_on_the_site(client, thing) for name, thing in things.items()} == {
        name: expected(name, thing) for name, thing in things.items()
    }


@pytest.mark.parametrize("role", ROLES)
def test_no_address_of_the_admin_tells_where_another_thing_is_on_the_site(client, role):
    client.force_login(make_staff(role, username="viewer"))
    things = things_seen_on_the_site()

    answers = {
        name: client.get(REDIRECT.format(ContentType.objects.get_for_model(thing).pk, thing.pk))
        for name, thing in things.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(things, 404)
    assert not any("Location" in answer for answer in answers.values())


def test_no_page_of_the_admin_relies_on_that_address():
    with_a_page = [page for model, page in site._registry.items() if hasattr(model, "get_absolute_url")]

    assert len(with_a_page) > 4
    assert [page for page in with_a_page if not callable(page.view_on_site)] == []


# --- The migration ---

UPGRADE = """
import django
django.setup()
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

def roles():
    return {group.name: group.permissions.count() for group in Group.objects.order_by("name")}

call_command("migrate", "auth", verbosity=0)
call_command("migrate", "comments", "0013", verbosity=0)
own = Group.objects.create(name="Editor")
ada = User.objects.create_user("ada")
print(roles())
call_command("migrate", verbosity=0)
first = roles()
ada.groups.add(Group.objects.get(name="Author"))
call_command("migrate", "comments", "0013", verbosity=0)
call_command("migrate", verbosity=0)
print(first == roles(), first["Editor"], first["Administrator"] >= Permission.objects.count() - 1)
print(sorted(first), [group.name for group in ada.groups.all()])
"""


def test_the_migration_works_on_an_upgraded_site_twice_and_back(tmp_path):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3"}
    environment["DJANGO_SETTINGS_MODULE"] = "newsite.settings"

    result = subprocess.run(
        [sys.executable, "-c", UPGRADE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stdout.splitlines(), result.returncode) == (
        [
            "{'Editor': 0}",
            "True 0 True",
            "['Administrator', 'Author', 'Editor', 'Moderator'] ['Author']",
        ],
        0,
    )


def test_an_administrator_may_do_all_that_there_is_a_permission_for():
    everything = set(Permission.objects.values_list("pk", flat=True))

    assert set(make_staff(X).groups.get().permissions.values_list("pk", flat=True)) == everything


def test_the_roles_name_permissions_that_there_are():
    known = {
        f"{one.content_type.app_label}.{one.codename}"
        for one in Permission.objects.select_related("content_type")
    }

    assert {name for names in migration.ROLES.values() for name in names} - known == set()
