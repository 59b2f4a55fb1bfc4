"""The rules of the house, kept by tests: where imports point, what templates may do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = [
    p
    for app in ("newsite", "articles", "comments", "mail", "staff", "transfer")
    for p in (ROOT / app).rglob("*.py")
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# A module may import from the layers below its own, and from its own.
LAYERS = [
    ["newsite.web_addresses", "newsite.quotation_marks", "newsite.environment"],
    ["newsite.markdown"],
    [
        "newsite.markup",
        "newsite.freshness",
        "newsite.origin",
        "newsite.models",
        "newsite.limits",
        "newsite.converters",
        "newsite.lookups",
        "newsite.visible",
        "newsite.slugs",
        "newsite.logs",
        "newsite.not_now",
        "newsite.all_or_nothing",
        "newsite.sent",
        "mail",
    ],
    ["articles.pictures", "articles.picture_field"],
    ["articles.models"],
    ["comments.matching", "comments.addresses", "comments.websites"],
    ["comments.mailboxes"],
    ["comments.subscriptions", "comments.discussion"],
    ["comments.notifications", "comments.staff_notices"],
    ["comments.models"],
    ["articles", "comments", "newsite", "staff"],
    ["transfer"],
]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> list[str]:
    """Return what a module imports, but for what only the type checker does."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def layer(name: str) -> int:
    for number, modules in enumerate(LAYERS):
        if any(name == module or name.startswith(f"{module}.") for module in modules):
            return number
    return -1


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path):
    above = [name for name in imports_of(path) if layer(name) > layer(name_of(path))]

    assert above == []


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p).startswith("articles")], ids=name_of)
def test_stories_know_nothing_of_comments(path):
    assert [name for name in imports_of(path) if name.split(".")[0] == "comments"] == []


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p).startswith("staff")], ids=name_of)
def test_signing_in_knows_nothing_of_stories_and_comments(path):
    assert [name for name in imports_of(path) if name.split(".")[0] in {"articles", "comments"}] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_stand_at_the_top(path):
    if path == ROOT / "newsite/apps.py":  # checks register themselves once the apps are loaded
        return
    tree = ast.parse(path.read_text())
    inside = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_sentence_is_translated_while_a_module_is_loaded(path):
    """It would stay in the language of whoever came first."""
    tree = ast.parse(path.read_text())
    at_once = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if not alias.name.endswith("_lazy")
    }

    assert [call.lineno for call in calls_on_loading(tree) if ast.unparse(call.func) in at_once] == []


def calls_on_loading(node: ast.AST) -> Iterator[ast.Call]:
    """Return the calls outside of the bodies of functions."""
    if isinstance(node, ast.Call):
        yield node
    if isinstance(node, ast.Lambda):
        return
    inner = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        inner = [*node.decorator_list, node.args]
    for child in inner:
        yield from calls_on_loading(child)


def test_no_app_listens_to_signals():
    assert [
        name_of(p) for p in MODULES if re.search(r"\breceiver\(|(?<!sqlite3)\.connect\(", p.read_text())
    ] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_only_a_rendered_field_is_safe(path):
    marked = re.findall(r"(\S+)\|safe\b", path.read_text())

    assert [name for name in marked if not name.endswith("_html")] == []
    assert "autoescape" not in path.read_text()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_no_template_holds_a_script_or_a_style(path):
    text = path.read_text()
    # A mail has no stylesheet to go to, and nothing of a stranger stands in its style.
    styles = ["<style"] if path == ROOT / "templates/mail/base.html" else []

    assert re.findall(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", text) == styles


@pytest.mark.parametrize(
    "path",
    [p for p in TEMPLATES if p.name.startswith("_")],
    ids=lambda p: str(p.relative_to(ROOT / "templates")),
)
def test_a_fragment_says_what_it_needs(path):
    assert path.read_text().startswith("{# Needs: ")
