from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0028_stories_know_their_comments"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="spelling",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name="standing",
            name="key",
            field=models.CharField(db_default="", default="", editable=False, max_length=400),
        ),
    ]
