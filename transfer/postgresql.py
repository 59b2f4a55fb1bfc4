"""The database of a site on PostgreSQL, saved and put back by PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.backends.postgresql.client import DatabaseClient

from transfer.manifest import Refused

FILE = "newsite.dump"
SCHEMA = "public"


def save(settings: dict, folder: Path) -> tuple[dict[str, int], list[list[str]]]:
    """Save the database while the site runs. Return its rows by table and its migrations."""
    try:
        with closing(connection.copy()) as own, own.cursor() as cursor:
            # What is counted and what pg_dump saves are of one moment.
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
            rows = count(cursor)
            run(
                settings,
                *("pg_dump", "--no-password", "--format=custom", "--no-owner", "--no-privileges"),
                *(f"--schema={SCHEMA}", f"--snapshot={snapshot}", f"--file={folder / FILE}"),
            )
            cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
            return rows, [list(row) for row in cursor.fetchall()]
    except DatabaseError as error:
        raise Refused(f"The database could not be saved: {error}") from error


def put_back(settings: dict, folder: Path, rows: dict[str, int], aside: str) -> list[str]:
    """Load the dump in one transaction. Return the schema that the old tables are in now, if any."""
    try:
        with closing(connection.copy()) as own, own.cursor() as cursor:
            is_empty = not tables(cursor)
    except DatabaseError as error:
        raise Refused(f"The database cannot be reached: {error}") from error
    old = re.sub(r"\W", "_", aside)
    beginning = [] if is_empty else [f'ALTER SCHEMA {SCHEMA} RENAME TO "{old}"', f"CREATE SCHEMA {SCHEMA}"]
    load(settings, folder / FILE, beginning, [rows_are(table, number) for table, number in rows.items()])
    return [] if is_empty else [f'the schema "{old}"']


def load(settings: dict, dump: Path, before: list[str], after: list[str]) -> None:
    """Run what pg_restore makes of a dump between two lists of statements: all of it, or nothing."""
    scripted = [
        program("pg_restore"),
        "--no-owner",
        "--no-privileges",
        f"--schema={SCHEMA}",
        "--file=-",
        str(dump),
    ]
    loading = [
        program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    with (
        subprocess.Popen(  # noqa: S603 (no shell)
            loading, env=environment(settings), stdin=subprocess.PIPE, stderr=subprocess.PIPE
        ) as psql,
        subprocess.Popen(  # noqa: S603 (no shell)
            scripted, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as script,
    ):
        assert psql.stdin and psql.stderr and script.stdout and script.stderr  # noqa: S101 (for the types)
        try:
            psql.stdin.write("".join(f"{line};\n" for line in ["BEGIN", *before]).encode())
            shutil.copyfileobj(script.stdout, psql.stdin)
            # Without COMMIT the end of the script takes everything back.
            if script.wait() == 0:
                psql.stdin.write("".join(f"{line};\n" for line in [*after, "COMMIT"]).encode())
            psql.stdin.close()
        except BrokenPipeError:
            script.kill()
        complaints = script.stderr.read() + psql.stderr.read()
        has_failed = psql.wait() or script.wait()
    if has_failed:
        raise Refused(f"The database could not be restored: {complaints.decode(errors='replace').strip()}")


def rows_are(table: str, number: int) -> str:
    """Return a statement that fails where a table has another number of rows."""
    return (
        f'DO $$ BEGIN IF (SELECT count(*) FROM {SCHEMA}."{table}") <> {number} '  # noqa: S608 (names of our own)
        f"THEN RAISE EXCEPTION 'not as many rows as were saved: {table}'; END IF; END $$"
    )


def tables(cursor) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA])
    return [name for (name,) in cursor.fetchall()]


def count(cursor) -> dict[str, int]:
    rows = {}
    for name in tables(cursor):
        cursor.execute(f'SELECT count(*) FROM {SCHEMA}."{name}"')  # noqa: S608 (a name of its own)
        (rows[name],) = cursor.fetchone()
    return rows


def run(settings: dict, name: str, *arguments: str) -> None:
    result = subprocess.run(  # noqa: S603 (no shell)
        [program(name), *arguments], env=environment(settings), capture_output=True, text=True
    )
    if result.returncode:
        raise Refused(f"{name} failed: {result.stderr.strip()}")


def program(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise Refused(f"{name} is missing: apt install postgresql-client")


def environment(settings: dict) -> dict[str, str]:
    """Return what tells PostgreSQL's programs where the database is: others see a command line."""
    _arguments, secret = DatabaseClient.settings_to_cmd_args_env(settings, [])
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGDATABASE": "NAME"}
    place = {variable: str(settings[name]) for variable, name in names.items() if settings.get(name)}
    return {**os.environ, **place, **(secret or {})}
