"""Who may do what: every role with every address of the admin that reads or changes something."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.forms import model_to_dict
from django.test import Client

from comments.discussion import DiscussionSettings
from comments.models import Comment, Standing
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
)

pytestmark = pytest.mark.django_db

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
        return client.get(address) if self.data is None else client.post(address, self.data(world))


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
    Action("see everything of a person", EVERYWHERE, f"{QUEUE}{{below_own}}/everything/"),
    Action("erase a person", {E, X}, f"{QUEUE}{{below_own}}/erase/", lambda world: {"texts": "remove"}),
    Action("open delete comment", {E, X}, f"{QUEUE}{{below_own}}/delete/"),
    Action("delete comment", {E, X}, f"{QUEUE}{{below_own}}/delete/", lambda world: {"post": "yes"}),
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
