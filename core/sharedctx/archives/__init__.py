"""A session as one file: every version with its number, time and writer, to be kept or brought into another store."""

from .opening import MOST_BYTES
from .restoring import Imported, import_session
from .saving import Exported, export_session

__all__ = ["MOST_BYTES", "Exported", "Imported", "export_session", "import_session"]
