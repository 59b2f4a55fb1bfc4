from django.conf import settings
from django.db import migrations
from django.db.models import Max, OuterRef, Subquery

# So many changes of the history are written at once.
STEP = 10_000


def keep_names(apps, schema_editor):
    """Write the names that are missing. Broken off, it goes on where it was."""
    accounts = apps.get_model(settings.AUTH_USER_MODEL).objects.filter(pk=OuterRef("by"))
    changes = apps.get_model("comments", "Change").objects.all()
    newest = changes.aggregate(newest=Max("pk"))["newest"] or 0
    for start in range(0, newest, STEP):
        step = changes.filter(pk__gt=start, pk__lte=start + STEP, by_name="").exclude(by=None)
        step.update(by_name=Subquery(accounts.values("username")[:1]))


class Migration(migrations.Migration):
    # Each step is kept, and nobody waits longer than for one.
    atomic = False

    dependencies = [
        ("comments", "0022_names_in_the_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
    ]
