import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsite.settings")

application = get_wsgi_application()

from newsite import chores  # noqa: E402 (the apps are loaded only now)

chores.start_beside_requests()
