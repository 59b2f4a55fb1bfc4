"""Takes names and addresses out of what the admin's log says of comments, bans and trust."""

from django.db import migrations

# Of so many lines at a time.
STEP = 500


def forget_people(apps, schema_editor):
    """Leave of a line which row it is about: "Banned: Ada <ada@…>" becomes "Banned, number 9"."""
    log = apps.get_model("admin", "LogEntry")
    for model, renamed in (("standing", _standing), ("comment", _comment)):
        lines = log.objects.filter(content_type__app_label="comments", content_type__model=model)
        reached = 0
        while found := list(lines.filter(pk__gt=reached).order_by("pk")[:STEP]):
            for line in found:
                line.object_repr = renamed(line)
            log.objects.bulk_update(found, ["object_repr"])
            reached = found[-1].pk


def _standing(line) -> str:
    return f"{line.object_repr.partition(':')[0].partition(',')[0]}, number {line.object_id}"


def _comment(line) -> str:
    return f"Comment {line.object_id}"


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0035_addresses_of_before"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forget_people, migrations.RunPython.noop)]
