"""The search table: what sealed entries say, in columns to search by. Disposable."""

from audit.projection.columns import Columns, columns_of, ids_of
from audit.projection.parity import Parity, Repair
from audit.projection.projector import Projector

__all__ = ["Columns", "Parity", "Projector", "Repair", "columns_of", "ids_of"]
