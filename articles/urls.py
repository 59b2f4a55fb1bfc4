from django.urls import path

from articles import views

app_name = "articles"

urlpatterns = [
    path("", views.home, name="home"),
    path("section/<words:slug>/", views.section, name="section"),
    path("topic/<words:slug>/", views.topic, name="topic"),
    path("author/<words:slug>/", views.author, name="author"),
    path("archive/", views.archive, name="archive"),
    path("topics/", views.topics, name="topics"),
    path("authors/", views.authors, name="authors"),
    path("preview/<id:pk>/", views.preview, name="preview"),
    path("<yyyy:year>/", views.year, name="year"),
    path("<yyyy:year>/<mm:month>/", views.month, name="month"),
    path("<yyyy:year>/<mm:month>/<words:slug>/", views.story, name="story"),
]
