from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

NAMES = [
    "addresses",
    "reporters",
    "subscribers",
    "mails",
    "staff-notices",
    "notices",
    "standings",
    "spam",
    "trash",
]
WEEK = timedelta(days=7)


def begin(apps, schema_editor):
    """Let a new site's timers run, and those of a site that has never deleted anything wait a week."""
    has_data = any(
        apps.get_model(name).objects.exists()
        for name in ("comments.Comment", "mail.Mail", "comments.Subscriber")
    )
    has_deleted_before = apps.get_model("comments", "Housekeeping").objects.exists()
    begins_at = timezone.now() + WEEK if has_data and not has_deleted_before else None
    for name in NAMES:
        apps.get_model("comments", "Timer").objects.get_or_create(
            name=name, defaults={"begins_at": begins_at}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0037_notes_are_for_the_person_too"),
        ("mail", "0006_mails_that_wait_for_the_server"),
    ]

    operations = [
        migrations.CreateModel(
            name="Timer",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("begins_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "timer", "verbose_name_plural": "timers"},
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
