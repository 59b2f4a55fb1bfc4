from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff import second_factor
from staff.models import SecondFactor

# The pages of django-otp show secrets and recovery codes, and let some be made for others.
admin.site.unregister([TOTPDevice, StaticDevice])


@admin.register(SecondFactor)
class SecondFactorAdmin(admin.ModelAdmin):
    """Who has a second factor, to take it from whoever has lost the phone."""

    list_display = fields = readonly_fields = ("user", "created_at", "last_used_at")
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(confirmed=True)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def delete_model(self, request, obj):
        second_factor.remove(obj.user)

    def delete_queryset(self, request, queryset):
        for device in queryset:
            second_factor.remove(device.user)
