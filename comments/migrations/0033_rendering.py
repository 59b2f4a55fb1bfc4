from django.db import migrations, models


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
                ("edition", models.PositiveIntegerField()),
                ("reached", models.BigIntegerField(null=True)),
            ],
            options={"verbose_name": "rendering", "verbose_name_plural": "renderings"},
        ),
    ]
