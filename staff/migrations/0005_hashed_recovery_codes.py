"""Recovery codes of before the upgrade are hashed, and work as they did.

They stay 40 random bits each, which nobody can guess without SECRET_KEY: see `RecoveryCodes`.
"""

from base64 import urlsafe_b64encode

from django.db import migrations
from django.db.models.functions import Length
from django.utils.crypto import salted_hmac

# What django-otp made. A hash has sixteen signs.
PLAIN_LENGTH = 8


def hash_codes(apps, schema_editor):
    tokens = apps.get_model("otp_static", "StaticToken").objects.alias(length=Length("token"))
    for token in list(tokens.filter(length=PLAIN_LENGTH).select_related("device")):
        content = f"{token.device.user_id}:{token.token}"
        digest = salted_hmac("staff.recovery_codes", content, algorithm="sha256").digest()
        tokens.filter(pk=token.pk).update(token=urlsafe_b64encode(digest[:12]).decode())


class Migration(migrations.Migration):
    dependencies = [("otp_static", "0003_add_timestamps"), ("staff", "0004_recovery_codes")]

    operations = [migrations.RunPython(hash_codes, migrations.RunPython.noop)]
