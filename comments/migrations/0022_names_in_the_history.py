from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0021_who_sent_a_comment"),
    ]

    operations = [
        migrations.AddField(
            model_name="change",
            name="by_name",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=150, verbose_name="by"
            ),
        ),
    ]
