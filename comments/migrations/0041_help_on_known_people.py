from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0040_help_on_senders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="discussionsettings",
            name="holds_first_comments",
            field=models.BooleanField(
                default=True,
                help_text="Comments are shown at once if the same name and email address have an approved comment from the same network. From elsewhere a comment waits, since anybody can type both.",
                verbose_name="hold a person’s first comment",
            ),
        ),
    ]
