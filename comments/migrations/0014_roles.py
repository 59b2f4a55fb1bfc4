from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

SEE_AND_DECIDE = ["comments.view_comment", "comments.change_comment"]
STANDINGS = [f"comments.{action}_standing" for action in ("view", "add", "change", "delete")]

ROLES = {
    "Moderator": [*SEE_AND_DECIDE, *STANDINGS],
    "Author": [
        "articles.write_own_stories",
        "comments.moderate_own_stories",
        "articles.add_image",
        *(f"articles.view_{name}" for name in ("image", "section", "topic", "byline")),
        *(f"articles.{action}_relatedread" for action in ("view", "add", "change", "delete")),
    ],
    "Editor": [
        *SEE_AND_DECIDE,
        *STANDINGS,
        # Erasing what is held about a person needs it.
        "comments.delete_comment",
        *(
            f"articles.{action}_{name}"
            for action in ("view", "add", "change", "delete")
            for name in ("article", "author", "byline", "image", "relatedread", "section", "topic")
        ),
    ],
}


def create_roles(apps, schema_editor):
    """Create the groups that are not there: one that an owner has made keeps what it may do."""
    database = schema_editor.connection.alias
    # Django does so only after all migrations.
    for app in installed.get_app_configs():
        create_permissions(app, verbosity=0, interactive=False, using=database)
    Group = apps.get_model("auth", "Group")
    permissions = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in apps.get_model("auth", "Permission")
        .objects.using(database)
        .select_related("content_type")
    }
    for role, wanted in {**ROLES, "Administrator": list(permissions)}.items():
        group, is_new = Group.objects.using(database).get_or_create(name=role)
        if is_new:
            group.permissions.set(permissions[name] for name in wanted if name in permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0005_writing_own_stories"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("comments", "0013_mails_to_moderators"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        # Who has a role keeps it, should the migration be taken back.
        migrations.RunPython(create_roles, migrations.RunPython.noop, elidable=False),
    ]
