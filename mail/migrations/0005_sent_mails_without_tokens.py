"""Mails that left before the upgrade lose the tokens of their links, as all do from now on."""

from django.db import migrations

from newsite.logs import without_tokens

CHUNK = 500


def clean(apps, schema_editor):
    sent = apps.get_model("mail", "Mail").objects.filter(state="sent").order_by("pk")
    last = 0
    while chunk := list(sent.filter(pk__gt=last).only("text", "html", "headers")[:CHUNK]):
        for mail in chunk:
            mail.text, mail.html = without_tokens(mail.text), without_tokens(mail.html)
            mail.headers = {name: without_tokens(value) for name, value in mail.headers.items()}
        sent.bulk_update(chunk, ["text", "html", "headers"], batch_size=100)
        last = chunk[-1].pk


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_mails_by_age")]

    operations = [migrations.RunPython(clean, migrations.RunPython.noop)]
