from django.conf import settings
from django.db import migrations
from django.db.models import OuterRef, Subquery


def keep_names(apps, schema_editor):
    accounts = apps.get_model(settings.AUTH_USER_MODEL).objects.filter(pk=OuterRef("by"))
    changes = apps.get_model("comments", "Change").objects.exclude(by=None)
    changes.update(by_name=Subquery(accounts.values("username")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0022_names_in_the_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
    ]
