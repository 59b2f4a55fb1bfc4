import os
from types import SimpleNamespace

import pytest

from newsite import checks


def test_a_good_set_up_passes_every_check():
    found = [
        checks.check_secret_key(None),
        checks.check_debug(None),
        checks.check_allowed_hosts(None),
        checks.check_database_url(None),
        checks.check_media_root(None),
        checks.check_media_apart(None),
        checks.check_trusted_proxies(None),
        checks.check_email_url(None),
        checks.check_mail_leaves(None),
        checks.check_site_url(None),
        checks.check_webhook_is_whole(None),
        checks.check_webhook_is_private(None),
        checks.check_worker_runs(None),
        checks.check_session_days(None),
    ]

    assert found == [[]] * 14


def test_the_placeholder_is_no_secret_key(settings):
    settings.SECRET_KEY = settings.PLACEHOLDER_SECRET_KEY

    assert checks.check_secret_key(None) == [checks.E001]


@pytest.mark.parametrize("hosts", [["news.example"], ["localhost", "news.example"], ["*"], [".example"]])
def test_debug_is_not_for_a_public_host(settings, hosts):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = hosts

    assert checks.check_debug(None) == [checks.E002]


@pytest.mark.parametrize("hosts", [[], ["localhost"], ["127.0.0.1", "[::1]"]])
def test_debug_is_for_this_machine(settings, hosts):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = hosts

    assert checks.check_debug(None) == []


def test_a_site_without_hosts_answers_nobody(settings):
    settings.ALLOWED_HOSTS = []

    assert checks.check_allowed_hosts(None) == [checks.E003]


def test_debug_needs_no_hosts(settings):
    settings.ALLOWED_HOSTS = []
    settings.DEBUG = True

    assert checks.check_allowed_hosts(None) == []


