from django.db import migrations, models
from django.db.models import F


def each_sender_counts(apps, schema_editor):
    """Let reports of before count as they did: nobody knows any more of what networks they came."""
    apps.get_model("comments", "Report").objects.update(neighbourhood=F("sender"))


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0038_timers"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="accesslink", name="access_link_sender"),
        migrations.RemoveField(model_name="accesslink", name="sender"),
        migrations.AddField(
            model_name="report",
            name="neighbourhood",
            field=models.CharField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(each_sender_counts, migrations.RunPython.noop, elidable=True),
        migrations.RemoveIndex(model_name="comment", name="comment_sender"),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(fields=["article", "spelling", "-id"], name="comment_said"),
        ),
    ]
