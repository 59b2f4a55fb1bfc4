"""Stories that showed “?” for a line end of another program, or for a sign that shows nothing."""

from django.db import migrations

from newsite import markup

STRANGE = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]"


def render(apps, schema_editor):
    stories = apps.get_model("articles", "Article").objects
    for pk, body in stories.filter(body__regex=STRANGE).values_list("pk", "body").iterator():
        body = markup.with_paragraphs(body)
        stories.filter(pk=pk).update(body=body, body_html=markup.story_html(body))


class Migration(migrations.Migration):
    dependencies = [("articles", "0009_kinds_of_pictures_by_content")]

    operations = [migrations.RunPython(render, migrations.RunPython.noop)]
