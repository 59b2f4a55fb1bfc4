"""That nothing was seen means something only if the watch does see."""

from playwright.sync_api import expect


def test_the_watch_sees_errors_dialogs_violations_and_requests_to_elsewhere(watch):
    watch.expect("page error: .*made for this test")
    watch.expect("dialog: made for this test")
    watch.expect("CSP violation: style-src-attr")
    watch.expect("Applying inline style violates")
    watch.expect("request to elsewhere: https://elsewhere.example/")
    watch.expect("Failed to load resource: net::ERR_NAME_NOT_RESOLVED")
    watch.expect_status(404)

    page = watch.new_visitor()
    page.goto("/")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('made for this test') })")
    page.evaluate("alert('made for this test')")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">seen</p>')")
    expect(page.get_by_text("seen")).to_be_visible()
    page.goto("/there/is/nothing/here/")

    page = watch.new_visitor(bypass_csp=True)
    page.goto("/")
    assert page.evaluate("fetch('https://elsewhere.example/').catch(() => 'no')") == "no"
