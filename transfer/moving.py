"""From SQLite to PostgreSQL: every row as it is, in one transaction, a few at a time in memory."""

from contextlib import closing
from pathlib import Path

from django.apps import apps
from django.core.management.color import no_style
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from transfer.manifest import Manifest, Refused

OLD = "old"


def move(file: Path, manifest: Manifest) -> None:
    """Fill the empty database of the site from a file of SQLite, or change nothing."""
    refuse_unlike(manifest)
    models = [model for model in apps.get_models(include_auto_created=True) if has_a_table(model)]
    connections[OLD] = read_only(file)
    try:
        with closing(connections[OLD]), transaction.atomic(), connection.cursor() as cursor:
            # What the migrations have put in comes with the rows that were saved.
            for statement in connection.ops.sql_flush(no_style(), [m._meta.db_table for m in models]):
                cursor.execute(statement)
            for model in models:
                copy_rows(model, cursor, manifest.rows[model._meta.db_table])
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)
    except DatabaseError as error:
        raise Refused(f"The database could not be moved: {error}") from error
    finally:
        del connections[OLD]


def refuse_unlike(manifest: Manifest) -> None:
    """Each row has its place only where both databases have the same tables."""
    here = set(MigrationRecorder(connection).applied_migrations())
    saved = {tuple(migration) for migration in manifest.migrations}
    if not here:
        raise Refused("The new database has no tables yet: manage.py migrate makes them.")
    if here != saved:
        raise Refused(
            "The backup and the new database are of different versions: upgrade the site on SQLite, "
            "make a backup, and migrate the new database with the same version."
        )


def read_only(file: Path) -> DatabaseWrapper:
    # Immutable: not even a -shm is written beside a file of the backup.
    given = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{file.resolve().as_uri()}?mode=ro&immutable=1"}
    configured = connections.configure_settings({"default": {**given, "OPTIONS": {"uri": True}}})
    return DatabaseWrapper(configured["default"], OLD)


def has_a_table(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy


def copy_rows(model: type[Model], cursor, expected: int) -> None:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    # Not by way of the models, which would give times and texts anew.
    rows = model._base_manager.using(OLD).order_by().values_list(*(field.attname for field in fields))
    copied = 0
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows.iterator(chunk_size=1000):
            copy.write_row(
                [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
            )
            copied += 1
    if copied != expected:
        raise Refused(f"{model._meta.db_table} has {copied} rows, not {expected} as were saved.")
