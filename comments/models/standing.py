from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from articles.models import LAST_DATE
from comments import matching
from comments.addresses import mailbox
from comments.models.comment import Comment, CommentQuerySet
from comments.models.history import Decision
from newsite.origin import network_of

# Of so many comments the keys are looked up at a time: each may have a hundred and more.
LOOKED_UP = 100
# What has ended is kept so long, for moderators to look it up.
ENDED_KEPT = timedelta(days=90)


class StandingQuerySet(models.QuerySet["Standing"]):
    def in_force(self):
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))

    def forgettable(self):
        """Return what has ended so long ago that nobody asks about the person any more."""
        return self.filter(ends_at__lt=timezone.now() - ENDED_KEPT)

    def about(self, email: str):
        """Return what moderators have said of an address itself, alone or with a name."""
        email = mailbox(email)
        keys = [email, Standing.hidden_key(Standing.Kind.EMAIL, email)]
        address = models.Q(kind=Standing.Kind.EMAIL, key__in=keys)
        person = models.Q(kind=Standing.Kind.PERSON, key__endswith=f" <{email}>")
        return self.filter(address | person)

    def about_the_writer_of(self, comments: CommentQuerySet, email: str):
        """Return these, and the bans of a name, website or IP address that nobody else has commented with.

        `comments` are all that were written with the address.
        """
        rows = comments.values_list("name", "website", "ip_address").distinct()
        found: dict[tuple[str, str], dict[str, set]] = defaultdict(lambda: defaultdict(set))
        for name, website, ip_address in rows:
            found[Standing.Kind.NAME, matching.name_key(name)]["spelling"].add(matching.spelling(name))
            found[Standing.Kind.WEBSITE, matching.host_of(website)]["website"].add(website)
            for network in _own_networks(ip_address):
                found[Standing.Kind.ADDRESS, network]["ip_address"].add(ip_address)
        others = Comment.objects.exclude(pk__in=comments.values("pk"))
        bans = self.filter(kind__in={kind for kind, _key in found}, key__in={key for _kind, key in found})
        own = []
        for ban in bans:
            said = found.get((ban.kind, ban.key), {})
            shared = models.Q.create([models.Q(**{f"{name}__in": values}) for name, values in said.items()])
            if said and ban.value and not others.filter(shared).exists():
                own.append(ban.pk)
        return self.about(email) | self.filter(pk__in=own)

    def of(self, comment: Comment):
        """Return what moderators have said of whoever wrote a comment, bans first."""
        keys = Standing.keys_of(comment)
        found = models.Q()
        for kind, values in keys.items():
            found |= models.Q(kind=kind, key__in=values)
        return self.in_force().filter(found).order_by("standing", "pk")

    def first_of(self, comments: list[Comment]) -> "dict[int, Standing]":
        """Return by comment what counts of what moderators have said of who wrote it: a ban first."""
        found: dict[int, Standing] = {}
        for start in range(0, len(comments), LOOKED_UP):
            found |= self._first_of(comments[start : start + LOOKED_UP])
        return found

    def _first_of(self, comments: list[Comment]) -> "dict[int, Standing]":
        keys = {comment.pk: Standing.keys_of(comment) for comment in comments}
        kinds = {kind for of_one in keys.values() for kind in of_one}
        values = {value for of_one in keys.values() for its in of_one.values() for value in its}
        # Of another kind than its own a value is hardly ever found; below it is seen to.
        found = self.in_force().filter(kind__in=kinds, key__in=values)
        standings = list(found.order_by("standing", "pk"))
        return {
            pk: standing
            for pk, of_one in keys.items()
            for standing in reversed(standings)
            if standing.key in of_one.get(standing.kind, [])
        }

    def bulk_create(self, objs, *args: Any, **how: Any):
        standings = list(objs)
        for standing in standings:
            standing.note_key()
        return super().bulk_create(standings, *args, **how)


