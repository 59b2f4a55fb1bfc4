from django.contrib.auth.views import LogoutView
from django.urls import path

from comments import feeds, mail_links, mine, moderator_links, reports, signed_in, views, yours

app_name = "comments"

urlpatterns = [
    path("sign-in/", signed_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(next_page="articles:home"), name="sign_out"),
    path("comments/<id:pk>/", views.permalink, name="permalink"),
    path("comments/<id:pk>/report/", reports.report, name="report"),
    # Here the cookies of the browser's own comments come along. Below the story nobody's do.
    path(
        "comments/<yyyy:year>/<mm:month>/<words:slug>/reply/",
        views.reply,
        {"is_page": False},
        name="post_reply",
    ),
    path("comments/yours/", mine.moved),
    path("comments/yours/<id:pk>/edit/", yours.own, {"page": "edit"}, name="own_edit"),
    path("comments/yours/<id:pk>/delete/", yours.own, {"page": "delete"}, name="own_delete"),
    path("comments/yours/<str:token>/", yours.yours, name="yours"),
    path("comments/yours/<str:token>/edit/", yours.edit, name="edit"),
    path("comments/yours/<str:token>/delete/", yours.delete, name="delete"),
    path("comments/yours/<str:token>/mails/", yours.mails, name="mails"),
    path("comments/mail/confirm/<str:token>/", mail_links.confirm, name="confirm"),
    path("comments/mail/stop/<str:token>/", mail_links.stop, name="stop"),
    path("comments/mail/never/<str:token>/", mail_links.never, name="never"),
    path("comments/moderate/<str:token>/", moderator_links.moderate, name="moderate"),
    path("comments/moderate/mails/<str:token>/", moderator_links.stop, name="stop_staff"),
    path("comments/feed/", feeds.site_rss, name="feed"),
    path("comments/feed/atom/", feeds.site_atom, name="feed_atom"),
    path("comments/mine/", mine.index, name="mine"),
    path("comments/mine/export/", mine.export, name="mine_export"),
    path("comments/mine/erase/", mine.erase, name="mine_erase"),
    path("comments/mine/sign-out/", mine.sign_out, name="mine_sign_out"),
    path("comments/mine/link/<str:token>/", mine.open_link, name="mine_link"),
    path("<yyyy:year>/<mm:month>/<words:slug>/reply/", views.reply, name="reply"),
    path("<yyyy:year>/<mm:month>/<words:slug>/reply/signed-in/", signed_in.reply, name="reply_signed_in"),
    path("<yyyy:year>/<mm:month>/<words:slug>/reported/", reports.reported, name="reported"),
    path("<yyyy:year>/<mm:month>/<words:slug>/replies/", views.replies, name="replies"),
    path("<yyyy:year>/<mm:month>/<words:slug>/replies/count/", views.replies_count, name="replies_count"),
    path("<yyyy:year>/<mm:month>/<words:slug>/feed/", feeds.story_rss, name="story_feed"),
    path("<yyyy:year>/<mm:month>/<words:slug>/feed/atom/", feeds.story_atom, name="story_feed_atom"),
]
