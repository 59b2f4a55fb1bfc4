"""What lets somebody in, or acts for them: no name of a row, page, log entry or filter tells it."""

import re

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse

from tests.factories import make_editor

# The fields of each model that hold something secret, or what a secret could be told from.
SECRET = {
    "auth.User": {"password"},
    "axes.AccessAttempt": {"get_data", "post_data"},
    "axes.AccessLog": {"session_hash"},
    "comments.AccessLink": {"digest"},
    "mail.Mail": {"text", "html", "headers"},
    "otp_static.StaticToken": {"token"},
    "otp_totp.TOTPDevice": {"key"},
    "staff.SecondFactor": {"key"},
    "staff.Session": {"session_key", "session_data", "auth_hash", "public_id"},
}
# Fields that only sound like it: spellings that find a person again, and a hash that opens nothing.
NOT_SECRET = {"comments.Standing": {"key"}, "comments.Mailbox": {"digest"}}
# Nothing is ever in this table: `staff.Session` takes its place.
EMPTY = {"sessions.Session"}
SUSPICIOUS = re.compile("key|token|secret|digest|password|hash|session_data|public_id|signature")
MARKER = "s3cr3t"

MODELS = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}
with_secrets = pytest.mark.parametrize("label", sorted(SECRET))


def text_fields(model: type[models.Model]) -> set[str]:
    kinds = models.CharField | models.TextField | models.BinaryField | models.JSONField
    return {field.name for field in model._meta.fields if isinstance(field, kinds)}


def make(label: str) -> models.Model:
    """Return an unsaved row with a marker in all that is secret, of an account where it has one."""
    model = MODELS[label]
    owner = {field.name: User(username="ada") for field in model._meta.fields if field.name == "user"}
    return model(**dict.fromkeys(SECRET[label], MARKER), **owner)


def test_a_field_that_sounds_secret_is_known_here():
    unknown = {
        f"{label}.{name}"
        for label, model in MODELS.items()
        if label not in EMPTY
        for name in text_fields(model) - SECRET.get(label, set()) - NOT_SECRET.get(label, set())
        if SUSPICIOUS.search(name)
    }

    assert unknown == set()


@with_secrets
def test_the_fields_that_are_known_here_are_there(label):
    assert SECRET[label] - text_fields(MODELS[label]) == set()


@with_secrets
def test_the_name_of_a_row_tells_no_secret(label):
    row = make(label)

    assert MARKER not in f"{row} {row!r}"


@pytest.mark.django_db
@with_secrets
def test_neither_do_the_page_that_deletes_it_and_the_log(label, client, rf):
    row = make(label)
    request = rf.get("/")
    request.user = make_editor()
    LogEntry.objects.log_actions(request.user.pk, [row], DELETION, single_object=True)

    assert MARKER not in LogEntry.objects.get().object_repr


@pytest.mark.django_db
@pytest.mark.parametrize("label", [label for label in sorted(SECRET) if site.is_registered(MODELS[label])])
def test_no_filter_of_an_address_tells_it_bit_by_bit(label, client):
    client.force_login(make_editor())
    address = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")

    statuses = {
        client.get(f"{address}?{name}__{lookup}=a").status_code
        for name in SECRET[label]
        for lookup in ["startswith", "contains", "gt"]
    }

    assert statuses == {400}


def relations_to_secret_keys() -> list[tuple[str, str]]:
    """Return each page with a list, and each name that leads from its rows to a row whose key is secret."""
    return [
        (model._meta.label, relation.name)
        for model in site._registry
        for relation in model._meta.get_fields()
        if (other := getattr(relation.related_model, "_meta", None))
        and other.pk.name in SECRET.get(other.label, set())
    ]


def test_sessions_are_such_rows():
    assert relations_to_secret_keys() == [("auth.User", "browser_sessions")]


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "relation"), relations_to_secret_keys())
@pytest.mark.parametrize("lookup", ["gt", "in", "pk__gt", "pk__startswith"])
def test_no_filter_tells_the_key_of_a_row_that_belongs_to_another(label, relation, lookup, client):
    """Django lets an address compare the keys of related rows."""
    client.force_login(make_editor())
    address = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")

    assert client.get(f"{address}?{relation}__{lookup}=a").status_code == 400
