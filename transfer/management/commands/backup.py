import argparse
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from transfer import backups
from transfer.manifest import Refused


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("keep at least 1")
    return number


class Command(BaseCommand):
    help = (
        "Save the database, the pictures, .env and the secret key into a new folder inside FOLDER, "
        "whole or not at all. The site may run meanwhile."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--keep", type=positive, metavar="N", help="then delete all but the newest N backups there"
        )

    def handle(self, *, folder: Path, keep: int | None, **options):
        try:
            self.stdout.write(f"Saved: {backups.make(folder)}")
            for path in backups.forget_older(folder, keep) if keep else []:
                self.stdout.write(f"Deleted: {path}")
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
