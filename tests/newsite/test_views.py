import pytest
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from newsite import views
from tests.factories import make_comment, make_editor, make_user

pytestmark = pytest.mark.django_db


def test_the_process_is_alive_without_a_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/livez")

    assert (response.status_code, response.content) == (200, b"ok\n")


def test_the_site_is_ready_when_the_database_is_migrated(client):
    response = client.get("/readyz")

    assert (response.status_code, response.content) == (200, b"ok\n")


def test_the_site_is_not_ready_while_migrations_wait(client):
    newest = MigrationLoader(connection).graph.leaf_nodes("comments")[0]
    MigrationRecorder(connection).record_unapplied(*newest)

    response = client.get("/readyz")

    assert (response.status_code, response.content) == (503, b"The database waits for its migrations.\n")


def test_the_site_is_not_ready_without_a_database(client):
    def refuse(execute, sql, params, many, context):
        raise DatabaseError("no connection")

    with connection.execute_wrapper(refuse):
        response = client.get("/readyz")

    assert (response.status_code, response.content) == (503, b"The database cannot be reached.\n")


def test_robots_are_kept_from_the_admin_and_the_reply_forms_but_find_the_feed(client):
    response = client.get("/robots.txt")

    assert response.headers["Content-Type"] == "text/plain"
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /comments/feed/",
        "Disallow: /admin/",
        "Disallow: /comments/",
        "Disallow: /*/reply/",
    ]


def test_the_old_address_of_the_icon_leads_to_it(client):
    response = client.get("/favicon.ico")

    assert (response.status_code, response["Location"]) == (302, "/static/newsite/icon.svg")


def test_an_unknown_address_is_a_404_in_the_sites_look(client):
    response = client.get("/no/such/page/")

    assert response.status_code == 404
    assert "<h1>Page not found</h1>" in response.content.decode()


def test_the_error_page_needs_no_database(rf, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = views.server_error(rf.get("/"))

    assert response.status_code == 500
    assert "<h1>Something went wrong on our side</h1>" in response.content.decode()


@pytest.mark.parametrize("path", ["/robots.txt", "/livez", "/readyz", "/"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "trace"])
def test_pages_are_only_read(client, method, path):
    assert getattr(client, method)(path).status_code == 405


def test_public_pages_have_a_strict_policy_and_no_nonce(client):
    policy = client.get("/").headers["Content-Security-Policy"]

    assert sorted(policy.split("; ")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
    ]


def test_who_works_here_is_refused_in_the_admin_and_may_sign_in_as_somebody_else(client):
    page = f"/admin/comments/comment/{make_comment().pk}/ban/?from=mail"
    client.force_login(make_user(username="sam", is_staff=True))

    refused = client.get(page)
    text = refused.content.decode()
    signed_out = client.post("/admin/logout/", {"next": refused.context["sign_in_again"]})

    assert (refused.status_code, "no-store" in refused["Cache-Control"]) == (403, True)
    assert "You are signed in as sam, and this account may not see or do this." in text
    assert '<a href="/admin/">Go to the front page of the admin</a>' in text
    assert f'value="{refused.context["sign_in_again"]}"' in text
    sign_in = client.get(signed_out["Location"])
    assert (sign_in.status_code, sign_in.context["next"]) == (200, page)


def test_what_was_sent_is_not_sent_again_by_signing_in_as_somebody_else(client):
    page = f"/admin/comments/comment/{make_comment().pk}/ban/"
    client.force_login(make_user(is_staff=True))

    refused = client.post(page, {"kind": "name"})

    assert refused.context["sign_in_again"] == "/admin/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize("path", ["/comments/moderate/x/", "/admin/comments/comment/"])
def test_who_does_not_work_here_is_refused_in_the_sites_look(rf, path):
    request = rf.get(path)
    request.user = make_editor() if path.startswith("/comments/") else make_user()

    response = views.forbidden(request, PermissionError())

    assert response.status_code == 403
    assert "sign in with an account that does" in response.content.decode()
