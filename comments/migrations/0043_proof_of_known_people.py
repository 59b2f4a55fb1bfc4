from django.db import migrations, models

import comments.matching


class Migration(migrations.Migration):
    dependencies = [
        ("comments", "0042_who_is_asked_and_how_often"),
    ]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Nothing held it"),
                    ("at-home", "Written by the story’s author or by staff"),
                    ("banned", "Banned"),
                    ("refused", "From a refused address"),
                    ("trap", "Filled in a field that people do not see"),
                    ("trusted", "Written by someone whom a moderator trusts"),
                    ("allowed", "From an allowed address"),
                    ("trash-words", "Has a word that moves it to the trash"),
                    ("akismet", "Akismet takes it for spam"),
                    ("webhook", "The moderation service objects"),
                    ("everything", "Every comment is held here"),
                    ("reported", "Reported by readers"),
                    ("registered", "A visitor used the name of a registered user"),
                    ("words", "Has a word that holds it"),
                    ("links", "Links"),
                    ("too-fast", "Written faster than anyone types"),
                    ("first-comment", "First comment under this name and email address"),
                ],
                default="",
                max_length=20,
                verbose_name="because",
            ),
        ),
        migrations.AlterField(
            model_name="comment",
            name="held_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Nothing held it"),
                    ("at-home", "Written by the story’s author or by staff"),
                    ("banned", "Banned"),
                    ("refused", "From a refused address"),
                    ("trap", "Filled in a field that people do not see"),
                    ("trusted", "Written by someone whom a moderator trusts"),
                    ("allowed", "From an allowed address"),
                    ("trash-words", "Has a word that moves it to the trash"),
                    ("akismet", "Akismet takes it for spam"),
                    ("webhook", "The moderation service objects"),
                    ("everything", "Every comment is held here"),
                    ("reported", "Reported by readers"),
                    ("registered", "A visitor used the name of a registered user"),
                    ("words", "Has a word that holds it"),
                    ("links", "Links"),
                    ("too-fast", "Written faster than anyone types"),
                    ("first-comment", "First comment under this name and email address"),
                ],
                default="",
                max_length=20,
                verbose_name="held because",
            ),
        ),
        migrations.AlterField(
            model_name="discussionsettings",
            name="allowed_addresses",
            field=models.TextField(
                blank=True,
                help_text="One a line: an email address, “@example.com” for all of a domain, an IP address, or a network like 192.0.2.0/24. Comments from there are shown at once. An email address counts once its owner has an approved comment, as for first comments: anybody can type it.",
                max_length=50000,
                validators=[comments.matching.validate_addresses],
                verbose_name="allowed addresses",
            ),
        ),
        migrations.AlterField(
            model_name="discussionsettings",
            name="holds_first_comments",
            field=models.BooleanField(
                default=True,
                help_text="Comments are shown at once if the same name and email address have an approved comment from the same browser, for thirty days, or the same network. Others wait, since anybody can type both.",
                verbose_name="hold a person’s first comment",
            ),
        ),
        migrations.AlterField(
            model_name="firing",
            name="rule",
            field=models.CharField(
                choices=[
                    ("", "Nothing held it"),
                    ("at-home", "Written by the story’s author or by staff"),
                    ("banned", "Banned"),
                    ("refused", "From a refused address"),
                    ("trap", "Filled in a field that people do not see"),
                    ("trusted", "Written by someone whom a moderator trusts"),
                    ("allowed", "From an allowed address"),
                    ("trash-words", "Has a word that moves it to the trash"),
                    ("akismet", "Akismet takes it for spam"),
                    ("webhook", "The moderation service objects"),
                    ("everything", "Every comment is held here"),
                    ("reported", "Reported by readers"),
                    ("registered", "A visitor used the name of a registered user"),
                    ("words", "Has a word that holds it"),
                    ("links", "Links"),
                    ("too-fast", "Written faster than anyone types"),
                    ("first-comment", "First comment under this name and email address"),
                ],
                max_length=20,
                verbose_name="rule",
            ),
        ),
    ]
