"""Addresses, names and websites that were kept as they had been typed get their one spelling."""

from urllib.parse import urlsplit

from django.db import migrations, transaction

from comments.addresses import mailbox
from comments.matching import name_key, spelling

# So many rows are read and written at once.
STEP = 1_000


def in_steps(rows):
    """Return rows in lists that are read one after the other, in the order of their ids."""
    last = 0
    while step := list(rows.filter(pk__gt=last).order_by("pk")[:STEP]):
        last = step[-1].pk
        yield step


def write(rows, fields, changed):
    """Let `changed` change each row, and write those that have come out different."""
    for step in in_steps(rows.only(*fields)):
        before = [[getattr(row, field) for field in fields] for row in step]
        for row in step:
            changed(row)
        different = [
            row
            for row, was in zip(step, before, strict=True)
            if was != [getattr(row, field) for field in fields]
        ]
        rows.bulk_update(different, fields, batch_size=100)


def without_user(website):
    """Return a website without what stands before an @, and nothing where that was an email address."""
    try:
        parts = urlsplit(website)
    except ValueError:
        return ""
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return website
    is_mailbox = ":" not in user and parts.path in {"", "/"}
    return "" if is_mailbox else parts._replace(netloc=host).geturl()


def respell_comment(comment):
    comment.email, comment.spelling = mailbox(comment.email), spelling(comment.name)
    comment.website = without_user(comment.website)


def respell_standing(standing):
    if standing.kind == "email":
        standing.value = mailbox(standing.value)
    elif standing.kind == "name":
        standing.value = name_key(standing.value)
    standing.key = standing.value
    if standing.kind == "person":
        name, _space, email = standing.value.rpartition(" ")
        email = mailbox(email.strip("<>"))
        standing.value, standing.key = f"{name} <{email}>", f"{spelling(name)} <{email}>"


def respell_change(change):
    change.before = {**change.before, "email": mailbox(change.before["email"])}


def respell_link(link):
    link.email = mailbox(link.email)


def respell_mail(mail):
    # In what capitals a mail is sent makes no difference to whoever looks for it.
    if mailbox(mail.recipient) != mail.recipient.lower():
        mail.recipient = mailbox(mail.recipient)


def respell(apps, schema_editor):
    """Write what is different. Broken off, it goes on where it was."""
    comments, mails = apps.get_app_config("comments"), apps.get_app_config("mail")
    write(
        comments.get_model("Comment").objects.all(), ["email", "name", "spelling", "website"], respell_comment
    )
    write(comments.get_model("Standing").objects.all(), ["kind", "value", "key"], respell_standing)
    # The model itself lets nobody rewrite the history.
    changes = apps.get_model("comments", "Change")._base_manager.filter(before__has_key="email")
    write(changes, ["before"], respell_change)
    write(comments.get_model("AccessLink").objects.exclude(email=""), ["email"], respell_link)
    write(mails.get_model("Mail").objects.all(), ["recipient"], respell_mail)
    for step in in_steps(comments.get_model("Subscriber").objects.all()):
        for subscriber in step:
            respell_subscriber(apps, subscriber)


@transaction.atomic
def respell_subscriber(apps, subscriber):
    """Give a subscriber the one spelling, or whoever has that already all that is this one's."""
    email = mailbox(subscriber.email)
    if email == subscriber.email:
        return
    Subscriber = apps.get_model("comments", "Subscriber")
    if other := Subscriber.objects.filter(email=email).first():
        move(apps, subscriber, other)
        subscriber.delete()
        other.save()
    else:
        subscriber.email = email
        subscriber.save()


def move(apps, other, subscriber):
    """Give a subscriber all that another has who is the same person. What was done last counts."""
    apps.get_model("comments", "Subscription").objects.filter(subscriber=other).update(subscriber=subscriber)
    notices = apps.get_model("comments", "Notice").objects
    known = notices.filter(subscriber=subscriber).values_list("comment", flat=True)
    notices.filter(subscriber=other).exclude(comment__in=list(known)).update(subscriber=subscriber)
    for name in ("confirmation_sent_at", "confirmed_at", "stopped_at"):
        times = [getattr(one, name) for one in (other, subscriber) if getattr(one, name)]
        setattr(subscriber, name, max(times, default=None))
    confirmed, stopped = subscriber.confirmed_at, subscriber.stopped_at
    if confirmed and stopped:
        kept = "confirmed_at" if confirmed > stopped else "stopped_at"
        setattr(subscriber, "stopped_at" if kept == "confirmed_at" else "confirmed_at", None)


class Migration(migrations.Migration):
    # Each step is kept, and nobody waits longer than for one.
    atomic = False

    dependencies = [
        ("comments", "0029_people_by_one_spelling"),
        ("mail", "0004_mails_by_age"),
    ]

    operations = [
        migrations.RunPython(respell, migrations.RunPython.noop, elidable=True),
    ]
