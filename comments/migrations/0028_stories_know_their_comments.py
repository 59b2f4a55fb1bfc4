from django.db import migrations
from django.db.models import Count


def count_comments(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    shown = apps.get_model("comments", "Comment").objects.filter(status="approved").order_by()
    for story, count in shown.values_list("article").annotate(count=Count("pk")):
        Article.objects.filter(pk=story).update(comment_count=count)


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0006_comments_are_counted"),
        ("comments", "0027_replies_are_called_so"),
    ]

    operations = [migrations.RunPython(count_comments, migrations.RunPython.noop, elidable=True)]
