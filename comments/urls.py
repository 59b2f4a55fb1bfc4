from django.urls import path

from comments import views, yours

app_name = "comments"

urlpatterns = [
    path("comments/<int:pk>/", views.permalink, name="permalink"),
    path("comments/yours/", yours.index, name="yours_index"),
    path("comments/yours/<str:token>/", yours.yours, name="yours"),
    path("comments/yours/<str:token>/edit/", yours.edit, name="edit"),
    path("comments/yours/<str:token>/delete/", yours.delete, name="delete"),
    path("<yyyy:year>/<mm:month>/<words:slug>/reply/", views.reply, name="reply"),
]
