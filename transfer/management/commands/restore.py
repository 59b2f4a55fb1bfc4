from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from transfer import restoring
from transfer.manifest import Refused


class Command(BaseCommand):
    help = "Restore the database, the pictures and the secret key from a backup, or change nothing. Stop the site first."
    # A site that has yet to be restored has neither its key nor its folders.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("backup", type=Path, help="one backup: FOLDER/newsite-…")
        parser.add_argument("--replace", action="store_true", help="set aside what the site has now")

    def handle(self, *, backup: Path, replace: bool, **options):
        try:
            set_aside = restoring.restore(backup, replace=replace)
            notes = restoring.notes(backup)
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored: {backup}")
        for old in set_aside:
            self.stdout.write(f"Set aside, to be deleted when all is well: {old}")
        for note in notes:
            self.stdout.write(note)
