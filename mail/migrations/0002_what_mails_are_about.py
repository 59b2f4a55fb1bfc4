from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0001_outbox")]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="about",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