class Standing(models.Model):
    """What a moderator thinks of a person: bans, and people who are trusted."""

    class State(models.TextChoices):
        BANNED = "banned", _("Banned")
        TRUSTED = "trusted", _("Trusted")

    class Kind(models.TextChoices):
        EMAIL = "email", _("Email address, or @domain")
        ADDRESS = "address", _("IP address or network")
        NAME = "name", _("Name")
        WEBSITE = "website", _("Website")
        # Trusted are only these two. Whoever types an address that is not theirs knows it, but
        # readers never see addresses; nobody is trusted for a name.
        PERSON = "person", _("Name and email address together")
        ACCOUNT = "account", _("Account")

    standing = models.CharField(_("standing"), max_length=10, choices=State)
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    value = models.CharField(
        _("value"),
        max_length=matching.KEY_LENGTH,
        help_text=_("Name and email address together are written like “Ada <ada@example.com>”."),
    )
    # The value as it is looked for: one for all spellings.
    key = models.CharField(max_length=matching.KEY_LENGTH, default="", db_default="", editable=False)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: for good."))
    note = models.CharField(
        _("note"),
        max_length=400,
        blank=True,
        help_text=_("For moderators, and for the person: whoever exports their data reads it."),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    decision = models.ForeignKey(
        Decision, on_delete=models.SET_NULL, null=True, editable=False, related_name="standings"
    )

    objects = StandingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("banned or trusted person")
        verbose_name_plural = _("banned and trusted people")
        indexes = [models.Index(fields=["kind", "key"], name="standing_key")]

    def __str__(self) -> str:
        """Name nobody: the admin's log keeps this for ever."""
        return _("%(standing)s, number %(number)s") % {
            "standing": self.get_standing_display(),
            "number": self.pk,
        }

    def save(self, **kwargs):
        self.note_key()
        super().save(**kwargs)

    def note_key(self) -> None:
        if not self.is_hidden:
            self.key = self.key_of(self.kind, self.value)

    @property
    def is_hidden(self) -> bool:
        """Whether it is about someone who had erased who they are: it works, and tells nobody who that is."""
        return not self.value

    @property
    def who(self) -> str:
        return self.value or str(_("someone who was erased"))

    def hide(self) -> None:
        """Keep a ban in force, and nothing that tells who is banned."""
        if not self.is_hidden:
            self.key, self.value, self.note = self.hidden_key(self.kind, self.key), "", ""
            self.save()

    def clean(self):
        """Put the value into the form that `keys_of()` finds it under, or say what is wrong with it."""
        if self.ends_at and timezone.localtime(self.ends_at).year > LAST_DATE.year:
            raise ValidationError({"ends_at": _("Enter a year up to 2999.")})
        if not self.value:
            return
        try:
            self.value = self.normal(self.kind, self.value)
        except ValueError as error:
            raise ValidationError({"value": str(error)}) from error
        accounts = get_user_model().objects.filter(username=self.value)
        if self.kind == self.Kind.ACCOUNT and not accounts.exists():
            raise ValidationError({"value": _("There is no account with this username.")})
        trusts_one = self.kind in {self.Kind.PERSON, self.Kind.ACCOUNT}
        if self.standing == self.State.TRUSTED and not trusts_one:
            raise ValidationError(
                {"kind": _("Trust a name and an email address together, or an account: others can be typed.")}
            )

    @classmethod
    def normal(cls, kind: str, value: str) -> str:
        """Return a value as it is stored and compared. Raises `ValueError`, in words for a moderator."""
        value = value.strip()
        if kind in {cls.Kind.EMAIL, cls.Kind.ADDRESS}:
            normal = matching.normal_address(value)
            if normal is None or ("@" in normal) != (kind == cls.Kind.EMAIL):
                raise ValueError(
                    _("Enter an email address like name@example.com, or @example.com for a whole domain.")
                    if kind == cls.Kind.EMAIL
                    else _("Enter an IP address like 192.0.2.7, or a network like 192.0.2.0/24.")
                )
            if matching.is_too_large(normal):
                raise ValueError(
                    _(
                        "A good part of all readers is in this network. Name one of /8 or smaller, in IPv6 /16."
                    )
                )
            return normal
        if kind == cls.Kind.WEBSITE:
            host = matching.host_of(value)
            if not host:
                raise ValueError(_("Enter a website like https://example.com."))
            return host
        if kind == cls.Kind.PERSON:
            name, _space, email = value.rpartition(" ")
            email = mailbox(email.strip("<>"))
            is_one_address = "@" in email[1:] and matching.normal_address(email) is not None
            if not name or not is_one_address:
                raise ValueError(_("Write both like “Ada <ada@example.com>”."))
            return f"{name} <{email}>"
        if kind == cls.Kind.ACCOUNT:
            return value
        name = matching.name_key(value)
        if not name:
            raise ValueError(_("Enter a name that readers can see."))
        return name

    @classmethod
    def key_of(cls, kind: str, value: str) -> str:
        """Return under what a normal value is found."""
        if kind != cls.Kind.PERSON:
            return value
        name, _space, email = value.rpartition(" ")
        return cls.person_key(name, email.strip("<>"))

    @classmethod
    def keys_of(cls, comment: Comment) -> dict[str, list[str]]:
        """Return under which values whoever wrote a comment may be found, by kind, hidden ones too."""
        found: dict[str, list[str]] = {kind: cls.keys(kind, comment) for kind in cls.Kind}
        # What tells one person from others. A domain or a larger network is that of many.
        own: dict[str, list[str]] = {
            **{
                kind: found[kind][:1]
                for kind in (cls.Kind.EMAIL, cls.Kind.NAME, cls.Kind.WEBSITE, cls.Kind.PERSON)
            },
            cls.Kind.ADDRESS: _own_networks(comment.ip_address),
        }
        for kind, values in own.items():
            found[kind] += [cls.hidden_key(kind, value) for value in values]
        return found

    @staticmethod
    def hidden_key(kind: str, key: str) -> str:
        """Return a key that finds the same, and tells nobody what it finds."""
        return f"#{salted_hmac('comments.standings', f'{kind} {key}', algorithm='sha256').hexdigest()}"

    @classmethod
    def keys(cls, kind: str, comment: Comment) -> list[str]:
        """Return under which values of one kind whoever wrote a comment may be found."""
        if kind == cls.Kind.EMAIL:
            return matching.email_keys(comment.email)
        if kind == cls.Kind.ADDRESS:
            return matching.network_keys(comment.ip_address)
        if kind == cls.Kind.NAME:
            return [matching.name_key(comment.name)]
        if kind == cls.Kind.WEBSITE:
            return matching.host_keys(comment.website)
        if kind == cls.Kind.ACCOUNT:
            return [cls.account(comment.user)] if comment.user_id else []
        return [cls.person_key(comment.name, comment.email)] if comment.email and not comment.user_id else []

    @classmethod
    def trust_in(cls, comment: Comment) -> "Standing | None":
        """Return what would trust whoever wrote a comment. None where they could not be known again."""
        if comment.user_id:
            kind, value = cls.Kind.ACCOUNT, cls.account(comment.user)
        elif comment.email:
            kind, value = cls.Kind.PERSON, f"{comment.name} <{mailbox(comment.email)}>"
        else:
            return None
        standing = cls(standing=cls.State.TRUSTED, kind=kind, value=value)
        standing.note_key()
        return standing

    @staticmethod
    def person_key(name: str, email: str) -> str:
        return f"{matching.spelling(name)} <{mailbox(email)}>"

    @staticmethod
    def account(user) -> str:
        return user.get_username()


def _own_networks(ip_address: str | None) -> list[str]:
    """Return what an address is banned by: itself, and the network of one sender."""
    return (
        [*dict.fromkeys([matching.network_keys(ip_address)[0], network_of(ip_address)])] if ip_address else []
    )
