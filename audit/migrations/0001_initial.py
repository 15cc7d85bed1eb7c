"""The trail: tables by hand, because their guarantees are PostgreSQL's and not the ORM's."""

from pathlib import Path

import django.contrib.postgres.fields
from django.db import migrations, models

from console.kernel.schema import AppendOnly, SharedTable, Sql, TenantTable

HERE = Path(__file__).parent
TABLES = (
    "audit_repeat audit_search_state audit_search audit_checkpoint audit_head audit_tile audit_meta_leaf "
    "audit_entry audit_round audit_log audit_blob audit_event audit_epoch"
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [("kernel", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                Sql(
                    (HERE / "0001_tables.sql").read_text(encoding="utf-8"),
                    f"DROP TABLE {', '.join(TABLES.split())} CASCADE;",
                )
            ],
            state_operations=[
                migrations.CreateModel(
                    name='AuditBlob',
                    fields=[
                        ('pk', models.CompositePrimaryKey('tenant_id', 'event_uid', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('tenant_id', models.UUIDField()),
                        ('event_uid', models.UUIDField()),
                        ('name', models.TextField()),
                        ('media_type', models.TextField()),
                        ('body', models.BinaryField()),
                    ],
                    options={
                        'db_table': 'audit_blob',
                    },
                ),
                migrations.CreateModel(
                    name='AuditCheckpoint',
                    fields=[
                        ('pk', models.CompositePrimaryKey('log_id', 'size', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('log_id', models.UUIDField()),
                        ('size', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField(null=True)),
                        ('root', models.BinaryField()),
                        ('note', models.TextField()),
                        ('vkey', models.TextField()),
                        ('signed_us', models.BigIntegerField()),
                    ],
                    options={
                        'db_table': 'audit_checkpoint',
                    },
                ),
                migrations.CreateModel(
                    name='AuditEntry',
                    fields=[
                        ('pk', models.CompositePrimaryKey('log_id', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('log_id', models.UUIDField()),
                        ('index', models.BigIntegerField()),
                        ('event_id', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField()),
                        ('leaf_hash', models.BinaryField()),
                        ('round_no', models.BigIntegerField()),
                        ('received_us', models.BigIntegerField()),
                    ],
                    options={
                        'db_table': 'audit_entry',
                    },
                ),
                migrations.CreateModel(
                    name='AuditEvent',
                    fields=[
                        ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('received_us', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField()),
                        ('event_uid', models.UUIDField()),
                        ('keep', models.TextField()),
                        ('envelope', models.BinaryField()),
                        ('leaf_hash', models.BinaryField()),
                    ],
                    options={
                        'db_table': 'audit_event',
                    },
                ),
                migrations.CreateModel(
                    name='AuditHead',
                    fields=[
                        ('pk', models.CompositePrimaryKey('log_id', 'size', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('log_id', models.UUIDField()),
                        ('size', models.BigIntegerField()),
                        ('round_no', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField(null=True)),
                        ('root', models.BinaryField()),
                        ('edge', models.BinaryField()),
                        ('sealed_us', models.BigIntegerField()),
                    ],
                    options={
                        'db_table': 'audit_head',
                    },
                ),
                migrations.CreateModel(
                    name='AuditLog',
                    fields=[
                        ('id', models.UUIDField(primary_key=True, serialize=False)),
                        ('tenant_id', models.UUIDField(null=True)),
                        ('kind', models.TextField()),
                        ('origin', models.TextField()),
                    ],
                    options={
                        'db_table': 'audit_log',
                    },
                ),
                migrations.CreateModel(
                    name='AuditRound',
                    fields=[
                        ('round_no', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('epoch', models.IntegerField()),
                        ('sealed_us', models.BigIntegerField()),
                    ],
                    options={
                        'db_table': 'audit_round',
                    },
                ),
                migrations.CreateModel(
                    name='AuditSearch',
                    fields=[
                        ('pk', models.CompositePrimaryKey('log_id', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('log_id', models.UUIDField()),
                        ('index', models.BigIntegerField()),
                        ('event_id', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField()),
                        ('received_us', models.BigIntegerField()),
                        ('action', models.TextField()),
                        ('kind', models.TextField()),
                        ('actor_kind', models.TextField()),
                        ('actor_id', models.TextField()),
                        ('actor_label', models.TextField()),
                        ('target_type', models.TextField()),
                        ('target_id', models.TextField()),
                        ('agent', models.TextField()),
                        ('run', models.TextField()),
                        ('ids', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                    ],
                    options={
                        'db_table': 'audit_search',
                    },
                ),
                migrations.CreateModel(
                    name='AuditSearchState',
                    fields=[
                        ('log_id', models.UUIDField(primary_key=True, serialize=False)),
                        ('tenant_id', models.UUIDField()),
                        ('next_index', models.BigIntegerField()),
                    ],
                    options={
                        'db_table': 'audit_search_state',
                    },
                ),
                migrations.CreateModel(
                    name='AuditTile',
                    fields=[
                        ('pk', models.CompositePrimaryKey('log_id', 'level', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('log_id', models.UUIDField()),
                        ('level', models.SmallIntegerField()),
                        ('number', models.BigIntegerField()),
                        ('tenant_id', models.UUIDField(null=True)),
                        ('hashes', models.BinaryField()),
                    ],
                    options={
                        'db_table': 'audit_tile',
                    },
                ),
                migrations.CreateModel(
                    name='AuditRepeat',
                    fields=[
                        ('pk', models.CompositePrimaryKey('tenant_id', 'actor', 'what', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('tenant_id', models.UUIDField()),
                        ('actor', models.TextField()),
                        ('what', models.BinaryField()),
                        ('recorded_us', models.BigIntegerField()),
                        ('repeats', models.IntegerField(default=0)),
                    ],
                    options={
                        'db_table': 'audit_repeat',
                        'constraints': [models.CheckConstraint(condition=models.Q(('repeats__gte', 0)), name='repeats_not_negative')],
                    },
                ),
            ],
        ),
        TenantTable(
            "audit_event", grants="SELECT, INSERT (tenant_id, event_uid, keep, envelope)"
        ),
        TenantTable(
            "audit_blob",
            grants="SELECT, INSERT (tenant_id, event_uid, name, media_type, body)",
        ),
        TenantTable("audit_log", grants="SELECT"),
        TenantTable("audit_entry", grants="SELECT"),
        TenantTable("audit_meta_leaf", grants="SELECT"),
        TenantTable("audit_tile", grants="SELECT"),
        TenantTable("audit_head", grants="SELECT"),
        TenantTable("audit_checkpoint", grants="SELECT"),
        TenantTable("audit_search", grants="SELECT"),
        TenantTable("audit_search_state", grants="SELECT"),
        TenantTable("audit_repeat", grants="SELECT, INSERT, UPDATE"),
        SharedTable(
            "audit_round",
            reason="A round seals every tenant; its counts, which would tell of neighbours, are not granted.",
            grants="SELECT (round_no, epoch, snapshot, sealed_us)",
        ),
        SharedTable(
            "audit_epoch", reason="One life of the whole database.", grants="SELECT"
        ),
        AppendOnly("audit_event"),
        AppendOnly("audit_blob"),
        AppendOnly("audit_log"),
        AppendOnly("audit_round"),
        AppendOnly("audit_entry"),
        AppendOnly("audit_meta_leaf"),
        AppendOnly("audit_tile"),
        AppendOnly("audit_head"),
        AppendOnly("audit_checkpoint"),
        AppendOnly("audit_epoch"),
        Sql(
            (HERE / "0001_guards.sql").read_text(encoding="utf-8"),
            "DROP FUNCTION audit_require_event() CASCADE;",
        ),
    ]
