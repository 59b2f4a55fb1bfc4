"""Static files as they are served."""

import re

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

COMMENT_LINE = re.compile(rb"^[ \t]*//.*\n", re.MULTILINE)


def without_comments(script: bytes) -> bytes:
    """Leave out the lines of a script that are only a comment."""
    return COMMENT_LINE.sub(b"", script)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Readers fetch our own scripts without what is written in them for us."""

    def _save(self, name, content):
        if name.startswith("newsite/") and name.endswith(".js"):
            content = ContentFile(without_comments(b"".join(content.chunks())))
        return super()._save(name, content)
