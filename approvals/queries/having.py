"""Whether a proposal has a row of another table that says something: one condition, written out.

A list asks this a dozen times in each of its questions. Django builds, clones and relabels a whole
query for each `Exists`, which took more time than all answers of the database together.
"""

from typing import Any

from django.db.models import BooleanField, F, Func, Model
from typing_extensions import override


class Has(Func):
    """Says that a row of a table belongs to the proposal and fits.

    Args:
        table: its model, which points at the proposal.
        fits: SQL on the columns of `has`, that row; `%s` for each of the values, which come first,
            then for the named columns of the proposal.
    """

    conditional = True
    output_field = BooleanField()

    def __init__(
        self, table: type[Model], fits: str, *values: object, columns: tuple[str, ...] = ()
    ) -> None:
        super().__init__(*(F(name) for name in ("tenant_id", "pk", *columns)))
        self.table = table._meta.db_table  # noqa: SLF001 - Django's documented way to a name
        self.fits = fits
        self.values = values

    @override
    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_others: Any) -> Any:
        tenant, own, *columns = (compiler.compile(each)[0] for each in self.source_expressions)
        fits = self.fits % (*["%s"] * len(self.values), *columns)
        of_it = f"has.tenant_id = {tenant} AND has.proposal_id = {own}"
        return f"EXISTS (SELECT 1 FROM {self.table} has WHERE {of_it} AND {fits})", self.values  # noqa: S608 - names and our own conditions
