from staff.sessions import Session  # noqa: F401 (Django looks for an app's models here)
