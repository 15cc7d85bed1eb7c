"""The bundled list of prices, taken in for everybody; see `commands.import_prices` for later lists."""

from django.db import migrations

from costs.commands import store_bundled


def take_in(apps, schema_editor):
    store_bundled(
        imports=apps.get_model("costs", "PriceImport"),
        prices=apps.get_model("costs", "Price"),
        factors=apps.get_model("costs", "PriceFactor"),
    )


class Migration(migrations.Migration):
    dependencies = [("costs", "0001_initial")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
