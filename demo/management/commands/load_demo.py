from django.core.management.base import BaseCommand

from demo import loader, remover


class Command(BaseCommand):
    help = (
        "Load demo stories and conversations into a site that has no stories yet. "
        "With --remove: take them away again, and keep what people have added or changed."
    )

    def add_arguments(self, parser):
        parser.add_argument("--remove", action="store_true", help="take the demo away again")

    def handle(self, *, remove: bool = False, **options) -> None:
        if remove:
            self.remove()
        elif count := loader.load():
            self.stdout.write(f"Loaded {count} stories.")
        else:
            self.stdout.write("There are stories already; nothing loaded.")

    def remove(self) -> None:
        counts, kept = remover.remove()
        for what, count in counts.items():
            self.stdout.write(f"Removed {what}: {count}")
        for what in kept:
            self.stdout.write(f"Kept: {what}.")
        if not counts:
            self.stdout.write("There was nothing to remove.")
