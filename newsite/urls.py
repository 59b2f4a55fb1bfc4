from django.contrib import admin
from django.urls import include, path

from newsite import converters, views  # noqa: F401 (the URLs below are written with converters)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("robots.txt", views.robots),
    path("favicon.ico", views.favicon),
    path("livez", views.livez),
    path("readyz", views.readyz),
    path("", include("comments.urls")),
    path("", include("articles.urls")),
]

handler400 = "newsite.views.bad_request"
handler403 = "newsite.views.forbidden"
handler404 = "newsite.views.not_found"
handler500 = "newsite.views.server_error"