def test_an_unreadable_database_url_is_named(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.dummy")

    assert checks.check_database_url(None) == [checks.E004]


def test_the_media_folder_has_to_be_there(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "missing"

    assert checks.check_media_root(None) == [checks.E005]


def test_the_media_folder_has_to_be_a_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "program"
    settings.MEDIA_ROOT.touch(mode=0o777)

    assert checks.check_media_root(None) == [checks.E005]


def test_the_media_folder_has_to_be_writable(settings, tmp_path, monkeypatch):
    """Root may write anywhere, so the answer of the system is given here."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert checks.check_media_root(None) == [checks.E005]


@pytest.mark.parametrize("folder", ["BASE_DIR", "VAR_DIR"])
def test_the_media_folder_holds_nothing_of_newsite(settings, folder):
    settings.MEDIA_ROOT = getattr(settings, folder)

    assert checks.check_media_apart(None) == [checks.E007]


def test_the_media_folder_is_not_the_working_folder_by_mistake(settings, monkeypatch):
    monkeypatch.chdir(settings.BASE_DIR)
    settings.MEDIA_ROOT = ""

    assert checks.check_media_apart(None) == [checks.E007]


@pytest.mark.parametrize("networks", [["proxy.example"], ["127.0.0.1", "10.0.0.0/64"]])
def test_a_trusted_proxy_is_an_address_or_a_network(settings, networks):
    settings.TRUSTED_PROXIES = networks

    assert checks.check_trusted_proxies(None) == [checks.E006]


def test_addresses_and_networks_are_trusted(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8", "::1", "10.1.2.3/8"]

    assert checks.check_trusted_proxies(None) == []


def test_an_unreadable_email_url_is_named(settings):
    settings.SENDS_MAIL = False

    assert checks.check_email_url(None) == [checks.E008]
    assert checks.check_mail_leaves(None) == []


def test_a_site_from_which_no_mail_leaves_is_told(settings):
    settings.EMAIL_URL_IS_SET = settings.SENDS_MAIL = False

    assert checks.check_email_url(None) == []
    assert checks.check_mail_leaves(None) == [checks.W001]


@pytest.mark.parametrize(
    "url", ["", "news.example", "https://", "https://*", "https://.news.example", "https://a/b", "http://[::"]
)
def test_links_in_mails_begin_with_an_address(settings, url):
    settings.SITE_URL = url

    assert checks.check_site_url(None) == [checks.W002]


def test_an_unknown_time_zone_is_named(settings):
    settings.UNREADABLE = ["TIME_ZONE"]

    assert checks.check_time_zone(None) == [checks.E009]


def test_days_of_a_session_that_cannot_be_are_named(settings):
    settings.UNREADABLE = ["SESSION_DAYS"]

    assert checks.check_session_days(None) == [checks.E013]


def test_an_unknown_language_is_named(settings):
    settings.UNREADABLE = ["LANGUAGE_CODE"]

    assert checks.check_language_code(None) == [checks.E010]


@pytest.mark.parametrize(("url", "secret"), [("https://moderation.example/", ""), ("", "a secret")])
def test_half_a_moderation_service_is_none(settings, url, secret):
    settings.MODERATION_WEBHOOK_URL, settings.MODERATION_WEBHOOK_SECRET = url, secret

    assert checks.check_webhook_is_whole(None) == [checks.E011]


@pytest.mark.parametrize(
    "url", ["http://moderation.example/", "moderation.example", "https://", "http://[::"]
)
def test_comments_are_sent_to_no_service_that_others_could_listen_to(settings, url):
    settings.MODERATION_WEBHOOK_URL, settings.MODERATION_WEBHOOK_SECRET = url, "a secret"

    assert checks.check_webhook_is_private(None) == [checks.E012]


@pytest.mark.parametrize(
    "url", ["https://moderation.example/x?y", "http://127.0.0.1:8080/", "http://localhost"]
)
def test_a_whole_moderation_service_passes(settings, url):
    settings.MODERATION_WEBHOOK_URL, settings.MODERATION_WEBHOOK_SECRET = url, "a secret"

    assert (checks.check_webhook_is_whole(None), checks.check_webhook_is_private(None)) == ([], [])


def test_root_makes_nothing_in_the_site_of_somebody_else(settings, monkeypatch, tmp_path):
    settings.BASE_DIR = tmp_path
    own = os.stat(tmp_path).st_uid
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = []
    for owner in (0, own + 1000):
        monkeypatch.setattr(type(tmp_path), "stat", lambda path, owner=owner: SimpleNamespace(st_uid=owner))
        found.append(checks.check_user(None))

    assert found == [[], [checks.E017]]


def test_whoever_is_not_root_is_no_concern_of_the_owner_of_the_files(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert checks.check_user(None) == []


@pytest.mark.parametrize("refused", ["newsite.sqlite3", "var", None])
def test_the_database_and_its_folder_have_to_be_writable(settings, monkeypatch, tmp_path, refused):
    """Root may write anywhere, so the answer of the system is given here."""
    file = tmp_path / "var/newsite.sqlite3"
    file.parent.mkdir()
    file.touch()
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    monkeypatch.setitem(settings.DATABASES, "default", engine)
    monkeypatch.setattr("os.access", lambda path, mode: path.name != refused)

    assert checks.check_database_can_be_written(None) == ([checks.E018] if refused else [])


@pytest.mark.parametrize("name", [":memory:", "file:memory?mode=memory"])
def test_a_database_that_is_no_file_needs_no_rights(settings, monkeypatch, name):
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
    monkeypatch.setitem(settings.DATABASES, "default", engine)

    assert checks.check_database_can_be_written(None) == []


def test_an_unknown_name_is_named_with_the_one_that_is_meant(settings):
    settings.UNKNOWN = {"SITE_NAM": "SITE_NAME", "XYZZY": ""}

    found = [(one.msg, one.hint) for one in checks.check_names(None)]
    assert found == [
        (".env sets SITE_NAM, which Newsite does not know.", "Is SITE_NAME meant?"),
        (".env sets XYZZY, which Newsite does not know.", "The table in the README has all names."),
    ]


def test_a_line_that_cannot_be_read_is_named(settings):
    settings.BROKEN_LINES = [0, 3]

    found = [one.msg for one in checks.check_lines(None)]
    assert found == [".env cannot be read.", "Line 3 of .env cannot be read."]
