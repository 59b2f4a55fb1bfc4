from django.contrib.auth.backends import ModelBackend

from staff import second_factor


class StaffBackend(ModelBackend):
    def get_user(self, user_id):
        """Return who is signed in: nobody, on any page, who lacks the second factor that is required."""
        user = super().get_user(user_id)
        return None if user and second_factor.is_missing(user) else user
