"""A small newspaper that has a page of every kind, for the tests that go through them all."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.test import Client

from articles.models import Article, Author, RelatedRead, Section, Topic
from comments import moderator_mails, notifications, questions
from comments.models import Comment
from comments.subscriptions import Subscriber, Subscription
from mail.models import Mail
from tests.browser.reply_form import an_hour_passes
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_image,
    make_section,
    make_topic,
    make_user,
    reply_to,
)
from tests.givens import announced

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
BODY = f"""
<p>“We saw the water come,” said the keeper, “and then we saw nothing.” See <a href="https://example.com/">the gauge</a>.</p>
<h2>What the gauge says</h2>
<p>{LONG_WORD}</p>
<blockquote><p>Nobody asked us.</p></blockquote>
<ul><li>One bridge</li><li>Two roads</li></ul>
<table><thead><tr><th scope="col">Hour</th><th scope="col">Level in centimetres above the long-time mean</th></tr></thead>
<tbody><tr><td>6</td><td>{"12345 " * 30}</td></tr></tbody></table>
<pre><code>{"level = measure() # " * 20}</code></pre>
<p>The end.</p>
"""


@dataclass
class Newspaper:
    section: Section
    author: Author
    topic: Topic
    story: Article
    quiet: Article
    closed: Article
    draft: Article
    top: Comment
    deepest: Comment
    held_address: str
    subscriber: Subscriber
    links_to_decide: dict[str, str]

    @property
    def reply_address(self) -> str:
        return f"{self.story.get_absolute_url()}reply/"

    @property
    def addresses(self) -> dict[str, str]:
        """Where a visitor finds each kind of page, the one for errors in the form excepted."""
        story = self.story.get_absolute_url()
        return {
            "home": "/",
            "section list": self.section.get_absolute_url(),
            "topic": self.topic.get_absolute_url(),
            "author": self.author.get_absolute_url(),
            "year": story[:6],
            "month": story[:9],
            "archive": "/archive/",
            "topics": "/topics/",
            "authors": "/authors/",
            "story with comments": story,
            "newest comments first": f"{story}?order=newest",
            "all comments on one page": f"{story}replies/",
            "story without comments": self.quiet.get_absolute_url(),
            "closed story": self.closed.get_absolute_url(),
            "reply page": f"{self.reply_address}?to={self.top.pk}",
            "held page": self.held_address,
            "edit page": f"{self.held_address}edit/",
            "delete page": f"{self.held_address}delete/",
            "my comments": "/comments/mine/",
            "mails to confirm": f"/comments/mail/confirm/{self.subscriber.confirm_token}/",
            "mails to end": f"/comments/mail/stop/{self.subscriber.stop_token(self.story)}/",
            "mails to end for good": questions.never_link("ada@example.com").removeprefix(settings.SITE_URL),
            "decision by mail": self.links_to_decide["Approve"],
            "mails to moderators to end": self.links_to_decide["Unsubscribe from these emails"],
            "report page": f"{self.top.get_absolute_url()}report/",
            "thanks for a report": f"{story}reported/",
            "404": "/there/is/nothing/here/",
        }


def found() -> Newspaper:
    section = make_section(name="Rivers and coasts", description="What the water does.")
    author = make_author(name="Ida Strand", biography="Ida has written on water since 2009.")
    topic = make_topic(name="Floods")
    image = make_image(caption="The gauge at noon.", credit="Photo: Ida Strand")
    related = make_article(title="How a gauge works", section=section, authors=[author])
    story = make_article(
        title="The river took the lower bridge",
        standfirst="Two roads are closed, and a village is cut off.",
        body=BODY,
        section=section,
        lead_image=image,
        authors=[author, make_author(name="Ben Okafor")],
        topics=[topic],
    )
    RelatedRead.objects.create(article=story, target=related, after_paragraph=1)
    closed = make_article(title="A closed conversation", section=section, discussion="closed")
    make_comment(article=closed, name="Ola", body="I was in time.", user=make_user(is_staff=True))

    top = make_comment(article=story, name="Ada", website="https://ada.example/", body=f"See {LONG_WORD}.")
    comment = top
    for level, name in enumerate(["Bo", "Cleo", "Dan", "Eva", "Finn", "Gro"], start=2):
        comment = reply_to(comment, name=name, body=f"Level {level}. https://example.com/{'path' * 40}")
    gone = make_comment(article=story, status=Comment.Status.TRASH)
    reply_to(gone, name="N" * 100, body="> quoted\n\n- a list\n- of two\n\n`code`\n\n    " + "block " * 40)
    return Newspaper(
        section=section,
        author=author,
        topic=topic,
        story=story,
        quiet=make_article(title="A story without a reply", section=section, authors=[author]),
        closed=closed,
        draft=make_article(title="Not yet", status=Article.Status.DRAFT, published_at=None),
        top=top,
        deepest=comment,
        held_address=held_address(story, top),
        subscriber=subscribed(top),
        links_to_decide=links_to_decide(),
    )


def held_address(story: Article, parent: Comment) -> str:
    """Post a first comment, and return where its author sees it."""
    response = Client().post(
        f"{story.get_absolute_url()}reply/",
        {"body": "Held *for now*.", "name": "Hilde", "email": "hilde@example.com", "parent": parent.pk},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert response.status_code == 303
    an_hour_passes()
    return response["Location"]


def link_in_a_mail() -> str:
    """Ask for everything that Hilde wrote, and return where the link leads that she gets."""
    Client().post(
        "/comments/mine/", {"email": "hilde@example.com"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    return re.search(r"/comments/mine/link/\S+", Mail.objects.get(recipient="hilde@example.com").text)[0]


def links_to_decide() -> dict[str, str]:
    """Return where the links lead of the mail about Hilde's comment that a moderator gets."""
    moderator = make_user(username="mo", email="mo@newsroom.example", is_staff=True, is_superuser=True)
    moderator_mails.send_due()
    (mail,) = Mail.objects.filter(recipient=moderator.email)
    return dict(re.findall(r"^(.+): https?://[^/]+(/comments/moderate/\S+)", mail.text, re.M))


def subscribed(comment: Comment) -> Subscriber:
    """Let the author of a comment ask for mails, and return who is asked to confirm that."""
    notifications.subscribe(comment, Subscription.Scope.STORY)
    announced(comment)
    return Subscriber.objects.get()


def each_with(addresses: dict[str, str], look: Callable[[str], list]) -> dict[str, list]:
    """Look at every page, and return what was found there, of the pages where it was anything."""
    return {name: faults for name, address in addresses.items() if (faults := look(address))}
