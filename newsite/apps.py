from django.apps import AppConfig


class NewsiteConfig(AppConfig):
    name = "newsite"
    verbose_name = "Newsite"

    def ready(self):
        # Checks and lookups register themselves when their module is first imported.
        from newsite import checks, lookups  # noqa: F401
