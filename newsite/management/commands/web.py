"""`manage.py web`: the web server, and nothing else."""

from django.core.management.base import BaseCommand

from newsite import server


class Command(BaseCommand):
    help = (
        "Serve the site, which has been migrated and whose static files have been collected. "
        "SIGHUP replaces the workers without a gap, SIGTERM ends them."
    )

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
        parser.add_argument("--port", default=8000, type=int, help="default: 8000")
        parser.add_argument(
            "--workers", default=2, type=int, help="as many as there are processors; default: 2"
        )

    def handle(self, *, host: str, port: int, workers: int, **options):
        server.start(server.command(host, port, workers))
