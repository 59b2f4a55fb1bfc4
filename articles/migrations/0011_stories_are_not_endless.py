from django.core.validators import MaxLengthValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("articles", "0010_line_ends_of_other_programs")]

    operations = [
        migrations.AlterField(
            "article",
            "body",
            models.TextField(
                "body",
                validators=[
                    MaxLengthValidator(
                        300_000,
                        "The story has %(show_value)d signs with its tags, and more than %(limit_value)d are not taken. "
                        "Make two stories of it: nothing that you wrote is lost.",
                    )
                ],
            ),
        )
    ]
