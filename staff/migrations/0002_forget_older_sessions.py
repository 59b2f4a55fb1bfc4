from django.db import migrations


class Migration(migrations.Migration):
    """Sessions in Django's own table are read no more: whoever was signed in signs in again."""

    dependencies = [("staff", "0001_sessions"), ("sessions", "0001_initial")]

    operations = [migrations.RunSQL("DELETE FROM django_session", migrations.RunSQL.noop)]
