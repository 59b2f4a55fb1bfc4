from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand

from articles import pictures
from articles.models import Image


class Command(BaseCommand):
    help = (
        "Takes the place, the camera and whatever else was written beside them out of pictures that were "
        "uploaded before Newsite did so by itself, and measures them as they are shown. "
        "Addresses stay. It can be run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        cleaned = 0
        for image in Image.objects.iterator():
            try:
                cleaned += _clean(image)
            except (OSError, pictures.UnknownKind, pictures.TooManyPixels):
                self.stderr.write(f"{image.file.name}: no picture can be read there. It stays as it is.")
        self.stdout.write(f"Pictures cleaned or measured anew: {cleaned}")


def _clean(image: Image) -> bool:
    """Say whether there was anything to do."""
    with image.file.open() as file:
        before = file.read()
        public = pictures.for_readers(file).read()
        width, height = pictures.size_as_shown(file)
    if public != before:
        _replace(Path(image.file.path), public)
    measured_anew = (width, height) != (image.width, image.height)
    if measured_anew:
        Image.objects.filter(pk=image.pk).update(width=width, height=height)
    return public != before or measured_anew


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, so that readers get the one or the other whole."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as new:
        new.write(content)
    Path(new.name).chmod(path.stat().st_mode)
    Path(new.name).replace(path)
