from django.core.management.base import BaseCommand

from demo import loader


class Command(BaseCommand):
    help = "Load demo stories and conversations into a site that has no stories yet."

    def handle(self, **options) -> None:
        if count := loader.load():
            self.stdout.write(f"Loaded {count} stories.")
        else:
            self.stdout.write("There are stories already; nothing loaded.")
