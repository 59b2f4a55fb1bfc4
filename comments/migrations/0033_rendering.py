from django.db import migrations, models

# The edition that comments of a new site have from the first one on.
FIRST = 1


def where_it_begins(apps, schema_editor):
    """Leave nothing to do where there are no comments yet."""
    if not apps.get_model("comments", "Comment").objects.exists():
        apps.get_model("comments", "Rendering").objects.create(pk=1, edition=FIRST)


class Migration(migrations.Migration):
    dependencies = [("comments", "0032_websites_without_names")]

    operations = [
        migrations.CreateModel(
            name="Rendering",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("edition", models.PositiveIntegerField(default=0)),
                ("reached", models.BigIntegerField(null=True)),
            ],
            options={"verbose_name": "rendering", "verbose_name_plural": "renderings"},
        ),
        migrations.RunPython(where_it_begins, migrations.RunPython.noop),
    ]
