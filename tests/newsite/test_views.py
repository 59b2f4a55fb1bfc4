import pytest
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from newsite import views

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
    assert "<h1>There is no page at this address</h1>" in response.content.decode()


def test_the_error_page_needs_no_database(rf, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = views.server_error(rf.get("/"))

    assert response.status_code == 500
    assert "<h1>Something went wrong</h1>" in response.content.decode()


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
