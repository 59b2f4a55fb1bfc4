"""Files: uploaded ones as they are kept, static ones as they are served."""

import re
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from newsite.all_or_nothing import undo_if_it_fails

COMMENT_LINE = re.compile(rb"^[ \t]*//.*\n", re.MULTILINE)


class MediaStorage(FileSystemStorage):
    """Leaves no file where what belongs to it was not saved, or the disk was full."""

    def _save(self, name, content):
        try:
            saved = super()._save(name, content)
        except OSError:
            if self.exists(name) and self.size(name) < content.size:
                self.delete(name)
            raise
        undo_if_it_fails(partial(self.delete, saved))
        return saved


def without_comments(script: bytes) -> bytes:
    """Leave out the lines of a script that are only a comment."""
    return COMMENT_LINE.sub(b"", script)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Readers fetch our own scripts without what is written in them for us."""

    def _save(self, name, content):
        if name.startswith("newsite/") and name.endswith(".js"):
            content = ContentFile(without_comments(b"".join(content.chunks())))
        return super()._save(name, content)
