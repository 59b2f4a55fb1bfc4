from django.db import migrations, models
from django.db.models.fields.json import KT


class Migration(migrations.Migration):
    dependencies = [("comments", "0034_what_is_said_before_writing")]

    operations = [
        migrations.AddField(
            model_name="change",
            name="email_before",
            field=models.GeneratedField(
                db_persist=True,
                expression=KT("before__email"),
                output_field=models.CharField(max_length=254, null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                fields=["email_before"],
                condition=models.Q(email_before__isnull=False),
                name="change_email_before",
            ),
        ),
    ]
