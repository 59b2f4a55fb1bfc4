from django.urls import path

from comments import views

app_name = "comments"

urlpatterns = [
    path("comments/<int:pk>/", views.permalink, name="permalink"),
    path("comments/yours/<str:token>/", views.yours, name="yours"),
    path("<yyyy:year>/<mm:month>/<words:slug>/reply/", views.reply, name="reply"),
]
