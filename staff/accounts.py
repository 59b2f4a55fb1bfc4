"""What becomes of the account of somebody who leaves: it is made inactive, or deleted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.translation import gettext as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.models import RecoveryCodes, SecondFactor, Session, Signature

USERNAME_LENGTH = 100
# What an owner reads of, by the names that we have for it.
OUR_NAMES: dict[type[models.Model], type[models.Model]] = {
    TOTPDevice: SecondFactor,
    StaticDevice: RecoveryCodes,
}


@transaction.atomic
def make_inactive(user: User) -> None:
    """Let nobody sign in with the account. All that it has done stays as it is."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    Session.objects.end_others(user, None)


@transaction.atomic
def delete(user: User) -> None:
    """Delete an account. What it did in the admin stays in the log, under the name that it had.

    Django deletes the entries of an account with it, and so does `user.delete()` in a shell.
    """
    entries = LogEntry.objects.filter(user=user)
    if entries.exists():
        entries.update(user=_signature_of(user))
    user.delete()


def _signature_of(user: User) -> User:
    # No form takes such a name, so nobody has it.
    name = _("%(name)s (deleted account %(id)d)") % {
        "name": user.get_username()[:USERNAME_LENGTH],
        "id": user.pk,
    }
    account = User.objects.create_user(name, is_active=False)
    Signature.objects.create(account=account)
    return account


def goes_with(users: Iterable[User]) -> Counter[str]:
    """Count what is deleted with accounts, by what it is called."""
    return _count(users, models.CASCADE, but=LogEntry)


def keeps(users: Iterable[User]) -> Counter[str]:
    """Count what keeps accounts from being deleted, by what it is called."""
    return _count(users, models.PROTECT)


def _count(users: Iterable[User], on_delete, but: type[models.Model] | None = None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel):
            continue  # a field of the account itself
        model: Any = relation.related_model
        # A table that only joins two others is nothing that an owner knows of.
        if relation.on_delete is on_delete and model is not but and not model._meta.auto_created:
            name = OUR_NAMES.get(model, model)._meta.verbose_name_plural
            counts[str(name)] += model._base_manager.filter(**{f"{relation.field.name}__in": users}).count()
    return +counts
