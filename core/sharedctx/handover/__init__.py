"""Handing context over: what fits a budget, why, and how to reach the rest."""

from .packet import Packet, packet
from .selection import Part, Selection, select
from .window import Window, window

__all__ = ["Packet", "Part", "Selection", "Window", "packet", "select", "window"]
