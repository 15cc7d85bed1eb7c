"""The shop's tables; each changes only together with an audit event."""

import console.kernel.ids
import console.kernel.models
import django.db.models.fields.json
import django.db.models.functions.text
from django.db import migrations, models

from console.kernel.schema import Governed, TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ('user_id', models.CharField(max_length=64)),
                ('first_name', models.CharField(max_length=120)),
                ('last_name', models.CharField(max_length=120)),
                ('email', models.CharField(max_length=254)),
                ('address', models.JSONField()),
                ('zip', models.GeneratedField(db_persist=True, expression=django.db.models.fields.json.KeyTextTransform('zip', 'address'), output_field=models.CharField(max_length=40))),
                ('payment_methods', models.JSONField()),
                ('orders', models.JSONField()),
                ('version', models.IntegerField(default=0)),
            ],
            options={
                'db_table': 'retail_customer',
                'indexes': [models.Index(models.F('tenant_id'), django.db.models.functions.text.Upper('email'), name='customer_by_email'), models.Index(fields=['tenant_id', 'zip'], name='customer_by_zip')],
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'user_id'), name='customer_once')],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ('order_id', models.CharField(max_length=64)),
                ('user_id', models.CharField(max_length=64)),
                ('status', models.CharField(max_length=40)),
                ('address', models.JSONField()),
                ('items', models.JSONField()),
                ('fulfillments', models.JSONField()),
                ('payment_history', models.JSONField()),
                ('cancel_reason', models.CharField(max_length=40, null=True)),
                ('exchange_items', models.JSONField(null=True)),
                ('exchange_new_items', models.JSONField(null=True)),
                ('exchange_payment_method_id', models.CharField(max_length=64, null=True)),
                ('exchange_price_difference', models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                ('return_items', models.JSONField(null=True)),
                ('return_payment_method_id', models.CharField(max_length=64, null=True)),
                ('version', models.IntegerField(default=0)),
            ],
            options={
                'db_table': 'retail_order',
                'indexes': [models.Index(fields=['tenant_id', 'user_id'], name='order_by_user')],
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'order_id'), name='order_once'), models.CheckConstraint(condition=models.Q(('status__in', ('pending', 'pending (item modified)', 'processed', 'delivered', 'cancelled', 'exchange requested', 'return requested'))), name='order_status_known'), models.CheckConstraint(condition=models.Q(('status', 'cancelled'), ('cancel_reason__isnull', True), _connector='OR'), name='order_reason_only_if_cancelled')],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ('product_id', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=200)),
                ('variants', models.JSONField()),
                ('version', models.IntegerField(default=0)),
            ],
            options={
                'db_table': 'retail_product',
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'product_id'), name='product_once')],
            },
        ),
        TenantTable("retail_product"),
        Governed("retail_product"),
        TenantTable("retail_customer"),
        Governed("retail_customer"),
        TenantTable("retail_order"),
        Governed("retail_order"),
    ]
