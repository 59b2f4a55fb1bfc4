import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0039_senders_are_networks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="discussionsettings",
            name="flood_seconds",
            field=models.PositiveSmallIntegerField(
                default=15,
                help_text="From one address, or of one account. 0: no pause is asked for.",
                validators=[django.core.validators.MaxValueValidator(3600)],
                verbose_name="seconds between two comments",
            ),
        ),
        migrations.AlterField(
            model_name="discussionsettings",
            name="reports_that_hold",
            field=models.PositiveSmallIntegerField(
                default=3,
                help_text="From so many different senders. All networks of one line count as one. 0: reports hold nothing, and are only shown.",
                validators=[django.core.validators.MaxValueValidator(1000)],
                verbose_name="reports that hold a comment",
            ),
        ),
    ]
