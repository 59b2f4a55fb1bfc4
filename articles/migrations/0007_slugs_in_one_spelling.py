from unicodedata import normalize

from django.db import migrations


def compose(apps, schema_editor):
    """Give slugs and addresses the spelling that they are looked for in, but where another has it."""
    for name, field in (
        ("Section", "slug"),
        ("Topic", "slug"),
        ("Author", "slug"),
        ("Article", "slug"),
        ("Article", "address"),
        ("PastAddress", "address"),
    ):
        rows = apps.get_model("articles", name).objects
        is_unique = rows.model._meta.get_field(field).unique
        for pk, text in rows.values_list("pk", field):
            composed = normalize("NFC", text or "")
            if text in (None, composed) or (is_unique and rows.filter(**{field: composed}).exists()):
                continue
            rows.filter(pk=pk).update(**{field: composed})


class Migration(migrations.Migration):
    dependencies = [("articles", "0006_comments_are_counted")]

    operations = [migrations.RunPython(compose, migrations.RunPython.noop)]
