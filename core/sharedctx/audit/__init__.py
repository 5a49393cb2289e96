"""The audit log: who did what to which version, when, in a chain that shows what was changed afterwards."""

from .record import AuditHead, AuditRecord
from .trail import PK, Trail

__all__ = ["PK", "AuditHead", "AuditRecord", "Trail"]
